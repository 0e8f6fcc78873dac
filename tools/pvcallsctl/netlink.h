/* SPDX-License-Identifier: GPL-2.0 */
/* What the backend says by its generic netlink family, and what is set there. */
#ifndef PVCALLSCTL_NETLINK_H
#define PVCALLSCTL_NETLINK_H

#include <stdbool.h>
#include <stdint.h>

struct mnl_socket;
struct nlattr;
struct nlmsghdr;
struct table;

int netlink_guests(struct table *t);
int netlink_policy_show(uint32_t domid, bool json);
int netlink_policy_set(uint32_t domid, const char *rules);

struct mnl_socket *netlink_join(const char *name, int size);
bool netlink_is_end(const struct nlmsghdr *nlh);
void netlink_attributes(const struct nlmsghdr *nlh, const struct nlattr **a,
			unsigned int max);
uint32_t netlink_u32(const struct nlattr *attr);
uint64_t netlink_u64(const struct nlattr *attr);
int netlink_failed(const char *what);

/* For their tests */
int netlink_guest(const struct nlmsghdr *nlh, void *table);
int netlink_policy(const struct nlmsghdr *nlh, void *json);
uint32_t netlink_policy_request(struct nlmsghdr *nlh, uint32_t domid,
				const char *rules);
void netlink_complain(const struct nlmsghdr *nlh, uint32_t first,
		      const char *rules);

#endif /* PVCALLSCTL_NETLINK_H */
