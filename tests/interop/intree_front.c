// SPDX-License-Identifier: GPL-2.0
/*
 * The in-tree frontend, unchanged but for its entry point: that one registers
 * a xenbus driver, and intree_sock.c has to register a socket family beside
 * it, but a module has one init function only.
 */
#include <linux/module.h>

#include "intree_sock.h"

#undef module_init
#define module_init(fn)			\
	int intree_front_init(void)	\
	{				\
		return fn();		\
	}

#include "pvcalls-front.c"
