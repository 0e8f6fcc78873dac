/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Parts of the kernel that are given a socket through netlink, sysfs or a
 * device. Each function returns 0 or a negative error; what it has opened is
 * in cast_held, what it has started cast_undo() ends.
 */
#ifndef PV_CASTNET_H
#define PV_CASTNET_H

#include "netlink.h"
#include "subject.h"

/* after the C library's own names for addresses */
#include <linux/if_link.h>
#include <linux/if_pppox.h>
#include <linux/inet_diag.h>
#include <linux/l2tp.h>
#include <linux/nbd-netlink.h>
#include <linux/nbd.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <sys/mount.h>

static int cast_held[8], cast_nr_held;
static void (*cast_undo)(void);

static inline int hold(int fd)
{
	if (fd >= 0 && cast_nr_held < 8)
		cast_held[cast_nr_held++] = fd;
	return fd;
}

/* -errno, or 0 once all is written */
static inline long put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);
	long ret;

	if (fd < 0)
		return -errno;
	ret = RC(write(fd, text, strlen(text)));
	close(fd);
	return ret < 0 ? ret : 0;
}

/* ---- L2TP ---- */

static inline long cast_pppox(const struct subject *s)
{
	struct sockaddr_pppol2tp a = {
		.sa_family = AF_PPPOX, .sa_protocol = PX_PROTO_OL2TP,
	};
	int fd = hold(socket(AF_PPPOX, SOCK_DGRAM, PX_PROTO_OL2TP));

	if (fd < 0)
		return -errno;
	a.pppol2tp.fd = s->fd;
	a.pppol2tp.addr = at(LOCAL, 1701);
	a.pppol2tp.s_tunnel = getpid() & 0xffff;
	a.pppol2tp.d_tunnel = 1;
	return RC(connect(fd, (void *)&a, sizeof(a)));
}

static inline long l2tp_cmd(int cmd, const struct subject *s, int encap)
{
	int family = genl_family(L2TP_GENL_NAME);
	struct nl nl;

	if (family < 0)
		return family;
	genl_begin(&nl, family, cmd, L2TP_GENL_VERSION);
	nl_put_u32(&nl, L2TP_ATTR_CONN_ID, getpid());
	if (s) {
		nl_put_u32(&nl, L2TP_ATTR_PEER_CONN_ID, 1);
		nl_put_u8(&nl, L2TP_ATTR_PROTO_VERSION, 3);
		nl_put_u16(&nl, L2TP_ATTR_ENCAP_TYPE, encap);
		nl_put_u32(&nl, L2TP_ATTR_FD, s->fd);
	}
	return nl_call(&nl, NETLINK_GENERIC);
}

static inline void l2tp_undo(void)
{
	l2tp_cmd(L2TP_CMD_TUNNEL_DELETE, NULL, 0);
}

static inline long cast_l2tp_udp(const struct subject *s)
{
	cast_undo = l2tp_undo;
	return l2tp_cmd(L2TP_CMD_TUNNEL_CREATE, s, L2TP_ENCAPTYPE_UDP);
}

static inline long cast_l2tp_ip(const struct subject *s)
{
	cast_undo = l2tp_undo;
	return l2tp_cmd(L2TP_CMD_TUNNEL_CREATE, s, L2TP_ENCAPTYPE_IP);
}

/* ---- GTP ---- */

static inline long gtp_cmd(int type, int flags, int fd)
{
	struct nlattr *info, *data;
	struct nl nl;

	nl_begin(&nl, type, flags, &(struct ifinfomsg){},
		 sizeof(struct ifinfomsg));
	nl_put(&nl, IFLA_IFNAME, "pvgtp", 6);
	if (fd >= 0) {
		info = nl_nest(&nl, IFLA_LINKINFO);
		nl_put(&nl, IFLA_INFO_KIND, "gtp", 4);
		data = nl_nest(&nl, IFLA_INFO_DATA);
		nl_put_u32(&nl, IFLA_GTP_FD1, fd);
		nl_put_u32(&nl, IFLA_GTP_PDP_HASHSIZE, 16);
		nl_nest_end(&nl, data);
		nl_nest_end(&nl, info);
	}
	return nl_call(&nl, NETLINK_ROUTE);
}

static inline void gtp_undo(void)
{
	gtp_cmd(RTM_DELLINK, 0, -1);
}

