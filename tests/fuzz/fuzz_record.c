// SPDX-License-Identifier: GPL-2.0
/*
 * Records of datagrams, from the bytes of a ring and from those of a program.
 * Whatever is in the ring, nobody reads beyond what was copied, and what is
 * taken can be said again. What a program sends and one side writes, the other
 * side takes, and both mean the same by it: length, address, control data.
 */
#include "conn/addr.h"
#include "guest/addr.h"
#include "input.h"
#include "pvcalls_ctl.h"

/* Control messages that the ring carries, and two that it does not */
static const int kinds[8][2] = {
	{ SOL_IP, IP_PKTINFO }, { SOL_IP, IP_TTL }, { SOL_IP, IP_TOS },
	{ SOL_IPV6, IPV6_PKTINFO }, { SOL_IPV6, IPV6_HOPLIMIT },
	{ SOL_IPV6, IPV6_TCLASS }, { SOL_SOCKET, SCM_RIGHTS },
	{ SOL_IP, IP_OPTIONS },
};

void peer_look(const volatile void *p, size_t len)
{
	(void)p;
	(void)len;
}

/* A control message as the kernel's put_cmsg() makes it */
static void put(struct msghdr *msg, int level, int type, u32 len,
		const u8 *data)
{
	struct cmsghdr *cmsg;

	cmsg = (void *)((u8 *)msg->msg_control + msg->msg_controllen);
	cmsg->cmsg_level = level;
	cmsg->cmsg_type = type;
	cmsg->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(cmsg), data, len);
	msg->msg_controllen += CMSG_SPACE(len);
}

/*
 * Reads control data. Returns how much of it makes sense, with @msg in the
 * kernel's form: what the backend sends, and a program is given.
 */
static u32 read_control(const u8 *from, u32 len, struct msghdr *msg)
{
	u8 *copy = exact(from, len), *data;
	struct pvcalls_ctl ctl;
	u32 at = 0, was = 0;

	msg->msg_controllen = 0;
	while ((data = pvcalls_ctl_next(copy, len, &at, &ctl))) {
		MUST(at > was && at <= len && at % 8 == 0);
		MUST(data == copy + was + sizeof(ctl));
		MUST(data + ctl.len <= copy + at);
		MUST(pvcalls_ctl_fits(ctl.level, ctl.type, ctl.len));
		if (pvcalls_ctl_pktinfo(ctl.level, ctl.type)) {
			pvcalls_ctl_set_ifindex(ctl.level, data, 7);
			MUST(pvcalls_ctl_ifindex(ctl.level, data) == 7);
			pvcalls_ctl_set_ifindex(ctl.level, data, 0);
		}
		MUST(msg->msg_controllen + CMSG_SPACE(ctl.len) <=
		     PVCALLS_MAX_CMSGS);
		put(msg, ctl.level, ctl.type, ctl.len, data);
		was = at;
	}
	MUST(at == was);
	free(copy);
	return at;
}

/* What goes to the other side: no interface's number, and nobody's old bytes */
static void fit_to_go(u8 *ctl, u32 len)
{
	struct pvcalls_ctl one;
	u32 at = 0, i;
	u8 *data;

	while ((data = pvcalls_ctl_next(ctl, len, &at, &one))) {
		for (i = one.len; data + i < ctl + at; i++)
			MUST(!data[i]);
		if (pvcalls_ctl_pktinfo(one.level, one.type))
			MUST(!pvcalls_ctl_ifindex(one.level, data));
	}
}

/* Control messages that the ring carries make control data that says the same */
static void say_again(struct msghdr *msg, u32 len)
{
	u8 cmsgs[PVCALLS_MAX_CMSGS] __attribute__((aligned(8))) = {};
	struct msghdr again = { .msg_control = cmsgs };
	u8 *ctl = malloc(PVCALLS_MAX_CTL);
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg)
		MUST(pvcalls_ctl_valid(cmsg));
	MUST(ctl && pvcalls_ctl_pack(msg, ctl) == len);
	fit_to_go(ctl, len);
	MUST(read_control(ctl, len, &again) == len);
	MUST(again.msg_controllen == msg->msg_controllen);
	MUST(!memcmp(cmsgs, msg->msg_control, msg->msg_controllen));
	free(ctl);
}

