// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses: those of a guest's requests, those that a program gives, and those
 * of a backend's responses. Whatever the length says, nobody reads beyond the
 * field. What is taken is asked about as what it is, whatever form it has, and
 * both modules call the same addresses loopback. What the frontend sends the
 * backend takes, and hands back as the same.
 */
#include "conn/addr.h"
#include "guest/addr.h"
#include "guest/rules.h"
#include "input.h"

static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

void peer_look(const volatile void *p, size_t len)
{
	(void)p;
	(void)len;
}

/* Bytes of an address, of which some kinds are worth more tries */
static void any_bytes(u8 *to)
{
	u32 how = take_u8();

	take(to, 16);
	if (how & 1)
		memcpy(to, mapped, sizeof(mapped));
	else if (how & 2)
		memset(to, 0, 15);
	if (how & 4)
		to[how & 1 ? 12 : 0] = how & 1 ? 127 : 0xfe;
}

/* What the rules are asked is what the C library says of the address */
static void asked(const struct sockaddr_storage *addr,
		  const struct pvcalls_target *t)
{
	const struct sockaddr_in6 *v6 = (const void *)addr;
	const struct sockaddr_in *v4 = (const void *)addr;
	const u8 *bytes = v6->sin6_addr.s6_addr;
	bool is_v4 = addr->ss_family == AF_INET;
	enum pvcalls_at at = PVCALLS_AT_FAR;

	MUST(t->port == ntohs(v4->sin_port));
	if (is_v4)
		bytes = (const u8 *)&v4->sin_addr;
	else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		bytes += 12;
	if (is_v4 || IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		MUST(t->length == 32 && !memcmp(t->addr, bytes, 4));
		if (*bytes == 127)
			at = PVCALLS_AT_LOOPBACK;
		else if (!*bytes)
			at = PVCALLS_AT_ANY;
	} else {
		MUST(t->length == 128 && !memcmp(t->addr, bytes, 16));
		if (IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr))
			at = PVCALLS_AT_LOOPBACK;
		else if (IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
			at = PVCALLS_AT_ANY;
		else if (IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr))
			at = PVCALLS_AT_LINK;
	}
	if (!is_v4 && v6->sin6_scope_id)
		at = PVCALLS_AT_LINK;
	MUST(t->at == at);
}

/* The unspecified address gets the name that Linux connects it to */
static void named(struct sockaddr_storage addr, struct pvcalls_target t)
{
	sa_family_t family = addr.ss_family;
	u16 port = t.port;
	u32 length = t.length;

	if (t.at != PVCALLS_AT_ANY)
		return;
	pvcalls_addr_name(&addr, &t);
	asked(&addr, &t);
	MUST(addr.ss_family == family && t.port == port);
	MUST(t.at == PVCALLS_AT_LOOPBACK && t.length == length);
}

/* A request of a guest that writes what it likes */
static void any_request(void)
{
	struct sockaddr_storage addr, again;
	struct pvcalls_target t = {};
	u8 field[PVCALLS_ADDR_LEN], *copy;
	u32 how = take_u8(), len, have;
	sa_family_t family;
	bool v6 = how & 1;
	int ret;

	len = how & 2 ? take_u32() : take_u8() % 64;
	take(field, 8);
	any_bytes(field + 8);
	take(field + 24, 4);
	if (how & 4) {
		family = how & 8 ? AF_INET : AF_INET6;
		memcpy(field, &family, sizeof(family));
	}
	have = min_t(u32, len, sizeof(field));
	copy = exact(field, have);
	memset(&addr, 0x5a, sizeof(addr));
	ret = pvcalls_addr_take(copy, len, v6, &addr);
	free(copy);
	if (len < sizeof(family) || len > sizeof(field)) {
		MUST(ret == -EINVAL);
		return;
	}
	memcpy(&family, field, sizeof(family));
	if (family != AF_INET && !(family == AF_INET6 && v6)) {
		MUST(ret == -EAFNOSUPPORT);
		return;
	}
	have = family == AF_INET ? sizeof(struct sockaddr_in) :
				   sizeof(struct sockaddr_in6);
	MUST(ret == (len < have ? -EINVAL : (int)have));
	if (ret < 0)
		return;
	memset(&again, 0, sizeof(again));
	memcpy(&again, field, len);
	MUST(!memcmp(&addr, &again, sizeof(addr)));
	pvcalls_addr_target(&addr, &t);
	asked(&addr, &t);
	named(addr, t);
}

/* Sends an address to the backend. Both call it the same. */
static void sent(const struct pvc_addr *a)
{
	struct sockaddr_storage addr;
	struct pvcalls_target t = {};

	MUST(pvcalls_addr_take(a->raw, a->len, true, &addr) == (int)a->len);
	MUST(!memcmp(&addr, a->raw, a->len));
	pvcalls_addr_target(&addr, &t);
	asked(&addr, &t);
	MUST(t.port == ntohs(pvc_addr_port(a)));
	if (IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr) &&
	    a->sa.sa_family == AF_INET6)
		return;
	MUST((t.at == PVCALLS_AT_LOOPBACK) == pvc_addr_is_loopback(a));
	MUST(t.at != PVCALLS_AT_LINK || pvc_addr_is_link_local(a));
	MUST(t.at == PVCALLS_AT_ANY || !pvc_addr_is_any(a));
}

/* What an address says that no program gets to see in another form */
static void tidy(const struct pvc_addr *a)
{
	MUST(a->len == (a->sa.sa_family == AF_INET ? sizeof(a->in) :
						     sizeof(a->in6)));
	MUST(a->sa.sa_family == AF_INET || a->sa.sa_family == AF_INET6);
	if (a->sa.sa_family == AF_INET6) {
		MUST(!IN6_IS_ADDR_V4MAPPED(&a->in6.sin6_addr));
		MUST(!a->in6.sin6_scope_id);
	}
}

