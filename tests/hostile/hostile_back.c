// SPDX-License-Identifier: GPL-2.0
/*
 * A backend that lies, against a frontend that must not mind. Runs in Dom0,
 * which has no backend driver loaded.
 *
 *   hostile_back --offer
 *	waits for the first pvcalls device of any guest, and says what a
 *	backend says first: the toolstack wants to see that
 *   hostile_back GUEST RUN VICTIM [--list | --case NAME ...]
 *	GUEST is the guest's domain id, RUN the command that runs another one
 *	there, VICTIM the path of tests/hostile/victim in the guest
 *
 * After each case an honest session has to work.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "back.h"

unsigned int guest;
const char *guest_run, *guest_victim;

int main(int argc, char **argv)
{
	static struct hcase all[128];

	if (argc == 2 && !strcmp(argv[1], "--offer"))
		return be_offer_first();
	if (argc < 4) {
		fputs("usage: hostile_back --offer | GUEST RUN VICTIM [CASES]\n",
		      stderr);
		return 2;
	}
	guest = atoi(argv[1]);
	guest_run = argv[2];
	guest_victim = argv[3];
	memcpy(all, lie_cases, lie_count * sizeof(*all));
	memcpy(all + lie_count, data_cases, data_count * sizeof(*all));
	memcpy(all + lie_count + data_count, unused_cases,
	       unused_count * sizeof(*all));
	return cases_main(all, lie_count + data_count + unused_count, honest,
			  argv + 4);
}
