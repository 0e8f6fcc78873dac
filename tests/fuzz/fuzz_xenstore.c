// SPDX-License-Identifier: GPL-2.0
/*
 * What the two sides say of themselves in xenstore. Whatever is there, orders
 * are within their limits, each grant is read once and none beyond the ring, and
 * an extension is in force only if the other side has said so. What one side
 * writes is what the other one reads, and a frontend that knows no extensions
 * finds none left by the one before.
 */
#include <stdarg.h>

/* each side has a node.h and a link.h */
#include "../../back/link/link.h"
#include "../../back/link/node.h"
#include "../../front/link/link.h"
#include "../../front/link/node.h"
#include "input.h"

#define NODES	64
#define REFS	ARRAY_SIZE(((struct pvcalls_link_params *)NULL)->ring_refs)

/* A node in one of the two directories */
static struct node {
	const char *dir;
	size_t len;
	char key[32];
	char value[40];
	u32 reads;
} nodes[NODES];
static u32 nr_nodes;

static const char front[] = "front", back[] = "back";
static struct xenbus_device front_dev = { front, back, 0 };
static struct xenbus_device back_dev = { back, front, 3 };
static const char * const keys[] = PVCALLS_FEATURE_KEYS;
static u32 max_order, max_cmd_order, transactions;
static bool ipv6;

extern unsigned int param_cmd_order;

void peer_look(const volatile void *p, size_t len)
{
}

u32 pvcalls_max_order(void)
{
	return max_order;
}

u32 pvcalls_max_cmd_order(void)
{
	return max_cmd_order;
}

u32 pvcalls_mark(domid_t domid)
{
	return 100 + domid;
}

bool ipv6_mod_enabled(void)
{
	return ipv6;
}

static struct node *find(const char *dir, const char *key)
{
	size_t len = strlen(key) + 1;
	struct node *n;

	/* the fuzzer has no use for what keys look like */
	for (n = nodes; n < nodes + nr_nodes; n++)
		if (n->dir == dir && n->len == len &&
		    !__builtin_memcmp(n->key, key, len))
			return n;
	return NULL;
}

static struct node *make(const char *dir, const char *key)
{
	struct node *n = find(dir, key);

	if (n)
		return n;
	MUST(nr_nodes < NODES);
	n = &nodes[nr_nodes++];
	n->dir = dir;
	n->len = strlen(key) + 1;
	MUST(n->len <= sizeof(n->key));
	memcpy(n->key, key, n->len);
	return n;
}

void *xenbus_read(struct xenbus_transaction t, const char *dir,
		  const char *key, unsigned int *len)
{
	struct node *n = find(dir, key);

	if (!n)
		return ERR_PTR(-ENOENT);
	n->reads++;
	return exact(n->value, strlen(n->value) + 1);
}

/* A number, as the kernel's sscanf() reads one: a large one loses bits */
static bool number(const char *s, unsigned int *value)
{
	unsigned int v = 0;

	s += strspn(s, " \t\n\v\f\r\xa0");
	if (*s < '0' || *s > '9')
		return false;
	while (*s >= '0' && *s <= '9')
		v = v * 10 + (*s++ - '0');
	*value = v;
	return true;
}

int xenbus_scanf(struct xenbus_transaction t, const char *dir,
		 const char *key, const char *fmt, unsigned int *value)
{
	struct node *n = find(dir, key);

	MUST(!strcmp(fmt, "%u"));
	if (!n)
		return -ENOENT;
	n->reads++;
	return number(n->value, value) ? 1 : -ERANGE;
}

int xenbus_gather(struct xenbus_transaction t, const char *dir,
		  const char *key, const char *fmt, unsigned int *value,
		  void *end)
{
	int ret = xenbus_scanf(t, dir, key, fmt, value);

	MUST(!end);
	return ret == -ERANGE ? -EINVAL : ret < 0 ? ret : 0;
}

unsigned int xenbus_read_unsigned(const char *dir, const char *key,
				  unsigned int dflt)
{
	unsigned int value;

	return xenbus_scanf(XBT_NIL, dir, key, "%u", &value) <= 0 ? dflt :
								     value;
}

int xenbus_printf(struct xenbus_transaction t, const char *dir,
		  const char *key, const char *fmt, ...)
{
	struct node *n = make(dir, key);
	va_list args;

	/* each side has its own directory to write to, and all at once */
	MUST(transactions == 1);
	va_start(args, fmt);
	MUST(vsnprintf(n->value, sizeof(n->value), fmt, args) <
	     (int)sizeof(n->value));
	va_end(args);
	return 0;
}

