// SPDX-License-Identifier: GPL-2.0
/* See back.h: an honest backend, with one lie at most. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "back.h"

#define EXIT_NONSENSE	3	/* victim.c */
#define EXIT_TRANSPORT	255	/* of what runs commands in the guest */

static struct bconn *find(struct be *be, u64 id)
{
	unsigned int i;

	for (i = 0; i < CONNS; i++)
		if (be->conns[i].used && be->conns[i].id == id)
			return &be->conns[i];
	return NULL;
}

static void put_name(struct be *be, const struct raw_req *req)
{
	static const u8 addr[] = { 2, 0, 7003 >> 8, 7003 & 0xff, 10, 0, 0, 1 };
	struct raw_rsp *rsp = be_slot(be);

	rsp->req_id = req->req_id;
	rsp->cmd = req->cmd;
	rsp->u.name.id = req->u.id;
	memcpy(rsp->u.name.addr, addr, sizeof(addr));
	rsp->u.name.len = 16;
	be_push(be);
}

/* Everything succeeds at once; who listens is connected to at once. */
void be_honest(struct be *be, const struct raw_req *req)
{
	struct bconn *c;

	switch (req->cmd) {
	case CMD_CONNECT:
		if (be_map(be, req->u.id, req->u.connect.ref,
			   req->u.connect.evtchn))
			put_name(be, req);
		else
			be_answer(be, req, -EFAULT);
		break;
	case CMD_ACCEPT:
		if (be_map(be, req->u.accept.id_new, req->u.accept.ref,
			   req->u.accept.evtchn))
			put_name(be, req);
		else
			be_answer(be, req, -EFAULT);
		break;
	case CMD_RELEASE:
		c = find(be, req->u.id);
		if (c)
			be_unmap(be, c);
		be_answer(be, req, 0);
		break;
	case CMD_SOCKET:
	case CMD_LISTEN:
	case CMD_POLL:
	case CMD_SHUTDOWN:
		be_answer(be, req, 0);
		break;
	case CMD_BIND:
	case CMD_GETNAME:
		put_name(be, req);
		break;
	case CMD_DEFERRED:
		be->deferred[be->nr_deferred++ % SLOTS] = req->req_id;
		break;
	default:
		be_answer(be, req, -ENOTSUP_WIRE);
		break;
	}
}

u32 conn_put(struct be *be, struct bconn *c, const void *data, u32 len)
{
	u32 cons = GET(c->intf->in_cons), room, i;

	mb();
	expect(c->in_prod - cons <= c->size, "in_cons makes no sense");
	room = c->size - (c->in_prod - cons);
	if (len > room)
		len = room;
	for (i = 0; i < len; i++)
		c->in[(c->in_prod + i) % c->size] = ((const u8 *)data)[i];
	mb();
	c->in_prod += len;
	SET(c->intf->in_prod, c->in_prod);
	mb();
	if (len)
		evt_notify(be->evt, c->port);
	return len;
}

void conn_echo(struct be *be, struct bconn *c)
{
	u32 prod = GET(c->intf->out_prod), n, i;
	u8 buf[4096];

	mb();
	expect(prod - c->out_cons <= c->size, "out_prod makes no sense");
	while (prod != c->out_cons) {
		n = prod - c->out_cons;
		if (n > sizeof(buf))
			n = sizeof(buf);
		for (i = 0; i < n; i++)
			buf[i] = c->out[(c->out_cons + i) % c->size];
		n = conn_put(be, c, buf, n);
		if (!n)
			break;
		c->out_cons += n;
		SET(c->intf->out_cons, c->out_cons);
		mb();
		evt_notify(be->evt, c->port);
	}
}

/* Starts the program in the guest. It is killed there if it takes too long. */
static pid_t start_victim(const char *args, unsigned int seconds, int *out)
{
	char command[512];
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		fail("pipe: %m");
	snprintf(command, sizeof(command), "%s 'timeout -s TERM %u %s %s'",
		 guest_run, seconds, guest_victim, args);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		fail("fork: %m");
	if (!pid) {
		dup2(fds[1], 1);
		dup2(fds[1], 2);
		close(fds[0]);
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(EXIT_TRANSPORT);
	}
	close(fds[1]);
	*out = fds[0];
	return pid;
}

static unsigned int outcome(int status)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_TRANSPORT;

	switch (code) {
	case 0:
		return OK;
	case 1:
		return ERR;
	case 124:
	case 128 + SIGTERM:
		return KILLED;
	default:
		return 0;
	}
}

static void turn(struct be *be, const struct lie *lie)
{
	struct raw_req req;
	unsigned int i;

	while (be_next(be, &req))
		if (!lie->request || !lie->request(be, &req))
			be_honest(be, &req);
	for (i = 0; be->sring && i < CONNS; i++) {
		struct bconn *c = &be->conns[i];

		if (!c->used)
			continue;
		if (lie->data)
			lie->data(be, c);
		else
			conn_echo(be, c);
		c->step++;
	}
	if (lie->tick)
		lie->tick(be);
	if (be->sring)
		evt_wait(be->evt, 10);
	else
		sleep_ms(10);
}

/* How long the program may take; if it is to hang it need not do so for long */
static unsigned int victim_seconds(const struct lie *lie)
{
	return lie->allow == KILLED ? 1 : lie->allow & KILLED ? 2 : 20;
}

static bool any_conn(const struct be *be)
{
	unsigned int i;

	for (i = 0; be->sring && i < CONNS; i++)
		if (be->conns[i].used)
			return true;
	return false;
}

static void session(const struct lie *lie)
{
	static struct be be;
	char text[200];
	int out, status;
	ssize_t n;
	pid_t pid;
	u64 end;

	be_close();
	be_offer(lie->features);
	be_connect(&be);
	pid = start_victim(lie->victim, victim_seconds(lie), &out);
	while (!waitpid(pid, &status, WNOHANG))
		turn(&be, lie);
	/* What its end sends, and what comes of it */
	for (end = now_ms() + 300; now_ms() < end && any_conn(&be);)
		turn(&be, lie);

	n = read(out, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = 0;
	text[strcspn(text, "\n")] = 0;
	expect(lie->allow & outcome(status),
	       "the program in the guest %s (exit code %d): %s",
	       outcome(status) == OK ? "saw nothing" :
	       outcome(status) == ERR ? "got an error" :
	       outcome(status) == KILLED ? "hung" : "got nonsense",
	       WEXITSTATUS(status), text);
}

void run_lie(void)
{
	session(LIE);
}

/* After each case: the same frontend serves its programs again. */
void honest(void)
{
	static const struct lie truth = {
		.victim = "echo 20000", .allow = OK,
	};

	session(&truth);
}