static inline long cast_gtp(const struct subject *s)
{
	cast_undo = gtp_undo;
	return gtp_cmd(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, s->fd);
}

/* ---- NBD ---- */

static inline long nbd_cmd(int cmd, int fd)
{
	int family = genl_family(NBD_GENL_FAMILY_NAME);
	struct nlattr *list, *item;
	uint64_t size = 1 << 20;
	struct nl nl;

	if (family < 0)
		return family;
	genl_begin(&nl, family, cmd, NBD_GENL_VERSION);
	nl_put_u32(&nl, NBD_ATTR_INDEX, 0);
	if (fd >= 0) {
		nl_put(&nl, NBD_ATTR_SIZE_BYTES, &size, sizeof(size));
		list = nl_nest(&nl, NBD_ATTR_SOCKETS);
		item = nl_nest(&nl, NBD_SOCK_ITEM);
		nl_put_u32(&nl, NBD_SOCK_FD, fd);
		nl_nest_end(&nl, item);
		nl_nest_end(&nl, list);
	}
	return nl_call(&nl, NETLINK_GENERIC);
}

static inline void nbd_undo(void)
{
	nbd_cmd(NBD_CMD_DISCONNECT, -1);
}

static inline long cast_nbd(const struct subject *s)
{
	cast_undo = nbd_undo;
	return nbd_cmd(NBD_CMD_CONNECT, s->fd);
}

static inline long cast_nbd_ioctl(const struct subject *s)
{
	int fd = open("/dev/nbd1", O_RDWR);
	long ret;

	if (fd < 0)
		return -errno;
	ret = RC(ioctl(fd, NBD_SET_SOCK, s->fd));
	ioctl(fd, NBD_CLEAR_SOCK);
	close(fd);
	return ret;
}

/* ---- NFS ---- */

#define NFSD	"/proc/fs/nfsd"

static inline void nfsd_undo(void)
{
	put_text(NFSD "/threads", "0\n");
}

/* Only version 4: the others want a portmapper. */
static inline long cast_nfsd(const struct subject *s)
{
	char text[20];

	if (access(NFSD "/portlist", F_OK) &&
	    mount("nfsd", NFSD, "nfsd", 0, NULL))
		return -errno;
	put_text(NFSD "/versions", "-2\n");
	put_text(NFSD "/versions", "-3\n");
	snprintf(text, sizeof(text), "%d\n", s->fd);
	cast_undo = nfsd_undo;
	return put_text(NFSD "/portlist", text);
}

/* ---- USB over IP ---- */

#define VHCI	"/sys/devices/platform/vhci_hcd.0"

static inline void vhci_undo(void)
{
	put_text(VHCI "/detach", "0");
}

static inline long cast_vhci(const struct subject *s)
{
	char text[40];

	snprintf(text, sizeof(text), "0 %d 65538 2", s->fd);
	cast_undo = vhci_undo;
	return put_text(VHCI "/attach", text);
}

/* ---- iSCSI: include/scsi/iscsi_if.h is not for programs ---- */

enum {
	ISCSI_CREATE_SESSION = 11, ISCSI_DESTROY_SESSION,
	ISCSI_CREATE_CONN, ISCSI_DESTROY_CONN, ISCSI_BIND_CONN,
	ISCSI_STOP_CONN = 18,
};

struct iscsi_event {
	uint32_t type, error;
	uint64_t transport;
	uint32_t in[6];
	uint32_t out[4];
};

static uint32_t iscsi_session;

static inline long iscsi_cmd(struct iscsi_event *ev)
{
	char text[40] = "";
	int fd = open("/sys/class/iscsi_transport/tcp/handle", O_RDONLY);
	struct nl nl;
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -ENODATA;
	ev->transport = strtoull(text, NULL, 0);
	nl_begin(&nl, ev->type, 0, ev, sizeof(*ev));
	nl.h.nlmsg_flags = NLM_F_REQUEST;
	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ISCSI);
	if (fd < 0)
		return -errno;
	n = RC(send(fd, &nl, nl.h.nlmsg_len, 0));
	if (n > 0)
		n = RC(recv(fd, &nl, sizeof(nl), 0));
	close(fd);
	if (n < (ssize_t)(NLMSG_HDRLEN + sizeof(*ev)))
		return n < 0 ? n : -EPROTO;
	memcpy(ev, NLMSG_DATA(&nl.h), sizeof(*ev));
	return (int32_t)ev->error;
}

