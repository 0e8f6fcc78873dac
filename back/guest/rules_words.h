/* SPDX-License-Identifier: GPL-2.0 */
/* Words of a policy's text that are both read and written. */
#ifndef PVCALLS_BACK_RULES_WORDS_H
#define PVCALLS_BACK_RULES_WORDS_H

#include "guest/rules.h"

static const char * const pvcalls_local_names[] = {
	[PVCALLS_LOCAL_NONE]		= "none",
	[PVCALLS_LOCAL_ADDRESSES]	= "addresses",
	[PVCALLS_LOCAL_ALL]		= "all",
};

/* In the order of the bits of enum pvcalls_may */
static const char * const pvcalls_may_names[] = {
	"tcp", "udp", "icmp", "ipv6", "listen",
};

/* In the order of the bits of enum pvcalls_shortcut */
static const char * const pvcalls_shortcut_names[] = {
	"zerocopy", "direct",
};

#define PVCALLS_NR_LOCALS \
	(sizeof(pvcalls_local_names) / sizeof(*pvcalls_local_names))
#define PVCALLS_NR_MAYS \
	(sizeof(pvcalls_may_names) / sizeof(*pvcalls_may_names))
#define PVCALLS_NR_SHORTCUTS \
	(sizeof(pvcalls_shortcut_names) / sizeof(*pvcalls_shortcut_names))

#endif /* PVCALLS_BACK_RULES_WORDS_H */
