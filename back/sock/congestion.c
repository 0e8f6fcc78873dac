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

#include "pvcalls_ext.h"
#include "sock/congestion.h"

/* Names in the parameter, at most; further ones are nobody's to choose */
#define PVCALLS_CONGESTIONS	16

static char *pvcalls_congestion = "reno,cubic";
module_param_named(congestion, pvcalls_congestion, charp, 0444);
MODULE_PARM_DESC(congestion,
		 "Congestion controls that guests may choose, up to 16 with commas between them (default reno,cubic)");

/* A socket for each name, which keeps its module loaded; or NULL */
static struct socket *pvcalls_congestion_held[PVCALLS_CONGESTIONS];

/*
 * Take the next name off @list. Returns its length, 0 for an empty one, or -1 if
 * there is none.
 */
static int pvcalls_congestion_next(const char **list, const char **name)
{
	size_t n;

	if (!*list || !**list)
		return -1;
	*name = *list;
	n = strcspn(*list, ",");
	*list += n + ((*list)[n] == ',');
	return n;
}

static int pvcalls_congestion_hold(struct socket **held, const char *name,
				   int len)
{
	char buf[PVCALLS_CONGESTION_LEN + 1] = "";
	struct socket *sock;
	int err;

	if (len > PVCALLS_CONGESTION_LEN)
		return -ENOENT;
	memcpy(buf, name, len);
	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP,
			       &sock);
	if (err)
		return err;
	err = READ_ONCE(sock->ops)->setsockopt(sock, IPPROTO_TCP,
					       TCP_CONGESTION,
					       KERNEL_SOCKPTR(buf), len);
	if (err)
		sock_release(sock);
	else
		*held = sock;
	return err;
}

/**
 * pvcalls_congestion_start() - load the congestion controls for guests
 *
 * Context: process, may sleep; undone by pvcalls_congestion_stop().
 */
void pvcalls_congestion_start(void)
{
	const char *list = pvcalls_congestion, *name;
	int i, err, len;

	for (i = 0; i < PVCALLS_CONGESTIONS; i++) {
		len = pvcalls_congestion_next(&list, &name);
		if (len < 0)
			break;
		if (!len)
			continue;
		err = pvcalls_congestion_hold(&pvcalls_congestion_held[i], name,
					      len);
		if (err)
			pr_warn("congestion: no %.*s (%d)\n", len, name, err);
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
		if (pvcalls_congestion_held[i])
			sock_release(pvcalls_congestion_held[i]);
}

/**
 * pvcalls_congestion_may() - may a guest choose a congestion control?
 * @name: its name
 *
 * Context: any.
 * Return: 0; -EPERM if it is not for guests; -ENOENT if there is none.
 */
int pvcalls_congestion_may(const char *name)
{
	const char *list = pvcalls_congestion, *s;
	int i, n, len = strlen(name);

	for (i = 0; i < PVCALLS_CONGESTIONS; i++) {
		n = pvcalls_congestion_next(&list, &s);
		if (n < 0)
			break;
		if (n && n == len && !memcmp(s, name, n))
			return pvcalls_congestion_held[i] ? 0 : -ENOENT;
	}
	return -EPERM;
}
