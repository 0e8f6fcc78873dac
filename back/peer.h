/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's identity, for all code that talks to the guest or logs about it. */
#ifndef PVCALLS_BACK_PEER_H
#define PVCALLS_BACK_PEER_H

#include <linux/bitops.h>
#include <linux/printk.h>
#include <linux/ratelimit.h>
#include <linux/types.h>

#include <xen/interface/xen.h>

#include "pvcalls_ext.h"

struct pvcalls_account;
struct xenbus_device;

/**
 * struct pvcalls_peer - the other end of a connection
 * @domid: the guest
 * @dev: xenbus device, through which grants are mapped and event channels are
 *	bound. The device must not be used once the connection has ended
 * @account: what the guest has of what all guests share
 * @features: extensions in force, bits of enum pvcalls_feature
 * @warnings: limits the messages about the guest. The state belongs to the
 *	device: a state of the connection would be reset whenever the guest
 *	connects anew
 */
struct pvcalls_peer {
	domid_t domid;
	struct xenbus_device *dev;
	struct pvcalls_account *account;
	unsigned long features;
	struct ratelimit_state *warnings;
};

/**
 * pvcalls_peer_warn() - write one line to the log that names the guest
 * @peer: the guest
 * @fmt: format as of printk(), with a newline
 * @...: arguments of @fmt
 *
 * Context: any.
 */
#define pvcalls_peer_warn(peer, fmt, ...) do { \
	const struct pvcalls_peer *__peer = (peer); \
	\
	if (__ratelimit(__peer->warnings)) \
		pr_warn("dom%u: " fmt, __peer->domid, ##__VA_ARGS__); \
} while (0)

/**
 * pvcalls_peer_has() - is an extension in force?
 * @peer: the guest
 * @f: the extension
 *
 * Context: any.
 * Return: true if both sides have offered the extension.
 */
static inline bool pvcalls_peer_has(const struct pvcalls_peer *peer,
				    enum pvcalls_feature f)
{
	return test_bit(f, &peer->features);
}

#endif /* PVCALLS_BACK_PEER_H */