/* One side reads what is in the ring */
static void read_record(const u8 *ring, u32 avail, u32 last)
{
	u8 cmsgs[PVCALLS_MAX_CMSGS] __attribute__((aligned(8))) = {};
	struct msghdr msg = { .msg_control = cmsgs };
	struct pvcalls_dgram hdr;
	u64 size;
	bool good;

	if (avail < sizeof(hdr))
		return;
	memcpy(&hdr, ring, sizeof(hdr));
	size = sizeof(hdr) + (u64)hdr.ctl_len + ((u64)hdr.len + 7) / 8 * 8;
	good = hdr.type <= last && hdr.len <= PVCALLS_MAX_DGRAM &&
	       hdr.ctl_len <= PVCALLS_MAX_CTL && !(hdr.ctl_len % 8) &&
	       size <= avail;
	MUST(pvcalls_record_size(&hdr, last, avail) == (good ? size : 0));
	if (good)
		say_again(&msg, read_control(ring + sizeof(hdr), hdr.ctl_len,
					     &msg));
}

/* Control data of which most makes sense, up to a length where it may not end */
static void any_control(u8 *to, u32 len)
{
	struct pvcalls_ctl ctl;
	u32 at, how;

	for (at = 0; at + sizeof(ctl) <= len; at += PVCALLS_CTL_SIZE(ctl.len)) {
		how = take_u8();
		ctl.level = kinds[how % 8][0];
		ctl.type = kinds[how % 8][1];
		ctl.len = pvcalls_ctl_room(ctl.level, ctl.type);
		if (how & 8)
			ctl.len = how & 16 ? take_u32() : how >> 5;
		memcpy(to + at, &ctl, sizeof(ctl));
		ctl.len = min_t(u32, ctl.len, PVCALLS_MAX_CTL);
	}
}

/* The ring has what the input says, and then bytes that nobody looks at */
static void any_record(void)
{
	u32 avail = take_u32() % (2 * PVCALLS_MAX_DGRAM), how = take_u8();
	u8 cmsgs[PVCALLS_MAX_CMSGS] __attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = cmsgs };
	size_t room = min_t(u32, avail, sizeof(struct pvcalls_record));
	struct pvcalls_record rec;
	u8 *ring;

	take(&rec, sizeof(rec));
	if (how & 1)
		rec.hdr.type %= 3;
	if (how & 2)
		rec.hdr.ctl_len = how / 16 * 8;
	if (how & 4)
		rec.hdr.len %= PVCALLS_MAX_DGRAM + 16;
	if (how & 8)
		any_control(rec.ctl, sizeof(rec.ctl));
	/* a reader that has not looked at the length is told what is there */
	read_control(rec.ctl, avail % (PVCALLS_MAX_CTL + 1), &msg);
	ring = exact(&rec, room);
	read_record(ring, avail, PVCALLS_DGRAM_DATA);
	read_record(ring, avail, PVCALLS_DGRAM_ERROR);
	free(ring);
}

/* What a program says: any bytes, or messages that make some sense */
static u32 any_cmsgs(u8 *to, u32 size, bool tidy)
{
	struct msghdr msg = { .msg_control = to };
	u32 n, how, len;
	u8 data[32];

	if (!tidy) {
		n = take_u8() * 2;
		take(to, n);
		return n;
	}
	for (n = take_u8() % 10; n; n--) {
		how = take_u8();
		len = pvcalls_ctl_room(kinds[how % 8][0], kinds[how % 8][1]);
		if (how & 8 || !len)
			len = take_u8() % sizeof(data);
		if (msg.msg_controllen + CMSG_SPACE(len) > size)
			break;
		take(data, sizeof(data));
		put(&msg, kinds[how % 8][0], kinds[how % 8][1], len, data);
	}
	return msg.msg_controllen;
}

/* As the frontend asks before it sends */
static bool may_send(struct msghdr *msg)
{
	struct cmsghdr *cmsg;

	for_each_cmsghdr(cmsg, msg)
		if (!CMSG_OK(msg, cmsg) || !pvcalls_ctl_valid(cmsg))
			return false;
	return true;
}

/* The messages of @all that the ring carries, in their order, as many as fit */
static void same_control(struct msghdr *all, struct msghdr *got)
{
	struct cmsghdr *from, *to = CMSG_FIRSTHDR(got);
	u32 size = 0, len;

	for_each_cmsghdr(from, all) {
		len = from->cmsg_len - CMSG_LEN(0);
		if (!pvcalls_ctl_room(from->cmsg_level, from->cmsg_type) ||
		    size + PVCALLS_CTL_SIZE(len) > PVCALLS_MAX_CTL)
			continue;
		size += PVCALLS_CTL_SIZE(len);
		MUST(to && to->cmsg_level == from->cmsg_level);
		MUST(to->cmsg_type == from->cmsg_type);
		MUST(to->cmsg_len == from->cmsg_len);
		if (pvcalls_ctl_pktinfo(to->cmsg_level, to->cmsg_type))
			pvcalls_ctl_set_ifindex(from->cmsg_level,
						CMSG_DATA(from), 0);
		MUST(!memcmp(CMSG_DATA(to), CMSG_DATA(from), len));
		to = CMSG_NXTHDR(got, to);
	}
	MUST(!to);
}

