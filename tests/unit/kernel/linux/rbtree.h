/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A tree as one sees it from outside: nodes in their order. It is a list here,
 * and each walk through it sees whether the functions that compare agree with
 * that order, without which a tree would find nothing.
 */
#ifndef TEST_RBTREE_H
#define TEST_RBTREE_H

struct rb_node {
	struct rb_node *next;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT			((struct rb_root) { NULL })
#define rb_entry(p, t, m)	container_of(p, t, m)

static inline void rb_add(struct rb_node *n, struct rb_root *tree,
			  bool (*less)(struct rb_node *,
				       const struct rb_node *))
{
	struct rb_node **at = &tree->rb_node, *o;

	while (*at && !less(n, *at))
		at = &(*at)->next;
	n->next = *at;
	*at = n;
	for (o = n->next; o; o = o->next)
		must(less(n, o));
}

static inline void rb_erase(struct rb_node *n, struct rb_root *tree)
{
	struct rb_node **at = &tree->rb_node;

	while (*at != n) {
		must(*at);
		at = &(*at)->next;
	}
	*at = n->next;
}

static inline struct rb_node *
rb_find(const void *key, const struct rb_root *tree,
	int (*cmp)(const void *key, const struct rb_node *))
{
	struct rb_node *n, *found = NULL;
	int sign = 1, c;

	for (n = tree->rb_node; n; n = n->next) {
		c = cmp(key, n);
		c = (c > 0) - (c < 0);
		must(c <= sign);
		sign = c;
		if (!c && !found)
			found = n;
	}
	return found;
}

#endif /* TEST_RBTREE_H */