/* The key by which ports are held has the port, and the address or none */
static void keyed(const struct pvc_addr *a)
{
	static const u8 none[PVC_PORT_ADDR_LEN];
	struct pvc_port_key key;

	memset(&key, 0x5a, sizeof(key));
	pvc_addr_to_key(a, &key);
	MUST(key.port == pvc_addr_port(a));
	MUST(key.family == (key.port && !pvc_addr_is_any(a) ?
			    a->sa.sa_family : 0));
	if (!key.family)
		MUST(!memcmp(key.addr, none, sizeof(none)));
	else if (key.family == AF_INET)
		MUST(!memcmp(key.addr, &a->in.sin_addr, 4) &&
		     !memcmp(key.addr + 4, none, 12));
	else
		MUST(!memcmp(key.addr, &a->in6.sin6_addr, 16));
}

/* The backend answers with an address, of a family that its socket has */
static void answer(struct pvc_addr a, const struct pvc_addr *meant, int family)
{
	struct pvcalls_rsp_name name = {};
	struct pvc_addr got;

	if (pvc_addr_to_family(&a, family))
		return;
	name.len = a.len;
	memcpy(name.addr, a.raw, sizeof(name.addr));
	pvc_addr_from_rsp(&name, &got);
	MUST(got.len == meant->len);
	if (meant->sa.sa_family == AF_INET)
		MUST(!memcmp(got.raw, meant->raw, offsetof(struct sockaddr_in,
							   sin_zero)));
	else
		MUST(!memcmp(got.raw, meant->raw, meant->len));
}

/* A program gives an address, of @len bytes that may be too few */
static void any_program(void)
{
	struct sock sk = { .sk_protocol = IPPROTO_UDP };
	struct sockaddr_in6 sa = {}, told, *copy;
	u32 how = take_u8(), len;
	bool bind = how & 1;
	struct pvc_addr a, b;

	sk.sk_family = how & 2 ? AF_INET6 : AF_INET;
	sk.sk_ipv6only = (how & 4) && sk.sk_family == AF_INET6;
	if (how & 8)
		sk.sk_protocol = IPPROTO_TCP;
	len = how & 16 ? sizeof(sa) : take_u8() % (sizeof(sa) + 1);
	take(&sa, 8);
	any_bytes(sa.sin6_addr.s6_addr);
	take(&sa.sin6_scope_id, 4);
	if (how & 32)
		sa.sin6_family = how & 64 ? AF_INET6 : AF_INET;
	/* the socket layer has copied as much into a larger place */
	copy = exact(&sa, sizeof(sa));
	memset(&a, 0x5a, sizeof(a));
	if (pvc_addr_from_user(&sk, (void *)copy, len, bind, &a)) {
		free(copy);
		return;
	}
	free(copy);
	MUST(len >= (sk.sk_family == AF_INET || sa.sin6_family == AF_INET ?
		     sizeof(struct sockaddr_in) : SIN6_LEN_RFC2133));
	tidy(&a);
	MUST(sk.sk_family == AF_INET6 || a.sa.sa_family == AF_INET);
	keyed(&a);
	sent(&a);
	answer(a, &a, AF_INET);
	answer(a, &a, AF_INET6);
	b = a;
	if (!pvc_addr_to_family(&b, AF_INET6))
		sent(&b);
	/* what a program is told is what it has given */
	MUST(pvc_addr_to_user(&sk, &a, (void *)&told) ==
	     (sk.sk_family == AF_INET ? sizeof(struct sockaddr_in) :
					sizeof(struct sockaddr_in6)));
	MUST(told.sin6_family == sk.sk_family);
	sk.sk_ipv6only = false;
	MUST(!pvc_addr_from_user(&sk, (void *)&told, sizeof(told), bind, &b));
	MUST(pvc_addr_port(&a) == pvc_addr_port(&b));
	MUST(pvc_addr_is_any(&a) == pvc_addr_is_any(&b));
	if (!pvc_addr_is_any(&a))
		MUST(a.sa.sa_family == b.sa.sa_family);
}

/* A response of a backend that writes what it likes */
static void any_response(void)
{
	struct sock sk = { .sk_family = AF_INET };
	struct pvcalls_rsp_name name;
	struct sockaddr_in6 told;
	u32 how = take_u8();
	struct pvc_addr a;

	take(&name, sizeof(name));
	any_bytes(name.addr + 8);
	if (how & 1)
		name.len = how & 2 ? sizeof(struct sockaddr_in) :
				     sizeof(struct sockaddr_in6);
	if (how & 4)
		memcpy(name.addr, how & 8 ? "\2\0" : "\12\0", 2);
	memset(&a, 0x5a, sizeof(a));
	pvc_addr_from_rsp(&name, &a);
	if (a.len) {
		MUST(name.len <= PVCALLS_ADDR_LEN && name.len >= a.len);
		tidy(&a);
		keyed(&a);
		sent(&a);
	} else {
		MUST(!pvc_addr_port(&a));
	}
	memset(&told, 0x5a, sizeof(told));
	MUST(pvc_addr_to_user(&sk, &a, (void *)&told) ==
	     sizeof(struct sockaddr_in));
	MUST(told.sin6_family == AF_INET);
	sk.sk_family = AF_INET6;
	MUST(pvc_addr_to_user(&sk, &a, (void *)&told) == sizeof(told));
	MUST(told.sin6_family == AF_INET6);
	MUST(told.sin6_port == pvc_addr_port(&a));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 how;

	input = data;
	left = size;
	how = take_u8();
	if (how % 3 == 0)
		any_request();
	else if (how % 3 == 1)
		any_program();
	else
		any_response();
	return 0;
}
