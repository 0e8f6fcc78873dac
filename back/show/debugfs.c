// SPDX-License-Identifier: GPL-2.0
/*
 * See debug.h.
 *
 * What a worker is changing meanwhile is read without a lock: a line may be
 * out of date by the time it is printed. Nothing is read from shared pages.
 * Each line is a list of names, each with its value: see pvcallsctl.
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

static void pvcalls_debug_flag(struct seq_file *s, bool set, const char *name)
{
	if (set)
		seq_printf(s, ",%s", name);
}

static void pvcalls_debug_sock(struct seq_file *s, struct pvcalls_sock *ps,
			       domid_t domid)
{
	const struct pvcalls_active *a = &ps->active;

	seq_printf(s, "socket %#llx domid %u state %s worker %u irq %d ring %u in %u out %u lost-in %u lost-out %u by-reference %lu copied %lu flags %#lx",
		   ps->id, domid, pvcalls_state_names[READ_ONCE(ps->state)],
		   pvcalls_work_index(&ps->work), READ_ONCE(a->irq),
		   a->in.size, pvcalls_debug_queued(&a->in),
		   pvcalls_debug_queued(&a->out), READ_ONCE(a->lost_in),
		   READ_ONCE(a->lost_out), READ_ONCE(a->zerocopy.by_ref),
		   READ_ONCE(a->zerocopy.copied), READ_ONCE(ps->flags));
	pvcalls_debug_flag(s, a->in_waiting, "in-waiting");
	pvcalls_debug_flag(s, a->in_done, "in-done");
	pvcalls_debug_flag(s, a->out_blocked, "out-blocked");
	pvcalls_debug_flag(s, a->out_done, "out-done");
	pvcalls_debug_flag(s, a->stop, "stop");
	pvcalls_debug_flag(s, test_bit(PVCALLS_WORK_QUEUED, &ps->work.state),
			   "queued");
	seq_putc(s, '\n');
}

static void pvcalls_debug_fe(struct pvcalls_fe *fe, void *arg)
{
	struct pvcalls_sock *ps;

	spin_lock(&fe->sock_lock);
	list_for_each_entry(ps, &fe->sock_list, list)
		pvcalls_debug_sock(arg, ps, fe->domid);
	spin_unlock(&fe->sock_lock);
}

static void pvcalls_debug_guest(struct pvcalls_fe *fe, void *arg)
{
	seq_printf(arg, "guest %u sockets %d pages %d deferred %u denied %ld mark %#x extensions %#lx flags %#lx\n",
		   fe->domid, atomic_read(&fe->live), atomic_read(&fe->pages),
		   READ_ONCE(fe->nr_deferred), atomic_long_read(&fe->denied),
		   fe->mark, fe->features, READ_ONCE(fe->flags));
}

static int pvcalls_guests_show(struct seq_file *s, void *unused)
{
	pvcalls_fe_for_each(pvcalls_debug_guest, s);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_guests);

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

	seq_printf(s, "worker %u cpu %u node %d works %d passes %llu runs %llu bytes %llu moved %llu soft %llu sleeps %llu polls %llu hits %llu polled %llu window %u\n",
		   w->index, w->cpu, w->node, atomic_read(&w->load),
		   READ_ONCE(st->passes), READ_ONCE(st->runs),
		   READ_ONCE(st->bytes), READ_ONCE(st->moved),
		   READ_ONCE(st->soft), READ_ONCE(st->sleeps),
		   READ_ONCE(st->polls), READ_ONCE(st->hits),
		   READ_ONCE(st->polled), READ_ONCE(w->poll));
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
	debugfs_create_file("guests", 0400, pvcalls_debug_dir, NULL,
			    &pvcalls_guests_fops);
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
