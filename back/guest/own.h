/* SPDX-License-Identifier: GPL-2.0 */
/* What this domain has itself: addresses, ports and network namespaces. */
#ifndef PVCALLS_BACK_OWN_H
#define PVCALLS_BACK_OWN_H

#include <linux/types.h>
#include <linux/uidgid.h>

#include <xen/interface/xen.h>

/* Owner of domain 0's sockets; other domains' ids are added */
#define PVCALLS_FIRST_UID	0x70000000

struct net;
struct pvcalls_target;
struct sock;

/**
 * pvcalls_own_uid() - who owns a guest's sockets
 * @domid: the guest
 *
 * Context: any.
 * Return: the owner.
 */
static inline kuid_t pvcalls_own_uid(domid_t domid)
{
	return KUIDT_INIT(PVCALLS_FIRST_UID + domid);
}

bool pvcalls_own_address(const struct sock *sk, const struct pvcalls_target *t);
bool pvcalls_own_port(const struct sock *sk, u16 port);
struct net *pvcalls_own_netns(const char *name);

#endif /* PVCALLS_BACK_OWN_H */
