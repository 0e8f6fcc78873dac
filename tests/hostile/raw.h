/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PV Calls by hand, for programs that play one side of the protocol and lie.
 * Layouts are written down here once more, from the specification, so that a
 * mistake in the modules' headers is not repeated by their tests.
 */
#ifndef HOSTILE_RAW_H
#define HOSTILE_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef int32_t s32;
typedef uint64_t u64;

/* For Xen's headers */
typedef u16 domid_t;
typedef u32 grant_ref_t;

#define PAGE		4096U
#define SLOTS		32U	/* of the command ring */

/* ---- commands ---- */

enum {
	CMD_SOCKET,
	CMD_CONNECT,
	CMD_RELEASE,
	CMD_BIND,
	CMD_LISTEN,
	CMD_ACCEPT,
	CMD_POLL,
	CMD_SHUTDOWN	= 0x100,
	CMD_GETNAME	= 0x101,
	CMD_DEFERRED	= 0x102,
	CMD_SETSOCKOPT	= 0x103,
	CMD_FORGET	= 0x104,
	CMD_GETSOCKOPT	= 0x105,
};

#define ENOTSUP_WIRE	524

struct raw_req {
	u32 req_id;
	u32 cmd;
	union {
		u64 id;
		struct {
			u64 id;
			u32 domain, type, protocol;
		} socket;
		struct {
			u64 id;
			u8 addr[28];
			u32 len, flags, ref, evtchn;
		} connect;
		struct {
			u64 id;
			u8 reuse, flags;
		} release;
		struct {
			u64 id;
			u8 addr[28];
			u32 len;
		} bind;
		struct {
			u64 id;
			u32 backlog;
		} listen;
		struct {
			u64 id, id_new;
			u32 ref, evtchn;
		} accept;
		struct {
			u64 id;
			u32 how;
		} shutdown;
		struct {
			u64 pad;
			u32 count, ref[11];
		} forget;
		struct {
			u64 id;
			u32 count, pad;
			struct raw_opt {
				u16 level, name;
				s32 value;
			} opt[5];
		} setsockopt;
		struct {
			u64 id;
			u16 level, name;
			u32 offset;
		} getsockopt;
		u8 raw[56];
	} u;
};

struct raw_rsp {
	u32 req_id;
	u32 cmd;
	s32 ret;
	u32 pad;
	union {
		u64 id;
		struct {
			u64 id;
			u8 addr[28];
			u32 len;
		} name;
		struct {
			u32 req_id, cmd;
			s32 ret;
			u32 len;
			u8 addr[28];
		} deferred;
		u8 raw[48];
	} u;
};

struct raw_sring {
	u32 req_prod, req_event, rsp_prod, rsp_event;
	u8 pad[48];
	union {
		struct raw_req req;
		struct raw_rsp rsp;
	} slot[SLOTS];
};

/* ---- data rings ---- */

struct raw_intf {
	u32 in_cons, in_prod;
	s32 in_error;
	u32 in_data_wake, in_space_wake;
	u8 pad1[44];
	u32 out_cons, out_prod;
	s32 out_error;
	u32 out_data_wake, out_space_wake;
	u8 pad2[44];
	u32 ring_order;
	u32 ref[(PAGE - 132) / 4];
};

#define MAX_ORDER	9

_Static_assert(sizeof(struct raw_req) == 64, "request");
_Static_assert(sizeof(struct raw_rsp) == 64, "response");
_Static_assert(offsetof(struct raw_req, u.connect.evtchn) == 56, "connect");
_Static_assert(offsetof(struct raw_sring, slot) == 64, "command ring");
_Static_assert(offsetof(struct raw_intf, out_cons) == 64, "indexes");
_Static_assert(offsetof(struct raw_intf, ring_order) == 128, "ring order");
_Static_assert(sizeof(struct raw_intf) == PAGE, "indexes page");

/* Shared memory, read and written as it is, now */
#define GET(x)		(*(volatile __typeof__(x) *)&(x))
#define SET(x, v)	(*(volatile __typeof__(x) *)&(x) = (v))
#define mb()		__atomic_thread_fence(__ATOMIC_SEQ_CST)

/* ---- xenbus states ---- */

enum {
	ST_UNKNOWN,
	ST_INITIALISING,
	ST_INIT_WAIT,
	ST_INITIALISED,
	ST_CONNECTED,
	ST_CLOSING,
	ST_CLOSED,
};

/* ---- raw.c: verdicts and time ---- */

/* Ends the process, and with it the case, as failed */
__attribute__((format(printf, 1, 2)))
noreturn void fail(const char *format, ...);

#define expect(condition, ...) do {		\
		if (!(condition))		\
			fail(__VA_ARGS__);	\
	} while (0)

/* @what and @number are for the verdict */
void want_zero(const void *p, u32 len, const char *what, u32 number);

u64 now_ms(void);
void sleep_ms(unsigned int ms);

/* ---- raw.c: xenstore, over /dev/xen/xenbus ---- */

#define XS_VALUE	512

/* Length of the value, or -errno */
__attribute__((format(printf, 2, 3)))
int xs_get(char value[XS_VALUE], const char *format, ...);
/* 0 or -errno */
int xs_put(const char *path, const char *value);
int xs_remove(const char *path);
/* Names in a directory, each with a terminating 0; their length in all */
int xs_names(char names[PAGE], const char *path);
/* A number; @missing if there is none */
long xs_number(const char *path, long missing);

/* ---- raw.c: event channels ---- */

int evt_open(void);
/* Ports or -errno */
int evt_unbound(int fd, u32 domid);
int evt_interdomain(int fd, u32 domid, u32 port);
void evt_unbind(int fd, u32 port);
void evt_notify(int fd, u32 port);
/* Whether an event came; those that came are taken and unmasked */
bool evt_wait(int fd, unsigned int ms);

/* ---- case.c: tables of cases ---- */

/**
 * struct hcase - a case
 * @name: for the command line
 * @run: returns if the case passed, else calls fail()
 * @seconds: that it may take
 * @flags: CASE_*
 * @data: for @run, in case_now->data
 */
struct hcase {
	const char *name;
	void (*run)(void);
	unsigned int seconds;
	unsigned int flags;
	const void *data;
};

extern const struct hcase *case_now;

/* Only run when asked for by name */
#define CASE_NAMED	1
/* Nothing works any more afterwards: no check after it */
#define CASE_LAST	2

/*
 * Runs what the arguments ask for: --list, --case NAME ..., nothing for all.
 * After each case @after runs, as a case of its own would.
 */
int cases_main(const struct hcase *cases, unsigned int count,
	       void (*after)(void), char **args);

#endif /* HOSTILE_RAW_H */
