// SPDX-License-Identifier: GPL-2.0
/*
 * The text of a policy. Whatever it is, it is read within its bounds. One that
 * is accepted is written back as a text that means the same; an address is one
 * if the C library says so, and means the same to both.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "guest/rules.h"

#define MUST(condition) do { if (!(condition)) abort(); } while (0)

static struct pvcalls_rules rules, again;

const char *pvcalls_congestion_name(u32 i)
{
	static const char * const names[] = { "reno", NULL, "cubic" };

	return i < sizeof(names) / sizeof(*names) ? names[i] : NULL;
}

static void any_text(const uint8_t *data, size_t size)
{
	static char buf[PVCALLS_POLICY_SIZE];
	u32 at;
	int n;

	n = pvcalls_rules_parse(&rules, (const char *)data, size, &at);
	if (n) {
		MUST(n == -EINVAL || n == -E2BIG);
		MUST(at <= size);
		return;
	}
	n = pvcalls_rules_print(&rules, buf, sizeof(buf));
	MUST(n > 0 && (size_t)n == strlen(buf));
	MUST(!pvcalls_rules_parse(&again, buf, n, &at));
	MUST(!memcmp(&rules, &again, sizeof(rules)));
}

/* An address, with what the C library takes and we do not left out */
static void any_address(const uint8_t *data, size_t size)
{
	char text[64] = "deny connect ", *addr = text + strlen(text);
	struct pvcalls_target t;
	u8 bytes[16];
	u32 at;
	int ok;

	if (size > 45)
		return;
	memcpy(addr, data, size);
	if (strlen(addr) != size || strpbrk(addr, " \t\n;/") ||
	    (strchr(addr, ':') && strchr(addr, '.')) || !strcmp(addr, "any") ||
	    !strcmp(addr, "local") || !strcmp(addr, "tcp") ||
	    !strcmp(addr, "udp") || !strcmp(addr, "icmp") || !size)
		return;
	if (inet_pton(AF_INET, addr, bytes) == 1) {
		pvcalls_target_v4(&t, bytes);
	} else if (inet_pton(AF_INET6, addr, bytes) == 1) {
		pvcalls_target_v6(&t, bytes);
	} else {
		MUST(pvcalls_rules_parse(&rules, text, strlen(text), &at));
		return;
	}
	ok = !pvcalls_rules_parse(&rules, text, strlen(text), &at);
	MUST(ok && rules.nr == 1);
	MUST(rules.rule[0].length == t.length && rules.rule[0].bits == t.length);
	MUST(!memcmp(rules.rule[0].addr, t.addr, 16));
	/* the rule denies this address, and no neighbour */
	t.proto = PVCALLS_MAY_TCP;
	t.port = 80;
	t.at = PVCALLS_AT_FAR;
	MUST(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_ALL, PVCALLS_DOOR_CONNECT,
			       &t) == PVCALLS_DENIED_RULE);
	t.addr[t.length / 8 - 1] ^= 1;
	MUST(pvcalls_rules_ask(&rules, PVCALLS_LOCAL_ALL, PVCALLS_DOOR_CONNECT,
			       &t) == PVCALLS_ALLOWED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	if (*data == '@')
		any_address(data + 1, size - 1);
	else
		any_text(data, size);
	return 0;
}
