// SPDX-License-Identifier: GPL-2.0
/*
 * Files in debugfs; debugfs.h says where they are.
 *
 * The files show data that workers change meanwhile. The data are read without
 * locks, so a line may be out of date when it is printed. Nothing is read from
 * shared pages, because guests could change what is shown. Each line is a list
 * of names with their values, which pvcallsctl reads.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "account/ledger.h"
#include "show/debugfs.h"
#include "guest/guest.h"
#include "guest/policy.h"
#include "sched/pool.h"
#include "sched/worker.h"
#include "sock/sock.h"

static struct dentry *pvcalls_debugfs_dir;

static const char * const pvcalls_state_names[] = {
	[PVCALLS_SS_IDLE]	= "idle",
	[PVCALLS_SS_ACCEPTING]	= "accepting",
	[PVCALLS_SS_CONNECTING]	= "connecting",
	[PVCALLS_SS_CONNECTED]	= "connected",
	[PVCALLS_SS_DRAINING]	= "draining",
	[PVCALLS_SS_RESETTING]	= "draining",
	[PVCALLS_SS_LISTENING]	= "listening",
	[PVCALLS_SS_CLOSING]	= "closing",
	[PVCALLS_SS_GONE]	= "gone",
};

static u32 pvcalls_debugfs_queued(const struct ringbuf *r)
{
	return READ_ONCE(r->prod) - READ_ONCE(r->cons);
}

static void pvcalls_debugfs_flag(struct seq_file *s, bool set, const char *name)
{
	if (set)
		seq_printf(s, ",%s", name);
}

static void pvcalls_debugfs_sock(struct pvcalls_sock *ps, void *arg)
{
	const struct pvcalls_conn *c = &ps->conn;
	enum pvcalls_out_state out = READ_ONCE(c->out_state);
	enum pvcalls_in_state in = READ_ONCE(c->in_state);
	struct seq_file *s = arg;

	seq_printf(s, "socket %#llx domid %u state %s worker %u irq %d ring %u in %u out %u lost-in %u lost-out %u by-reference %lu copied %lu flags %#lx",
		   ps->id, ps->guest->peer.domid,
		   pvcalls_state_names[READ_ONCE(ps->state)],
		   pvcalls_work_index(&ps->work), READ_ONCE(c->irq),
		   c->in.size, pvcalls_debugfs_queued(&c->in),
		   pvcalls_debugfs_queued(&c->out), READ_ONCE(c->lost_in),
		   READ_ONCE(c->lost_out), READ_ONCE(c->zerocopy.by_ref),
		   READ_ONCE(c->zerocopy.copied), READ_ONCE(ps->flags));
	pvcalls_debugfs_flag(s, in == PVCALLS_IN_WAITING, "in-waiting");
	pvcalls_debugfs_flag(s, in == PVCALLS_IN_DONE, "in-done");
	pvcalls_debugfs_flag(s, pvcalls_out_is_blocked(out), "out-blocked");
	pvcalls_debugfs_flag(s, out == PVCALLS_OUT_DONE, "out-done");
	pvcalls_debugfs_flag(s, pvcalls_out_is_limited(out), "stop");
	pvcalls_debugfs_flag(s, test_bit(PVCALLS_WORK_QUEUED, &ps->work.state),
			     "queued");
	seq_putc(s, '\n');
}

static void pvcalls_debugfs_sockets_of(struct pvcalls_guest *g, void *arg)
{
	pvcalls_socks_for_each(g, pvcalls_debugfs_sock, arg);
}

static void pvcalls_debugfs_guest(struct pvcalls_guest *g, void *arg)
{
	seq_printf(arg, "guest %u sockets %d pages %ld deferred %ld denied %ld delayed %lu mark %#x extensions %#lx flags %#lx\n",
		   g->peer.domid, atomic_read(&g->socks->live),
		   pvcalls_account_has(g->peer.account, PVCALLS_KIND_PAGES),
		   pvcalls_account_has(g->peer.account, PVCALLS_KIND_CALLS),
		   pvcalls_policy_denied(g->policy),
		   pvcalls_policy_delayed(g->policy),
		   g->mark, g->peer.features, READ_ONCE(g->flags));
}

static int pvcalls_guests_show(struct seq_file *s, void *unused)
{
	pvcalls_guest_for_each(pvcalls_debugfs_guest, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_guests);

static int pvcalls_sockets_show(struct seq_file *s, void *unused)
{
	pvcalls_guest_for_each(pvcalls_debugfs_sockets_of, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_sockets);

static void pvcalls_debugfs_statement(struct seq_file *s, const char *who,
				      const struct pvcalls_statement *st)
{
	int i;

	for (i = 0; i < PVCALLS_KINDS; i++)
		seq_printf(s, "guest %s account %s has %ld limit %ld refused %lu\n",
			   who, pvcalls_kind_name(i), st->use.of[i],
			   st->limit[i], st->refused[i]);
}

static int pvcalls_accounts_show(struct seq_file *s, void *unused)
{
	struct pvcalls_statement st;
	int after = -1;
	char who[8];

	while (pvcalls_ledger_next(after, &st)) {
		after = st.domid;
		snprintf(who, sizeof(who), "%u", st.domid);
		pvcalls_debugfs_statement(s, who, &st);
	}
	pvcalls_ledger_all(&st);
	pvcalls_debugfs_statement(s, "all", &st);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_accounts);

static void pvcalls_debugfs_worker(struct seq_file *s,
				   const struct pvcalls_worker *w)
{
	const struct pvcalls_worker_stats *st = &w->stats;

	seq_printf(s, "worker %u cpu %u node %d works %d passes %llu runs %llu bytes %llu moved %llu soft %llu sleeps %llu polls %llu hits %llu polled %llu window %u\n",
		   w->index, w->cpu, READ_ONCE(w->node), atomic_read(&w->load),
		   READ_ONCE(st->rounds), READ_ONCE(st->runs),
		   READ_ONCE(st->bytes), READ_ONCE(st->moved),
		   READ_ONCE(st->fast), READ_ONCE(st->sleeps),
		   READ_ONCE(st->polls), READ_ONCE(st->hits),
		   READ_ONCE(st->polled), READ_ONCE(w->poll));
}

static int pvcalls_workers_show(struct seq_file *s, void *unused)
{
	const struct pvcalls_pool *pool = pvcalls_pool_lock();
	unsigned int i;

	for (i = 0; pool && i < pool->n; i++)
		pvcalls_debugfs_worker(s, pool->w[i]);
	pvcalls_pool_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_workers);

/**
 * pvcalls_debugfs_start() - create the directory and its files
 *
 * Description: If this fails, the module works without the files.
 *
 * Context: process, may sleep.
 */
void pvcalls_debugfs_start(void)
{
	pvcalls_debugfs_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("guests", 0400, pvcalls_debugfs_dir, NULL,
			    &pvcalls_guests_fops);
	debugfs_create_file("accounts", 0400, pvcalls_debugfs_dir, NULL,
			    &pvcalls_accounts_fops);
	debugfs_create_file("sockets", 0400, pvcalls_debugfs_dir, NULL,
			    &pvcalls_sockets_fops);
	debugfs_create_file("workers", 0400, pvcalls_debugfs_dir, NULL,
			    &pvcalls_workers_fops);
}

/**
 * pvcalls_debugfs_stop() - remove the directory and its files
 *
 * Context: process, may sleep.
 */
void pvcalls_debugfs_stop(void)
{
	debugfs_remove(pvcalls_debugfs_dir);
}
