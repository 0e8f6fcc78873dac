// SPDX-License-Identifier: GPL-2.0
/*
 * A QEMU plugin that counts the instructions of every translated block, for
 * `lab run --profile`. With -icount the count is exact and the same in every
 * run. Arguments: control=FIFO. It takes lines: "reset", and "dump FILE", which
 * writes (under another name at first) a line for each block that has run: its virtual address, where it is
 * in the host's memory (which tells blocks of different domains apart), and the
 * number of instructions that were executed in it.
 *
 * Debian has no package with QEMU's header, so the few declarations that are
 * needed are here (QEMU's documentation, "QEMU TCG Plugins", API version 1).
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

enum qemu_plugin_op { QEMU_PLUGIN_INLINE_ADD_U64 };

void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
	void (*cb)(qemu_plugin_id_t id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb,
	enum qemu_plugin_op op, void *ptr, uint64_t imm);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *
qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t idx);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info_t *info,
			int argc, char **argv);

#define EXPORT __attribute__((visibility("default")))

EXPORT int qemu_plugin_version = 1;

struct block {
	struct block *next;
	uint64_t vaddr;
	void *haddr;
	uint64_t insns;
};

#define BUCKETS (1u << 18)

static struct block *blocks[BUCKETS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *control;

/* Blocks are translated more than once, and keep their counter. */
static struct block *find(uint64_t vaddr, void *haddr)
{
	uint64_t key = (vaddr ^ (uintptr_t)haddr) * 0x9e3779b97f4a7c15u;
	struct block **head = &blocks[key >> 46];
	struct block *b;

	for (b = *head; b; b = b->next)
		if (b->vaddr == vaddr && b->haddr == haddr)
			return b;
	b = calloc(1, sizeof(*b));
	if (!b)
		abort();
	b->vaddr = vaddr;
	b->haddr = haddr;
	b->next = *head;
	*head = b;
	return b;
}

static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
	struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
	struct block *b;

	(void)id;
	pthread_mutex_lock(&lock);
	b = find(qemu_plugin_tb_vaddr(tb), qemu_plugin_insn_haddr(first));
	pthread_mutex_unlock(&lock);
	qemu_plugin_register_vcpu_tb_exec_inline(tb, QEMU_PLUGIN_INLINE_ADD_U64,
						 &b->insns,
						 qemu_plugin_tb_n_insns(tb));
}

static void dump(const char *path)
{
	char part[4096 + 8];
	struct block *b;
	unsigned int i;
	FILE *out;

	snprintf(part, sizeof(part), "%s.part", path);
	out = fopen(part, "w");
	if (!out) {
		perror(part);
		return;
	}
	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			if (b->insns)
				fprintf(out, "%" PRIx64 " %" PRIxPTR " %" PRIu64 "\n",
					b->vaddr, (uintptr_t)b->haddr, b->insns);
	fclose(out);
	rename(part, path);
}

static void reset(void)
{
	struct block *b;
	unsigned int i;

	for (i = 0; i < BUCKETS; i++)
		for (b = blocks[i]; b; b = b->next)
			b->insns = 0;
}

static void *orders(void *unused)
{
	char line[4096];

	for (;;) {
		FILE *in = fopen(control, "r");

		if (!in)
			return unused;
		while (fgets(line, sizeof(line), in)) {
			line[strcspn(line, "\n")] = '\0';
			pthread_mutex_lock(&lock);
			if (!strcmp(line, "reset"))
				reset();
			else if (!strncmp(line, "dump ", 5))
				dump(line + 5);
			pthread_mutex_unlock(&lock);
		}
		fclose(in);
	}
}

EXPORT int qemu_plugin_install(qemu_plugin_id_t id,
			       const struct qemu_info_t *info, int argc,
			       char **argv)
{
	pthread_t thread;

	(void)info;
	if (argc != 1 || strncmp(argv[0], "control=", 8)) {
		fprintf(stderr, "profile: control=FIFO is needed\n");
		return -1;
	}
	control = strdup(argv[0] + 8);
	if (!control || pthread_create(&thread, NULL, orders, NULL))
		return -1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
