// SPDX-License-Identifier: GPL-2.0
/* Kernel sockets that TCP still needs; orphan.h says why they are kept. */
#include <linux/jiffies.h>
#include <linux/list.h>
#include <linux/net.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <net/sock.h>
#include <net/tcp_states.h>

#include "account/ledger.h"
#include "peer.h"
#include "sock/orphan.h"

/*
 * Least time between two looks that are made because a charge has failed, and
 * how many orphans such a look is at: a worker makes it, and others wait.
 */
#define PVCALLS_ORPHAN_PAUSE	(HZ / 10)
#define PVCALLS_ORPHAN_LOOK	1024

/* So many of the oldest are looked at when another one comes. */
#define PVCALLS_ORPHAN_STEP	2

/* The looks at all orphans come as often, too, while each ends so many. */
#define PVCALLS_ORPHAN_MANY	64

/**
 * struct pvcalls_orphan - a kernel socket that is closed here
 * @list: entry in the list of all orphans
 * @sk: the kernel socket, with a reference
 * @account: who pays, with a reference
 * @held: what is charged
 */
struct pvcalls_orphan {
	struct list_head list;
	struct sock *sk;
	struct pvcalls_account *account;
	struct pvcalls_use held;
};

static void pvcalls_orphans_look(struct work_struct *work);

/* Guards the list, and pvcalls_orphans_next; taken in process context only */
static DEFINE_SPINLOCK(pvcalls_orphans_lock);
static LIST_HEAD(pvcalls_orphans);
static DECLARE_DELAYED_WORK(pvcalls_orphans_work, pvcalls_orphans_look);
/* When the next look may be made because a charge has failed, in jiffies */
static unsigned long pvcalls_orphans_next;

/* Give back all that a kernel socket was charged. */
static void pvcalls_orphan_uncharge(struct pvcalls_account *account,
				    const struct pvcalls_use *held)
{
	int i;

	for (i = 0; i < PVCALLS_KINDS; i++)
		if (held->of[i])
			pvcalls_account_uncharge(account, i, held->of[i]);
}

static void pvcalls_orphan_end(struct pvcalls_orphan *orphan)
{
	sock_put(orphan->sk);
	pvcalls_orphan_uncharge(orphan->account, &orphan->held);
	pvcalls_account_put(orphan->account);
	kfree(orphan);
}

/*
 * Of @most orphans, 0 for any number, end those that TCP has done with, or @all.
 * The others go to the end of the list. Two looks at a time do no harm: each
 * orphan is in the hands of one of them. Where many end at a time the next look
 * is soon, since guests with many short connections need what these have.
 */
static void pvcalls_orphans_reap(unsigned int most, bool all)
{
	struct pvcalls_orphan *orphan, *next;
	unsigned int ended = 0;
	LIST_HEAD(stay);
	LIST_HEAD(look);

	spin_lock(&pvcalls_orphans_lock);
	if (!most)
		list_splice_init(&pvcalls_orphans, &look);
	for (; most && !list_empty(&pvcalls_orphans); most--)
		list_move_tail(pvcalls_orphans.next, &look);
	spin_unlock(&pvcalls_orphans_lock);

	list_for_each_entry_safe(orphan, next, &look, list) {
		list_del(&orphan->list);
		if (all || READ_ONCE(orphan->sk->sk_state) == TCP_CLOSE) {
			pvcalls_orphan_end(orphan);
			ended++;
		} else {
			list_add_tail(&orphan->list, &stay);
		}
		cond_resched();
	}

	spin_lock(&pvcalls_orphans_lock);
	list_splice_tail(&stay, &pvcalls_orphans);
	if (!list_empty(&pvcalls_orphans))
		schedule_delayed_work(&pvcalls_orphans_work,
				      ended < PVCALLS_ORPHAN_MANY ?
				      HZ : PVCALLS_ORPHAN_PAUSE);
	spin_unlock(&pvcalls_orphans_lock);
}

