// SPDX-License-Identifier: GPL-2.0
/*
 * See debug.h.
 *
 * What a worker is changing meanwhile is read without a lock: a line may be
 * out of date by the time it is printed. Nothing is read from shared pages.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "debug.h"
#include "fe.h"
#include "pool.h"
#include "sock.h"

static struct dentry *pvcalls_debug_dir;

static const char * const pvcalls_state_names[] = {
	[PVCALLS_SS_IDLE]	= "idle",
	[PVCALLS_SS_ACCEPTING]	= "accepting",
	[PVCALLS_SS_CONNECTING]	= "connecting",
	[PVCALLS_SS_CONNECTED]	= "connected",
	[PVCALLS_SS_DRAINING]	= "draining",
	[PVCALLS_SS_LISTENING]	= "listening",
	[PVCALLS_SS_CLOSING]	= "closing",
	[PVCALLS_SS_GONE]	= "gone",
};

static u32 pvcalls_debug_queued(const struct ringbuf *r)
{
	return READ_ONCE(r->prod) - READ_ONCE(r->cons);
}

static void pvcalls_debug_sock(struct seq_file *s, struct pvcalls_sock *ps)
{
	const struct pvcalls_active *a = &ps->active;

	seq_printf(s, "  %016llx %-10s lost %u/%u worker %u irq %d ring %u in %u%s%s out %u%s%s%s by reference %lu copied %lu flags %#lx%s\n",
		   ps->id, pvcalls_state_names[READ_ONCE(ps->state)],
		   READ_ONCE(a->lost_in), READ_ONCE(a->lost_out),
		   pvcalls_work_index(&ps->work), READ_ONCE(a->irq),
		   a->in.size, pvcalls_debug_queued(&a->in),
		   a->in_waiting ? " waiting" : "", a->in_done ? " done" : "",
		   pvcalls_debug_queued(&a->out),
		   a->out_blocked ? " blocked" : "", a->out_done ? " done" : "",
		   a->stop ? " stop" : "", READ_ONCE(a->zerocopy.by_ref),
		   READ_ONCE(a->zerocopy.copied), READ_ONCE(ps->flags),
		   test_bit(PVCALLS_WORK_QUEUED, &ps->work.state) ?
			" queued" : "");
}

static void pvcalls_debug_fe(struct pvcalls_fe *fe, void *arg)
{
	struct seq_file *s = arg;
	struct pvcalls_sock *ps;

	seq_printf(s, "dom%u sockets %d pages %d deferred %u denied %ld extensions %#lx flags %#lx\n",
		   fe->domid, atomic_read(&fe->live), atomic_read(&fe->pages),
		   READ_ONCE(fe->nr_deferred), atomic_long_read(&fe->denied),
		   fe->features, READ_ONCE(fe->flags));
	spin_lock(&fe->sock_lock);
	list_for_each_entry(ps, &fe->sock_list, list)
		pvcalls_debug_sock(s, ps);
	spin_unlock(&fe->sock_lock);
}

static int pvcalls_sockets_show(struct seq_file *s, void *unused)
{
	pvcalls_fe_for_each(pvcalls_debug_fe, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_sockets);

static void pvcalls_debug_worker(struct seq_file *s,
				 const struct pvcalls_worker *w)
{
	const struct pvcalls_worker_stats *st = &w->stats;

	seq_printf(s, "worker %u cpu %u node %d works %d passes %llu runs %llu bytes %llu moved %llu sleeps %llu polls %llu hits %llu polled %llu window %u\n",
		   w->index, w->cpu, w->node, atomic_read(&w->load),
		   READ_ONCE(st->passes), READ_ONCE(st->runs),
		   READ_ONCE(st->bytes), READ_ONCE(st->moved),
		   READ_ONCE(st->sleeps), READ_ONCE(st->polls),
		   READ_ONCE(st->hits), READ_ONCE(st->polled),
		   READ_ONCE(w->poll));
}

static int pvcalls_workers_show(struct seq_file *s, void *unused)
{
	const struct pvcalls_set *set = pvcalls_pool_lock();
	unsigned int i;

	for (i = 0; set && i < set->n; i++)
		pvcalls_debug_worker(s, set->w[i]);
	pvcalls_pool_unlock();
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_workers);

/**
 * pvcalls_debug_start() - make the directory and its files
 *
 * May sleep. Failure is of no consequence.
 */
void pvcalls_debug_start(void)
{
	pvcalls_debug_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("sockets", 0400, pvcalls_debug_dir, NULL,
			    &pvcalls_sockets_fops);
	debugfs_create_file("workers", 0400, pvcalls_debug_dir, NULL,
			    &pvcalls_workers_fops);
}

/**
 * pvcalls_debug_stop() - remove them
 *
 * May sleep.
 */
void pvcalls_debug_stop(void)
{
	debugfs_remove(pvcalls_debug_dir);
}
