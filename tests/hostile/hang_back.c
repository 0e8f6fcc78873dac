// SPDX-License-Identifier: GPL-2.0
/*
 * A backend that is honest until it hangs: from a signal on it answers nothing,
 * while everything that it has said before stays as it was. Another signal lets
 * it go on. Runs in Dom0, which has no backend driver loaded.
 *
 *   hang_back --offer
 *	as hostile_back does
 *   hang_back GUEST
 *	says "ready" when it is connected; SIGUSR1 makes it hang ("hung"),
 *	SIGUSR2 makes it answer again ("answers"), and SIGTERM closes the device
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"

unsigned int guest;
const char *guest_run, *guest_victim;

static volatile sig_atomic_t hangs, ends;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		hangs = 1;
	else if (sig == SIGUSR2)
		hangs = 0;
	else
		ends = 1;
}

static void serve(struct be *be)
{
	struct raw_req req;
	bool told = false;

	while (!ends) {
		while (!hangs && be_next(be, &req))
			be_honest(be, &req);
		if (hangs != told) {
			told = hangs;
			puts(told ? "hung" : "answers");
			fflush(stdout);
		}
		evt_wait(be->evt, 20);
	}
}

int main(int argc, char **argv)
{
	static struct be be;

	if (argc != 2) {
		fputs("usage: hang_back --offer | GUEST\n", stderr);
		return 2;
	}
	if (!strcmp(argv[1], "--offer"))
		return be_offer_first();
	guest = atoi(argv[1]);
	signal(SIGUSR1, on_signal);
	signal(SIGUSR2, on_signal);
	signal(SIGTERM, on_signal);
	be_close();
	be_offer(0);
	be_connect(&be);
	puts("ready");
	fflush(stdout);
	serve(&be);
	be_vanish(&be);
	be_close();
	return 0;
}
