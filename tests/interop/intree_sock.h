/* SPDX-License-Identifier: GPL-2.0 */
#ifndef INTREE_SOCK_H
#define INTREE_SOCK_H

/* Registers the in-tree frontend's xenbus driver */
int intree_front_init(void);

#endif /* INTREE_SOCK_H */
