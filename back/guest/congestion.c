// SPDX-License-Identifier: GPL-2.0
/* The parameter with names, and who holds what they name; see congestion.h. */
#include <linux/in.h>
#include <linux/moduleparam.h>
#include <linux/net.h>
#include <linux/sockptr.h>
#include <linux/string.h>
#include <linux/tcp.h>

#include <net/net_namespace.h>
#include <net/sock.h>

#include "guest/congestion.h"
#include "guest/rules.h"
#include "pvcalls_ext.h"

static char *pvcalls_congestion = "reno,cubic";
module_param_named(congestion, pvcalls_congestion, charp, 0444);
MODULE_PARM_DESC(congestion,
		 "Congestion controls that guests may choose, up to 16 with commas between them (default reno,cubic)");

/**
 * struct pvcalls_congestion - a name of the parameter
 * @name: the name; empty if there are not so many, or if it is too long
 * @held: a socket that has it, which keeps its module loaded; NULL if there is
 *	no such congestion control
 */
static struct pvcalls_congestion {
	char name[PVCALLS_CONGESTION_LEN + 1];
	struct socket *held;
} pvcalls_congestions[PVCALLS_CONGESTIONS];

/* Have a socket use a congestion control. */
static int pvcalls_congestion_hold(struct pvcalls_congestion *c)
{
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (err)
		return err;
	err = READ_ONCE(sock->ops)->setsockopt(sock, IPPROTO_TCP,
					       TCP_CONGESTION,
					       KERNEL_SOCKPTR(c->name),
					       strlen(c->name));
	if (err)
		sock_release(sock);
	else
		c->held = sock;
	return err;
}

/**
 * pvcalls_congestion_start() - load the congestion controls for guests
 *
 * Context: process, may sleep, before there is a policy; undone by
 * pvcalls_congestion_stop().
 */
void pvcalls_congestion_start(void)
{
	const char *name = pvcalls_congestion;
	struct pvcalls_congestion *c;
	int i, err, len;

	for (i = 0; i < PVCALLS_CONGESTIONS && *name; i++) {
		c = &pvcalls_congestions[i];
		len = strcspn(name, ",");
		err = -ENOENT;
		if (len <= PVCALLS_CONGESTION_LEN) {
			memcpy(c->name, name, len);
			err = len ? pvcalls_congestion_hold(c) : 0;
		}
		if (err)
			pr_warn("congestion: no %.*s (%d)\n", len, name, err);
		name += len + (name[len] == ',');
	}
}

/**
 * pvcalls_congestion_stop() - undo pvcalls_congestion_start()
 *
 * Context: process, may sleep.
 */
void pvcalls_congestion_stop(void)
{
	int i;

	for (i = 0; i < PVCALLS_CONGESTIONS; i++)
		if (pvcalls_congestions[i].held)
			sock_release(pvcalls_congestions[i].held);
}

/**
 * pvcalls_congestion_name() - get a name that policies may have
 * @i: its number in the parameter, 0 to PVCALLS_CONGESTIONS - 1
 *
 * Context: any.
 * Return: the name; NULL if there is no such congestion control.
 */
const char *pvcalls_congestion_name(u32 i)
{
	return pvcalls_congestions[i].held ? pvcalls_congestions[i].name : NULL;
}

/**
 * pvcalls_congestion_may() - may a guest choose a congestion control?
 * @name: its name
 * @bits: what the guest's policy leaves it, as pvcalls_rules.congestion
 *
 * Context: any.
 * Return: 0; -EPERM if it is not for the guest; -ENOENT if there is none.
 */
int pvcalls_congestion_may(const char *name, u32 bits)
{
	int i;

	for (i = 0; i < PVCALLS_CONGESTIONS && *name; i++)
		if (bits & BIT(i) && !strcmp(pvcalls_congestions[i].name, name))
			return pvcalls_congestions[i].held ? 0 : -ENOENT;
	return -EPERM;
}

/**
 * pvcalls_congestion_begin() - what does a guest's new socket begin with?
 * @name: the congestion control that the kernel has given it
 * @bits: what the guest's policy leaves the guest, as pvcalls_rules.congestion
 *
 * Context: any.
 * Return: the name of another one, or NULL if @name is right: the guest may
 * choose that, or has nothing to choose from.
 */
const char *pvcalls_congestion_begin(const char *name, u32 bits)
{
	if (!bits || bits == PVCALLS_CONGESTION_ANY ||
	    !pvcalls_congestion_may(name, bits))
		return NULL;
	return pvcalls_congestion_name(__ffs(bits));
}
