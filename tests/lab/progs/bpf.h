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

#define INSN_MOV(reg, value)	\
	((struct bpf_insn){ .code = BPF_ALU64 | 0xb0 | BPF_K, .dst_reg = reg, .imm = value })
#define INSN_COPY(dst, src)	\
	((struct bpf_insn){ .code = BPF_ALU64 | 0xb0 | BPF_X, .dst_reg = dst, .src_reg = src })
#define INSN_STORE(base, at, src)	\
	((struct bpf_insn){ .code = BPF_STX | BPF_MEM | BPF_W, .dst_reg = base, .src_reg = src, .off = at })
#define INSN_LOAD(dst, base, at)	\
	((struct bpf_insn){ .code = BPF_LDX | BPF_MEM | BPF_W, .dst_reg = dst, .src_reg = base, .off = at })
#define INSN_STORE8(base, at, src)	\
	((struct bpf_insn){ .code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = base, .src_reg = src, .off = at })
#define INSN_CALL(nr)	\
	((struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = nr })
#define INSN_EXIT	((struct bpf_insn){ .code = BPF_JMP | BPF_EXIT })
/* The pointer to a map: two instructions */
#define INSN_MAP(dst, fd)	\
	((struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = dst, \
			    .src_reg = BPF_PSEUDO_MAP_FD, .imm = fd }), \
	((struct bpf_insn){})

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

static inline long bpf_detach(int target, int prog, int attach)
{
	union bpf_attr attr = {
		.target_fd = target,
		.attach_bpf_fd = prog,
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

static inline long bpf_map_get(int map, const void *key, void *value)
{
	union bpf_attr attr = {
		.map_fd = map,
		.key = (uintptr_t)key,
		.value = (uintptr_t)value,
	};

	return bpf_call(BPF_MAP_LOOKUP_ELEM, &attr);
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