/*
 * As iscsid does it: Linux 6.1 puts the socket once too often if a connection
 * is destroyed that was not stopped.
 */
static inline void iscsi_undo(void)
{
	struct iscsi_event stop = {
		.type = ISCSI_STOP_CONN, .in = { iscsi_session, 0, 0, 0, 1 },
	};
	struct iscsi_event conn = {
		.type = ISCSI_DESTROY_CONN, .in = { iscsi_session },
	};
	struct iscsi_event session = {
		.type = ISCSI_DESTROY_SESSION, .in = { iscsi_session },
	};

	iscsi_cmd(&stop);
	iscsi_cmd(&conn);
	iscsi_cmd(&session);
}

static inline long cast_iscsi(const struct subject *s)
{
	struct iscsi_event session = {
		.type = ISCSI_CREATE_SESSION, .in = { 0, 32 << 16 | 128 },
	};
	struct iscsi_event conn = { .type = ISCSI_CREATE_CONN };
	struct iscsi_event bind = { .type = ISCSI_BIND_CONN };
	long ret = iscsi_cmd(&session);

	if (ret)
		return ret;
	iscsi_session = session.out[0];
	cast_undo = iscsi_undo;
	conn.in[0] = iscsi_session;
	ret = iscsi_cmd(&conn);
	if (ret)
		return ret;
	bind.in[0] = iscsi_session;
	bind.in[2] = s->fd;
	bind.in[4] = 1;
	ret = iscsi_cmd(&bind);
	return ret ? ret : (int32_t)bind.out[0];
}

/* ---- who looks at sockets, and ends them ---- */

static inline long diag(int type, int flags, const struct subject *s)
{
	struct inet_diag_req_v2 req = {
		.sdiag_family = s->family,
		.sdiag_protocol = IS_UDP(s->state) ? IPPROTO_UDP : IPPROTO_TCP,
		.idiag_ext = 0xff,
		.idiag_states = -1,
		.id.idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE },
	};
	struct sockaddr_in6 name = {}, peer_name = {};
	socklen_t len = sizeof(name);
	struct nl nl;

	getsockname(s->fd, (void *)&name, &len);
	len = sizeof(peer_name);
	getpeername(s->fd, (void *)&peer_name, &len);
	req.id.idiag_sport = name.sin6_port;
	req.id.idiag_dport = peer_name.sin6_port;
	if (s->family == AF_INET) {
		memcpy(req.id.idiag_src, (char *)&name + 4, 4);
		memcpy(req.id.idiag_dst, (char *)&peer_name + 4, 4);
	} else {
		memcpy(req.id.idiag_src, &name.sin6_addr, 16);
		memcpy(req.id.idiag_dst, &peer_name.sin6_addr, 16);
	}
	nl_begin(&nl, type, flags, &req, sizeof(req));
	return nl_call(&nl, NETLINK_SOCK_DIAG);
}

static inline long cast_destroy(const struct subject *s)
{
	return diag(SOCK_DESTROY, 0, s);
}

/* All that lists sockets: netlink by one and all, /proc */
static inline long cast_list(const struct subject *s)
{
	static const char * const files[] = {
		"/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp",
		"/proc/net/udp6", "/proc/net/sockstat", "/proc/net/icmp",
	};
	struct inet_diag_req_v2 req = {
		.sdiag_family = s->family,
		.sdiag_protocol = IS_UDP(s->state) ? IPPROTO_UDP : IPPROTO_TCP,
		.idiag_ext = 0xff, .idiag_states = -1,
	};
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
	char buf[8192];
	struct nl nl;
	size_t i;

	diag(SOCK_DIAG_BY_FAMILY, 0, s);
	nl_begin(&nl, SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &req, sizeof(req));
	send(fd, &nl, nl.h.nlmsg_len, 0);
	while (recv(fd, &nl, sizeof(nl), 0) > 0)
		if (nl.h.nlmsg_type == NLMSG_DONE ||
		    nl.h.nlmsg_type == NLMSG_ERROR)
			break;
	close(fd);
	for (i = 0; i < ARRAY_SIZE(files); i++) {
		fd = open(files[i], O_RDONLY);
		while (fd >= 0 && read(fd, buf, sizeof(buf)) > 0)
			;
		close(fd);
	}
	return 0;
}

#endif /* PV_CASTNET_H */
