/* SPDX-License-Identifier: GPL-2.0 */
/* The xenbus driver: devices and their states. */
#ifndef PVCALLS_BACK_XENBUS_H
#define PVCALLS_BACK_XENBUS_H

int pvcalls_xenbus_register(void);
void pvcalls_xenbus_unregister(void);

#endif /* PVCALLS_BACK_XENBUS_H */
