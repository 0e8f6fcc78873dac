// SPDX-License-Identifier: GPL-2.0
/*
 * Counts the hypercalls in what xentrace -e 0x22b000 has written, a line for
 * each domain and call: "DOMAIN NAME COUNT". Calls within a multicall have
 * "+" before the name. Grant table operations carry their command, and
 * "grants_map" and "grants_unmap" count entries. Ends with 1 if Xen has lost
 * records, because a count without them would be wrong.
 */
#include "common.h"
#include <xen/trace.h>

#define CPUS	64
#define DOMAINS	1024
#define CALLS	64
#define UNKNOWN	(DOMAINS - 1)
#define GRANT	20	/* __HYPERVISOR_grant_table_op */

static const char * const names[CALLS] = {
	[0] = "set_trap_table", [1] = "mmu_update", [3] = "stack_switch",
	[5] = "fpu_taskswitch", [12] = "memory_op", [13] = "multicall",
	[14] = "update_va_mapping", [15] = "set_timer_op", [17] = "xen_version",
	[18] = "console_io", [GRANT] = "grant_table_op", [23] = "iret",
	[24] = "vcpu_op", [25] = "set_segment_base", [26] = "mmuext_op",
	[29] = "sched_op", [32] = "event_channel_op", [33] = "physdev_op",
	[35] = "sysctl", [36] = "domctl",
};

static uint64_t counts[DOMAINS][2][CALLS];
static uint64_t grants[DOMAINS][2][16], entries[DOMAINS][2];
static unsigned int running[CPUS];
static uint64_t lost;

static void hypercall(unsigned int dom, bool sub, const uint32_t *extra, int n)
{
	unsigned int op = extra[0] & ~TRC_PV_HYPERCALL_V2_ARG_MASK, cmd;

	counts[dom][sub][op < CALLS ? op : CALLS - 1]++;
	/* its command and its number of entries are recorded */
	if (op != GRANT || n < 3)
		return;
	cmd = extra[1];
	grants[dom][sub][cmd < 16 ? cmd : 15]++;
	if (cmd < 2)
		entries[dom][cmd] += extra[2];
}

static void record(unsigned int cpu, uint32_t event, const uint32_t *extra, int n)
{
	switch (event) {
	case TRC_LOST_RECORDS:
		lost += extra[0];
		running[cpu] = UNKNOWN;
		break;
	case TRC_SCHED_SWITCH:
		check(n >= 4);
		running[cpu] = extra[2] < UNKNOWN ? extra[2] : UNKNOWN;
		break;
	case TRC_PV_HYPERCALL_V2:
	case TRC_PV_HYPERCALL_SUBCALL:
		check(n >= 1);
		hypercall(running[cpu], event == TRC_PV_HYPERCALL_SUBCALL, extra, n);
		break;
	}
}

static void read_trace(FILE *file)
{
	uint32_t head, extra[TRACE_EXTRA_MAX];
	unsigned int cpu = 0, i;
	uint64_t cycles;

	for (i = 0; i < CPUS; i++)
		running[i] = UNKNOWN;
	while (fread(&head, sizeof(head), 1, file) == 1) {
		unsigned int n = TRC_HD_EXTRA(head);

		if (TRC_HD_INCLUDES_CYCLE_COUNT(head))
			check(fread(&cycles, sizeof(cycles), 1, file) == 1);
		check(fread(extra, sizeof(*extra), n, file) == n);
		if (TRC_HD_TO_EVENT(head) == TRC_TRACE_CPU_CHANGE) {
			cpu = extra[0];
			check(cpu < CPUS);
		} else {
			record(cpu, TRC_HD_TO_EVENT(head), extra, n);
		}
	}
	check(!ferror(file));
}

static void print_domain(unsigned int dom)
{
	static const char * const what[] = { "grants_map", "grants_unmap" };
	uint64_t all = 0;
	int sub, i;

	for (sub = 0; sub < 2; sub++) {
		for (i = 0; i < CALLS; i++) {
			if (!counts[dom][sub][i])
				continue;
			all += sub ? 0 : counts[dom][sub][i];
			printf("%u %s", dom, sub ? "+" : "");
			if (names[i])
				printf("%s", names[i]);
			else
				printf("op%d", i);
			printf(" %llu\n", (unsigned long long)counts[dom][sub][i]);
		}
		for (i = 0; i < 16; i++)
			if (grants[dom][sub][i])
				printf("%u %sgrant_table_op.%d %llu\n", dom, sub ? "+" : "", i,
				       (unsigned long long)grants[dom][sub][i]);
	}
	for (i = 0; i < 2; i++)
		if (entries[dom][i])
			printf("%u %s %llu\n", dom, what[i], (unsigned long long)entries[dom][i]);
	if (all)
		printf("%u all %llu\n", dom, (unsigned long long)all);
}

int main(int argc, char **argv)
{
	FILE *file = argc > 1 ? fopen(argv[1], "r") : stdin;
	unsigned int dom;

	if (!file)
		die("%s", argv[1]);
	read_trace(file);
	for (dom = 0; dom < DOMAINS; dom++)
		print_domain(dom);
	if (lost)
		fail("%llu records are lost", (unsigned long long)lost);
	return 0;
}