int xenbus_write(struct xenbus_transaction t, const char *dir,
		 const char *key, const char *value)
{
	return xenbus_printf(t, dir, key, "%s", value);
}

int xenbus_rm(struct xenbus_transaction t, const char *dir, const char *key)
{
	struct node *n = find(dir, key);

	if (!n)
		return -ENOENT;
	*n = nodes[--nr_nodes];
	return 0;
}

int xenbus_transaction_start(struct xenbus_transaction *t)
{
	MUST(!transactions);
	transactions++;
	return 0;
}

int xenbus_transaction_end(struct xenbus_transaction t, int cancel)
{
	MUST(transactions == 1 && !cancel);
	transactions--;
	return take_u8() % 4 == 3 ? -EAGAIN : 0;
}

int kstrtou32(const char *s, unsigned int base, u32 *value)
{
	return number(s, value) ? 0 : -EINVAL;
}

/* Writes into the directory of the other side what that likes */
static void any_nodes(const char *dir, const char * const *known, u32 nr)
{
	static const char * const likely[] = {
		"0", "1", "2", "4", "5", "9", "4294967297", "-1", "1,2", "+1",
		"12",
	};
	u32 n, i, len;
	struct node *node;
	char key[16];

	for (n = take_u8() % 24; n; n--) {
		i = take_u8();
		if (i & 128) {
			snprintf(key, sizeof(key), "ring-ref%u", i % 32);
			node = make(dir, key);
		} else {
			node = make(dir, i % 32 < nr ? known[i % 32] :
					 keys[i % PVCALLS_F_COUNT]);
		}
		i = take_u8();
		if (i < ARRAY_SIZE(likely)) {
			strcpy(node->value, likely[i]);
			continue;
		}
		len = i % (sizeof(node->value) - 1);
		take(node->value, len);
		node->value[len] = '\0';
	}
}

/* Nothing is read a second time: it might say something else then */
static void read_once(const char *dir)
{
	struct node *n;

	for (n = nodes; n < nodes + nr_nodes; n++) {
		MUST(n->dir != dir || n->reads <= 1);
		n->reads = 0;
	}
}

static u32 value_of(const char *dir, const char *key)
{
	u32 value = 0;

	MUST(find(dir, key) && number(find(dir, key)->value, &value));
	return value;
}

/* The backend looks at what a frontend has written */
static int look_at_front(struct pvcalls_link_params *params)
{
	unsigned long features;
	struct node *n;
	char key[16];
	u32 i, nr = 1;
	int ret;

	memset(params, 0, sizeof(*params));
	memset(params->ring_refs, 0xa5, sizeof(params->ring_refs));
	ret = pvcalls_node_ring(&back_dev, params);
	features = pvcalls_node_features(&back_dev);
	read_once(front);
	params->features = features;
	for (i = 0; i < PVCALLS_F_COUNT; i++) {
		n = find(front, keys[i]);
		MUST(!!(features & BIT(i)) ==
		     (n && !strcmp(n->value, "1") &&
		      (ipv6 || i != PVCALLS_F_IPV6)));
	}
	MUST(!(features >> PVCALLS_F_COUNT));
	n = find(front, "ring-page-order");
	if (n && (!number(n->value, &i) || i > max_cmd_order))
		MUST(ret == -EINVAL);
	if (ret) {
		MUST(ret == -EINVAL || ret == -ENOENT);
		return ret;
	}
	MUST(params->ring_order <= max_cmd_order);
	if (!find(front, "ring-page-order")) {
		MUST(!params->ring_order);
		MUST(params->ring_refs[0] == value_of(front, "ring-ref"));
	} else {
		nr = 1 << params->ring_order;
		for (i = 0; i < nr; i++) {
			snprintf(key, sizeof(key), "ring-ref%u", i);
			MUST(params->ring_refs[i] == value_of(front, key));
		}
	}
	for (i = nr; i < REFS; i++)
		MUST(params->ring_refs[i] == 0xa5a5a5a5);
	return 0;
}

/* Does a list with commas between its words have "1"? */
static bool has_version(const char *list)
{
	const char *end;

	for (; list; list = *end ? end + 1 : NULL) {
		end = strchrnul(list, ',');
		if (end - list == 1 && *list == '1')
			return true;
	}
	return false;
}

