// SPDX-License-Identifier: GPL-2.0
/* See ports.h. */
#include <linux/build_bug.h>
#include <linux/spinlock.h>
#include <linux/stddef.h>
#include <linux/string.h>

#include "conn/ports.h"

/* What of a key says which address it is; no byte of that is padding */
#define PVC_PORT_WHERE	offsetof(struct pvc_port_key, uid)

static_assert(PVC_PORT_WHERE == sizeof(void *) + 8 + PVC_PORT_ADDR_LEN);

/* Guards both trees; interrupts off, innermost */
static DEFINE_SPINLOCK(pvc_ports_lock);
static struct rb_root pvc_ports_at = RB_ROOT;
static struct rb_root pvc_ports_any = RB_ROOT;

static const struct pvc_port_key *pvc_port_key_of(const struct rb_node *rb)
{
	return &rb_entry(rb, struct pvc_port_node, rb)->key;
}

static bool pvc_port_less(struct rb_node *a, const struct rb_node *b)
{
	const struct pvc_port_key *x = pvc_port_key_of(a);
	const struct pvc_port_key *y = pvc_port_key_of(b);
	int where = memcmp(x, y, PVC_PORT_WHERE);

	return where ? where < 0 : x->uid < y->uid;
}

/* Looks for the same address of a user whose number is smaller. */
static int pvc_port_below(const void *key, const struct rb_node *rb)
{
	const struct pvc_port_key *x = key, *y = pvc_port_key_of(rb);

	return memcmp(x, y, PVC_PORT_WHERE) ?: (y->uid < x->uid ? 0 : -1);
}

/* Looks for the same address of a user whose number is greater. */
static int pvc_port_above(const void *key, const struct rb_node *rb)
{
	const struct pvc_port_key *x = key, *y = pvc_port_key_of(rb);

	return memcmp(x, y, PVC_PORT_WHERE) ?: (y->uid > x->uid ? 0 : 1);
}

/* Does a tree have the same address of another user? Call with the lock held. */
static bool pvc_ports_have(const struct rb_root *tree,
			   const struct pvc_port_key *key)
{
	return rb_find(key, tree, pvc_port_below) ||
	       rb_find(key, tree, pvc_port_above);
}

/* The same port at the unspecified address */
static struct pvc_port_key pvc_port_any(const struct pvc_port_key *key)
{
	struct pvc_port_key any = *key;

	any.family = 0;
	memset(any.addr, 0, sizeof(any.addr));
	return any;
}

/* Takes a port out of the trees. Call with the lock held. */
static void pvc_port_erase(struct pvc_port *p)
{
	if (!p->held)
		return;
	rb_erase(&p->at.rb, &pvc_ports_at);
	rb_erase(&p->any.rb, &pvc_ports_any);
	p->held = false;
}

/**
 * pvc_port_hold() - a socket has an address from now on
 * @p: port of the socket; what it has held before is dropped
 * @key: the address, and whose it is; without a port nothing is held
 *
 * Context: any.
 */
void pvc_port_hold(struct pvc_port *p, const struct pvc_port_key *key)
{
	unsigned long flags;

	spin_lock_irqsave(&pvc_ports_lock, flags);
	pvc_port_erase(p);
	if (key->port) {
		p->at.key = *key;
		p->any.key = pvc_port_any(key);
		rb_add(&p->at.rb, &pvc_ports_at, pvc_port_less);
		rb_add(&p->any.rb, &pvc_ports_any, pvc_port_less);
		p->held = true;
	}
	spin_unlock_irqrestore(&pvc_ports_lock, flags);
}

/**
 * pvc_port_drop() - a socket has no address any more
 * @p: port of the socket, held or not
 *
 * Context: any.
 */
void pvc_port_drop(struct pvc_port *p)
{
	unsigned long flags;

	/* most sockets never hold one */
	if (!p->held)
		return;
	spin_lock_irqsave(&pvc_ports_lock, flags);
	pvc_port_erase(p);
	spin_unlock_irqrestore(&pvc_ports_lock, flags);
}

/**
 * pvc_port_is_others() - does another user hold an address, or part of it?
 * @key: the address, with a port, and who asks
 *
 * The unspecified address has a part of every other one. The answer takes a few
 * steps, however many sockets hold the port.
 *
 * Context: any.
 * Return: true if so.
 */
bool pvc_port_is_others(const struct pvc_port_key *key)
{
	struct pvc_port_key any = pvc_port_any(key);
	unsigned long flags;
	bool others;

	spin_lock_irqsave(&pvc_ports_lock, flags);
	if (key->family)
		others = pvc_ports_have(&pvc_ports_at, key) ||
			 pvc_ports_have(&pvc_ports_at, &any);
	else
		others = pvc_ports_have(&pvc_ports_any, key);
	spin_unlock_irqrestore(&pvc_ports_lock, flags);
	return others;
}