/* An address from a program, in the form of a socket of some family */
static void any_address(struct pvc_addr *a)
{
	struct sock sk = { .sk_protocol = IPPROTO_UDP };
	struct sockaddr_in6 sa;
	u32 how = take_u8();

	take(&sa, sizeof(sa));
	sk.sk_family = how & 1 ? AF_INET6 : AF_INET;
	sa.sin6_family = how & 2 ? AF_INET6 : AF_INET;
	if (how & 4)
		memcpy(&sa.sin6_addr, "\0\0\0\0\0\0\0\0\0\0\377\377", 12);
	memset(a, 0, sizeof(*a));
	if (pvc_addr_from_user(&sk, (void *)&sa, sizeof(sa), false, a))
		a->len = 0;
	else if (how & 8)
		MUST(!pvc_addr_to_family(a, AF_INET6));
}

/* What the frontend has written, the backend reads */
static void read_by_backend(const struct pvcalls_record *rec,
			    const struct pvc_addr *a, struct msghdr *said)
{
	u8 cmsgs[PVCALLS_MAX_CMSGS] __attribute__((aligned(8))) = {};
	u32 size = pvcalls_dgram_size(&rec->hdr);
	struct msghdr msg = { .msg_control = cmsgs };
	struct sockaddr_storage addr;

	MUST(size % 8 == 0);
	MUST(pvcalls_record_size(&rec->hdr, PVCALLS_DGRAM_DATA, size) == size);
	MUST(!pvcalls_record_size(&rec->hdr, PVCALLS_DGRAM_DATA, size - 1));
	MUST(read_control(rec->ctl, rec->hdr.ctl_len, &msg) ==
	     rec->hdr.ctl_len);
	same_control(said, &msg);
	if (!a->len)
		return;
	MUST(pvcalls_addr_take(rec->hdr.addr, rec->hdr.addr_len, true,
			       &addr) == (int)a->len);
	MUST(!memcmp(&addr, a->raw, a->len));
}

/* What the backend has written, the frontend reads */
static void read_by_frontend(const struct pvcalls_record *rec,
			     const struct pvc_addr *a)
{
	struct pvcalls_rsp_name name = { .len = rec->hdr.addr_len };
	struct sock sk = { .sk_family = AF_INET6 };
	struct sockaddr_in6 told, meant;
	struct pvc_addr got;

	MUST(pvcalls_record_size(&rec->hdr, PVCALLS_DGRAM_ERROR,
				 PVCALLS_MAX_DGRAM + 1000));
	memcpy(name.addr, rec->hdr.addr, sizeof(name.addr));
	pvc_addr_from_rsp(&name, &got);
	MUST(!got.len == !a->len);
	MUST(pvc_addr_to_user(&sk, &got, (void *)&told) == sizeof(told));
	MUST(pvc_addr_to_user(&sk, a, (void *)&meant) == sizeof(meant));
	MUST(told.sin6_port == meant.sin6_port && !told.sin6_scope_id);
	/* IPv4's unspecified address is told as that of IPv6 */
	if (pvc_addr_is_any(&got))
		MUST(IN6_IS_ADDR_UNSPECIFIED(&told.sin6_addr));
	else
		MUST(!memcmp(&told.sin6_addr, &meant.sin6_addr,
			     sizeof(told.sin6_addr)));
}

/* A datagram that a program sends */
static void any_datagram(bool tidy)
{
	static u8 cmsgs[512 + sizeof(struct cmsghdr)]
		__attribute__((aligned(8)));
	struct msghdr msg = { .msg_control = cmsgs };
	struct pvcalls_record rec = {};
	struct pvc_addr a;
	u8 *ctl;

	memset(cmsgs, 0, sizeof(cmsgs));
	any_address(&a);
	rec.hdr.len = take_u32() % (PVCALLS_MAX_DGRAM + 1);
	msg.msg_controllen = any_cmsgs(cmsgs, 512, tidy);
	if (!may_send(&msg))
		return;
	ctl = malloc(PVCALLS_MAX_CTL);
	MUST(ctl);
	rec.hdr.ctl_len = pvcalls_ctl_pack(&msg, ctl);
	MUST(rec.hdr.ctl_len <= PVCALLS_MAX_CTL);
	memcpy(rec.ctl, ctl, rec.hdr.ctl_len);
	fit_to_go(ctl, rec.hdr.ctl_len);
	free(ctl);
	rec.hdr.addr_len = a.len;
	memcpy(rec.hdr.addr, a.raw, sizeof(rec.hdr.addr));
	read_by_backend(&rec, &a, &msg);
	read_by_frontend(&rec, &a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 how;

	input = data;
	left = size;
	how = take_u8();
	if (how % 3)
		any_datagram(how % 3 == 1);
	else
		any_record();
	return 0;
}