/* The frontend looks at what a backend has written */
static int look_at_back(struct pvc_link *link)
{
	u32 i, value;
	struct node *n;
	int ret;

	memset(link, 0, sizeof(*link));
	ret = pvc_node_query(&front_dev, link);
	read_once(back);
	if (ret) {
		MUST(ret == -EPROTO || ret == -ENOENT);
		return ret;
	}
	MUST(has_version(find(back, "versions")->value));
	MUST(value_of(back, "function-calls") == 1);
	MUST(link->max_order >= 1 && link->max_order <= PVCALLS_MAX_PAGE_ORDER);
	MUST(link->max_order <= value_of(back, "max-page-order"));
	MUST(link->ring_order <= param_cmd_order);
	MUST(!link->ring_order ||
	     link->ring_order <= value_of(back, "max-ring-page-order"));
	for (i = 0; i < PVCALLS_F_COUNT; i++) {
		n = find(back, keys[i]);
		if (link->features & BIT(i))
			MUST(n && number(n->value, &value) && value == 1);
	}
	MUST(!(link->features >> PVCALLS_F_COUNT));
	MUST(!pvc_link_has(link, PVCALLS_F_DGRAM) ||
	     pvc_link_has(link, PVCALLS_F_WAKEUP));
	return 0;
}

/* The frontend writes, and the backend reads the same */
static void agree(struct pvc_link *link)
{
	struct pvcalls_link_params params;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(link->sring_refs); i++)
		link->sring_refs[i] = take_u32();
	link->port = take_u32();
	MUST(!pvc_node_write(&front_dev, link));
	MUST(value_of(front, "version") == 1);
	MUST(value_of(front, "port") == link->port);
	/* a backend that has lied takes no ring of such an order */
	if (link->ring_order > max_cmd_order) {
		MUST(look_at_front(&params));
	} else {
		MUST(!look_at_front(&params));
		MUST(params.ring_order == link->ring_order);
		for (i = 0; i < 1U << params.ring_order; i++)
			MUST(params.ring_refs[i] == link->sring_refs[i]);
	}
	MUST(params.features ==
	     (ipv6 ? link->features : link->features & ~BIT(PVCALLS_F_IPV6)));
	pvc_node_erase(&front_dev, link);
	MUST(!pvcalls_node_features(&back_dev));
	MUST(!find(front, "ring-page-order"));
}

/* Two sides that say what they are, and agree */
static void honest(struct pvc_link *link)
{
	MUST(!pvcalls_node_publish(&back_dev));
	MUST(!look_at_back(link));
	MUST(link->max_order == max_order);
	MUST(link->ring_order == min(param_cmd_order, max_cmd_order));
	MUST(pvc_link_has(link, PVCALLS_F_IPV6) == ipv6);
	MUST(__builtin_popcountl(link->features) == PVCALLS_F_COUNT - !ipv6);
}

/* A frontend lies, from the beginning or in some of what it says */
static void any_front(struct pvc_link *link, bool some)
{
	static const char * const known[] = {
		"ring-page-order", "ring-ref", "version", "port",
	};
	struct pvcalls_link_params params;

	if (some) {
		honest(link);
		/* a ring of any order */
		link->ring_order = take_u8() % (PVCALLS_MAX_CMD_ORDER + 1);
		MUST(!pvc_node_write(&front_dev, link));
	}
	any_nodes(front, known, ARRAY_SIZE(known));
	look_at_front(&params);
}

/* A backend lies likewise */
static void any_back(struct pvc_link *link, bool some)
{
	static const char * const known[] = {
		"versions", "function-calls", "max-page-order",
		"max-ring-page-order",
	};

	if (some)
		MUST(!pvcalls_node_publish(&back_dev));
	any_nodes(back, known, ARRAY_SIZE(known));
	if (!look_at_back(link))
		agree(link);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pvc_link *link = calloc(1, sizeof(*link));
	u32 how;

	MUST(link);
	input = data;
	left = size;
	memset(nodes, 0, sizeof(nodes));
	nr_nodes = 0;
	transactions = 0;
	how = take_u8();
	ipv6 = how & 1;
	max_order = 1 + take_u8() % PVCALLS_MAX_PAGE_ORDER;
	max_cmd_order = take_u8() % (PVCALLS_MAX_CMD_ORDER + 1);
	param_cmd_order = take_u8() % (PVCALLS_MAX_CMD_ORDER + 1);
	if (how & 2) {
		any_front(link, how & 8);
	} else if (how & 4) {
		any_back(link, how & 8);
	} else {
		honest(link);
		agree(link);
	}
	free(link);
	return 0;
}
