/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Small BPF programs for cgroups and sockets, as plain instructions: the
 * guests' images have no compiler and no libbpf.
 */
#ifndef PV_BPF_H
#define PV_BPF_H

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INSN(op, dst, src, at, value)					\
	((struct bpf_insn){ .code = op, .dst_reg = dst, .src_reg = src,	\
			    .off = at, .imm = value })
#define INSN_MOV(reg, value)						\
	INSN(BPF_ALU64 | BPF_MOV | BPF_K, reg, 0, 0, value)
#define INSN_STORE(base, at, src)					\
	INSN(BPF_STX | BPF_MEM | BPF_W, base, src, at, 0)
#define INSN_LOAD(dst, base, at)					\
	INSN(BPF_LDX | BPF_MEM | BPF_W, dst, base, at, 0)
#define INSN_ADD(reg, value)						\
	INSN(BPF_ALU64 | BPF_ADD | BPF_K, reg, 0, 0, value)
#define INSN_CALL(helper)						\
	INSN(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define INSN_EXIT	((struct bpf_insn){ .code = BPF_JMP | BPF_EXIT })

static inline long bpf_call(int cmd, union bpf_attr *attr)
{
	long ret = syscall(SYS_bpf, cmd, attr, sizeof(*attr));

	return ret < 0 ? -errno : ret;
}

/* A program's descriptor, or a negative error after what the verifier says */
static inline long bpf_load(int type, int attach, const struct bpf_insn *insns,
			    size_t n)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = type,
		.expected_attach_type = attach,
		.insns = (uintptr_t)insns,
		.insn_cnt = n,
		.license = (uintptr_t)"GPL",
	};
	long ret = bpf_call(BPF_PROG_LOAD, &attr);

	if (ret >= 0)
		return ret;
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	ret = bpf_call(BPF_PROG_LOAD, &attr);
	if (ret < 0)
		printf("bpf: type %d attach %d: %s\n%s\n", type, attach,
		       strerror(-ret), log);
	return ret;
}

/* A program that only returns @value */
static inline long bpf_returns(int type, int attach, int value)
{
	const struct bpf_insn insns[] = { INSN_MOV(0, value), INSN_EXIT };

	return bpf_load(type, attach, insns, 2);
}

static inline long bpf_attach(int target, int prog, int attach)
{
	union bpf_attr attr = {
		.target_fd = target,
		.attach_bpf_fd = prog,
		.attach_type = attach,
	};

	return bpf_call(BPF_PROG_ATTACH, &attr);
}

/* Takes the only program off that is attached there */
static inline long bpf_detach(int target, int attach)
{
	union bpf_attr attr = {
		.target_fd = target,
		.attach_type = attach,
	};

	return bpf_call(BPF_PROG_DETACH, &attr);
}

static inline long bpf_map(int type, int key, int value, int n)
{
	union bpf_attr attr = {
		.map_type = type,
		.key_size = key,
		.value_size = value,
		.max_entries = n,
	};

	return bpf_call(BPF_MAP_CREATE, &attr);
}

static inline long bpf_map_put(int map, const void *key, const void *value)
{
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)key,
		.value = (uintptr_t)value,
	};

	return bpf_call(BPF_MAP_UPDATE_ELEM, &attr);
}

/* The cgroup of that name, made if need be: its directory's descriptor */
static inline int cgroup_open(const char *name)
{
	char path[100];

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s", name);
	if (mkdir(path, 0755) && errno != EEXIST)
		return -errno;
	return open(path, O_RDONLY | O_DIRECTORY);
}

/* This process goes into it. */
static inline int cgroup_enter(int dir)
{
	int fd = openat(dir, "cgroup.procs", O_WRONLY);
	bool ok = fd >= 0 && write(fd, "0", 1) == 1;

	if (fd >= 0)
		close(fd);
	return ok ? 0 : -errno;
}

#endif /* PV_BPF_H */
