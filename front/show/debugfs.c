// SPDX-License-Identifier: GPL-2.0
/*
 * See debug.h. Each line is a list of names, each with its value: see
 * pvcallsctl. What is changing meanwhile is read without a lock.
 */
#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "conn.h"
#include "debug.h"

static struct dentry *pvcalls_debug_dir;

static const char * const pvcalls_conn_states[] = {
	[PVC_CONN_OPEN]		= "open",
	[PVC_CONN_CONNECTING]	= "connecting",
	[PVC_CONN_CONNECTED]	= "connected",
	[PVC_CONN_LISTENING]	= "listening",
	[PVC_CONN_FAILED]	= "failed",
};

static void pvc_debug_name(struct seq_file *s, const char *name,
			   const struct pvc_addr *a)
{
	if (a->len)
		seq_printf(s, " %s %pISpc", name, &a->sa);
	else
		seq_printf(s, " %s -", name);
}

static u32 pvc_debug_unread(const struct ringbuf *r)
{
	return READ_ONCE(r->prod) - READ_ONCE(r->cons);
}

static void pvc_debug_conn(struct pvc_conn *c, void *arg)
{
	struct seq_file *s = arg;
	bool dgram = c->open.req.u.socket.type == SOCK_DGRAM;

	seq_printf(s, "socket %#llx type %s state %s", c->id,
		   dgram ? "dgram" : "stream",
		   READ_ONCE(c->closing) ? "closing" :
		   pvcalls_conn_states[READ_ONCE(c->state)]);
	pvc_debug_name(s, "local", &c->local);
	pvc_debug_name(s, "peer", &c->peer);
	seq_printf(s, " ring %u irq %d in %u out %u in-error %d out-error %d queued %u\n",
		   c->ring.in.size, c->ring.irq,
		   pvc_debug_unread(&c->ring.in),
		   pvc_debug_unread(&c->ring.out), READ_ONCE(c->in_err),
		   READ_ONCE(c->out_err), READ_ONCE(c->queued));
}

static int pvcalls_sockets_show(struct seq_file *s, void *unused)
{
	struct pvc_dev *dev = pvc_dev_get();

	if (!dev)
		return 0;
	pvc_conn_for_each(dev, pvc_debug_conn, s);
	pvc_dev_put(dev);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_sockets);

static void pvc_debug_count(struct pvc_conn *c, void *n)
{
	++*(unsigned int *)n;
}

static int pvcalls_backend_show(struct seq_file *s, void *unused)
{
	struct pvc_dev *dev = pvc_dev_get();
	unsigned int n = 0;

	if (!dev)
		return 0;
	pvc_conn_for_each(dev, pvc_debug_count, &n);
	seq_printf(s, "backend %u sockets %u extensions %#lx ring-order %u command-slots %u\n",
		   dev->otherend, n, dev->features, dev->max_order,
		   RING_SIZE(&dev->ring));
	pvc_dev_put(dev);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(pvcalls_backend);

/**
 * pvc_debug_init() - make the directory and its files
 *
 * Failure is of no consequence.
 *
 * Context: process, may sleep.
 */
void pvc_debug_init(void)
{
	pvcalls_debug_dir = debugfs_create_dir(KBUILD_MODNAME, NULL);
	debugfs_create_file("backend", 0400, pvcalls_debug_dir, NULL,
			    &pvcalls_backend_fops);
	debugfs_create_file("sockets", 0400, pvcalls_debug_dir, NULL,
			    &pvcalls_sockets_fops);
}

/**
 * pvc_debug_exit() - remove them
 *
 * Context: process, may sleep.
 */
void pvc_debug_exit(void)
{
	debugfs_remove(pvcalls_debug_dir);
}
