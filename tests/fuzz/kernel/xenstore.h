/* SPDX-License-Identifier: GPL-2.0 */
/* Xenstore as drivers see it; the target has the nodes. */
#ifndef FUZZ_KERNEL_XENSTORE_H
#define FUZZ_KERNEL_XENSTORE_H

#include "kernel.h"

struct xenbus_device {
	const char *nodename;
	const char *otherend;
	int otherend_id;
};

struct xenbus_transaction {
	u32 id;
};

#define XBT_NIL			((struct xenbus_transaction) { 0 })

void *xenbus_read(struct xenbus_transaction t, const char *dir,
		  const char *node, unsigned int *len);
int xenbus_scanf(struct xenbus_transaction t, const char *dir,
		 const char *node, const char *fmt, unsigned int *value);
int xenbus_gather(struct xenbus_transaction t, const char *dir,
		  const char *node, const char *fmt, unsigned int *value,
		  void *end);
unsigned int xenbus_read_unsigned(const char *dir, const char *node,
				  unsigned int dflt);
int xenbus_write(struct xenbus_transaction t, const char *dir,
		 const char *node, const char *value);
int xenbus_printf(struct xenbus_transaction t, const char *dir,
		  const char *node, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
int xenbus_rm(struct xenbus_transaction t, const char *dir, const char *node);
int xenbus_transaction_start(struct xenbus_transaction *t);
int xenbus_transaction_end(struct xenbus_transaction t, int cancel);

#define xenbus_dev_error(dev, err, ...)	((void)(dev), pr_err(__VA_ARGS__))

bool ipv6_mod_enabled(void);
int kstrtou32(const char *s, unsigned int base, u32 *value);

#endif /* FUZZ_KERNEL_XENSTORE_H */
