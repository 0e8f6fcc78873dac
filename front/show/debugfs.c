// SPDX-License-Identifier: GPL-2.0
/*
 * See debugfs.h. Each line is a list of names, each with its value, for
 * pvcallsctl. Values are read without a lock, and may change meanwhile.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "conn/conn.h"
#include "link/budget.h"
#include "link/reserve.h"
#include "show/debugfs.h"
#include "sock/policy.h"
#include "watch.h"

static struct dentry *pvc_debugfs_dir;

/* The words of pvcallsctl, which tells fewer states apart */
static const char * const pvc_conn_words[PVC_CONN_STATES] = {
	[PVC_CONN_NEW]		= "open",
	[PVC_CONN_OPENED]	= "open",
	[PVC_CONN_BOUND]	= "open",
	[PVC_CONN_CONNECTING]	= "connecting",
	[PVC_CONN_ACCEPTING]	= "open",
	[PVC_CONN_CONNECTED]	= "connected",
	[PVC_CONN_LISTENING]	= "listening",
	[PVC_CONN_FAILED]	= "failed",
	[PVC_CONN_DRAINING]	= "closing",
	[PVC_CONN_RELEASING]	= "closing",
	[PVC_CONN_RELEASED]	= "closing",
	[PVC_CONN_REUSABLE]	= "closing",
	[PVC_CONN_LINGERING]	= "closing",
};

static void pvc_debugfs_name(struct seq_file *s, const char *name,
			     const struct pvc_addr *a)
{
	if (a->len)
		seq_printf(s, " %s %pISpc", name, &a->sa);
	else
		seq_printf(s, " %s -", name);
}

static u32 pvc_debugfs_unread(const struct ringbuf *r)
{
	return READ_ONCE(r->prod) - READ_ONCE(r->cons);
}

static void pvc_debugfs_conn(struct pvc_conn *c, void *arg)
{
	struct seq_file *s = arg;

	seq_printf(s, "socket %#llx type %s state %s", c->id,
		   pvc_conn_is_dgram(c) ? "dgram" : "stream",
		   pvc_conn_words[READ_ONCE(c->state)]);
	pvc_debugfs_name(s, "local", &c->local);
	pvc_debugfs_name(s, "peer", &c->peer);
	seq_printf(s, " ring %u irq %d in %u out %u in-error %d out-error %d queued %u\n",
		   c->ring.in.size, c->ring.irq,
		   pvc_debugfs_unread(&c->ring.in),
		   pvc_debugfs_unread(&c->ring.out), READ_ONCE(c->in_err),
		   READ_ONCE(c->out_err), READ_ONCE(c->acceptq.queued));
}

static int pvc_sockets_show(struct seq_file *s, void *unused)
{
	struct pvc_link *link = pvc_link_get();

	if (!link)
		return 0;
	pvc_conn_for_each(link, pvc_debugfs_conn, s);
	pvc_link_put(link);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvc_sockets);

static void pvc_debugfs_count(struct pvc_conn *c, void *n)
{
	++*(unsigned int *)n;
}

static int pvc_backend_show(struct seq_file *s, void *unused)
{
	struct pvc_link *link = pvc_link_get();
	unsigned int n = 0;

	if (!link)
		return 0;
	pvc_conn_for_each(link, pvc_debugfs_count, &n);
	seq_printf(s, "backend %u state %s sockets %u cached-rings %u extensions %#lx ring-order %u command-slots %u\n",
		   link->otherend, pvc_link_hung(link) ? "hung" : "up", n,
		   READ_ONCE(link->cache.count), link->features,
		   link->max_order, RING_SIZE(&link->ring));
	pvc_link_put(link);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvc_backend);

static int pvc_capture_show(struct seq_file *s, void *unused)
{
	unsigned long missed;
	bool on = pvc_watch_look(&missed);

	seq_printf(s, "probes %s missed %lu filtered %llu\n",
		   on ? "on" : "off", missed, pvc_policy_filtered_calls());
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvc_capture);

static void pvc_debugfs_use(struct seq_file *s, const struct pvc_use *use,
			    long sockets, long pages)
{
	seq_printf(s, " sockets %ld rings %ld pages %ld max-sockets %ld max-pages %ld",
		   use->of[PVC_KIND_SOCKETS], use->of[PVC_KIND_RINGS],
		   use->of[PVC_KIND_PAGES], sockets, pages);
}

static int pvc_users_show(struct seq_file *s, void *unused)
{
	struct pvc_account account = { .uid = INVALID_UID };
	struct pvc_use all = pvc_budget_all();
	long pages = pvc_reserve_pages();

	while (pvc_budget_next(&account)) {
		seq_printf(s, "user %u",
			   from_kuid_munged(seq_user_ns(s), account.uid));
		pvc_debugfs_use(s, &account.use,
				pvc_budget_share(pvc_conn_max()),
				pvc_budget_share(pages));
		seq_printf(s, " refused %lu\n", account.refused);
	}
	seq_puts(s, "user all");
	pvc_debugfs_use(s, &all, pvc_conn_max(), pages);
	seq_puts(s, "\n");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvc_users);

/**
 * pvc_debugfs_init() - make the directory and its files
 *
 * Description: The module works without them: failure is not reported.
 *
 * Context: process, may sleep.
 */
void pvc_debugfs_init(void)
{
	pvc_debugfs_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("backend", 0400, pvc_debugfs_dir, NULL,
			    &pvc_backend_fops);
	debugfs_create_file("capture", 0400, pvc_debugfs_dir, NULL,
			    &pvc_capture_fops);
	debugfs_create_file("sockets", 0400, pvc_debugfs_dir, NULL,
			    &pvc_sockets_fops);
	debugfs_create_file("users", 0400, pvc_debugfs_dir, NULL,
			    &pvc_users_fops);
}

/**
 * pvc_debugfs_exit() - remove the directory and its files
 *
 * Context: process, may sleep.
 */
void pvc_debugfs_exit(void)
{
	debugfs_remove(pvc_debugfs_dir);
}