static void pvcalls_orphans_look(struct work_struct *work)
{
	pvcalls_orphans_reap(0, false);
}

/**
 * pvcalls_orphans_stop() - forget all orphans
 *
 * Description: TCP ends them without us. No socket may be closed any more.
 *
 * Context: process, sleeps.
 */
void pvcalls_orphans_stop(void)
{
	cancel_delayed_work_sync(&pvcalls_orphans_work);
	pvcalls_orphans_reap(0, true);
}

/**
 * pvcalls_orphan_new() - get the memory for an orphan
 *
 * Description: A socket is closed without allocating anything, so this is for
 * when it is made.
 *
 * Context: process, may sleep.
 * Return: memory for pvcalls_orphan_leave(), or NULL.
 */
struct pvcalls_orphan *pvcalls_orphan_new(void)
{
	return kzalloc(sizeof(struct pvcalls_orphan), GFP_KERNEL);
}

/**
 * pvcalls_orphan_free() - undo pvcalls_orphan_new()
 * @orphan: the memory, which pvcalls_orphan_leave() did not get; or NULL
 *
 * Context: process.
 */
void pvcalls_orphan_free(struct pvcalls_orphan *orphan)
{
	kfree(orphan);
}

/**
 * pvcalls_orphan_leave() - close a kernel socket
 * @orphan: memory from pvcalls_orphan_new(), which is freed
 * @sock: the kernel socket, which nobody else uses any more
 * @account: who pays for the kernel socket; the caller has a reference
 * @held: what the kernel socket is charged, which is given back when the
 *	network has done with the socket
 *
 * Context: process, may sleep, but not for the network.
 */
void pvcalls_orphan_leave(struct pvcalls_orphan *orphan, struct socket *sock,
			  struct pvcalls_account *account,
			  const struct pvcalls_use *held)
{
	struct sock *sk = sock->sk;

	sock_hold(sk);
	sock_release(sock);
	pvcalls_account_hold(account);
	orphan->sk = sk;
	orphan->account = account;
	orphan->held = *held;
	/* datagram sockets end when they are closed, whatever their state is */
	if (sk->sk_type != SOCK_STREAM ||
	    READ_ONCE(sk->sk_state) == TCP_CLOSE) {
		pvcalls_orphan_end(orphan);
		return;
	}
	spin_lock(&pvcalls_orphans_lock);
	if (list_empty(&pvcalls_orphans))
		schedule_delayed_work(&pvcalls_orphans_work, HZ);
	list_add_tail(&orphan->list, &pvcalls_orphans);
	spin_unlock(&pvcalls_orphans_lock);
	/* short connections use memory again while it is warm */
	pvcalls_orphans_reap(PVCALLS_ORPHAN_STEP, false);
}

/* May a look be made because a charge has failed? */
static bool pvcalls_orphans_may_look(void)
{
	bool may;

	spin_lock(&pvcalls_orphans_lock);
	may = time_after_eq(jiffies, pvcalls_orphans_next);
	if (may)
		pvcalls_orphans_next = jiffies + PVCALLS_ORPHAN_PAUSE;
	spin_unlock(&pvcalls_orphans_lock);
	return may;
}

/**
 * pvcalls_orphan_charge() - charge what orphans may have
 * @peer: the guest
 * @kind: what
 * @n: amount, 1 or more
 *
 * Description: As pvcalls_account_charge(), but looks first whether some of the
 * orphans have ended, if the guest may not have so much otherwise.
 *
 * Context: process, may sleep, but not for the network.
 * Return: 0, or an error number for the guest.
 */
int pvcalls_orphan_charge(const struct pvcalls_peer *peer,
			  enum pvcalls_kind kind, long n)
{
	if (pvcalls_account_try(peer->account, kind, n))
		return 0;
	if (pvcalls_orphans_may_look())
		pvcalls_orphans_reap(PVCALLS_ORPHAN_LOOK, false);
	return pvcalls_account_charge(peer, kind, n);
}
