# SPDX-License-Identifier: GPL-2.0
# The verbs that a person types. What the kernel's build reads is in Kbuild.

# Headers to build against: the running kernel's, else the newest installed
KDIR ?= $(firstword $(patsubst %/Makefile,%, \
	$(wildcard /lib/modules/$(shell uname -r)/build/Makefile) \
	$(shell ls -d /usr/src/linux-headers-*-amd64/Makefile 2>/dev/null | \
		sort -Vr)))

# sparse looks at every file too, where it is installed
C ?= $(if $(shell command -v sparse),1,0)

kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR)

.PHONY: help
help:
	@echo 'make modules        build back/pvcalls_mt_back.ko and front/pvcalls_mt_front.ko'
	@echo '                    [KDIR=<kernel headers>]'
	@echo 'make tools          build build/pvcallsctl, which shows and tunes them'
	@echo 'make install        install all of it, as root [PREFIX=/usr/local]'
	@echo 'make clean          remove what builds have left'
	@echo 'make demo           boot Xen under QEMU and compare with a network card, as root'
	@echo 'make bench          all figures, with plots, below build/bench; as root, an hour'
	@echo 'make bench-gate     the few figures that must not get worse, as root'
	@echo 'make check          all tests, as root, an hour'
	@echo 'make check-fast     the tests that need no Xen, a few minutes'
	@echo 'make check-programs nginx, PostgreSQL, ssh and others in a guest; as root, 20 minutes'
	@echo 'make check-long     sockets by the ten thousand, a backend that hangs or lies, random calls; as root, an hour'
	@echo 'make check-mutants  break the code in many ways: do models, unit tests, fuzzers and the lab find it? As root, hours'
	@echo 'make check-parameters  the lab'"'"'s part of check with random parameters; as root, half an hour'
	@echo 'make check-style    how all of it is written: checkpatch, kernel-doc, shellcheck, arrows, sizes'
	@echo 'make check-debug    the lab on a kernel with lockdep, KFENCE, kmemleak and others; as root, an hour'
	@echo
	@echo 'KDIR=$(or $(KDIR),(none: install linux-headers-amd64))'

.PHONY: modules
modules: have-kdir
	+$(kbuild) W=1 C=$(C) modules

PREFIX ?= /usr/local
MAN := $(DESTDIR)$(PREFIX)/share/man

.PHONY: tools
tools: build/pvcallsctl

build/pvcallsctl: $(wildcard tools/pvcallsctl/*.[ch] include/uapi/*.h)
	@mkdir -p build
	@pkg-config --exists libmnl || { \
		echo 'No libmnl: install libmnl-dev and pkg-config' >&2; exit 1; }
	$(CC) -O2 -Wall -Wextra -Iinclude/uapi $$(pkg-config --cflags libmnl) $(CFLAGS) $(LDFLAGS) \
		-o $@ $(filter %.c,$^) $$(pkg-config --libs libmnl)

.PHONY: install
install: have-kdir tools
	+$(kbuild) modules_install
	install -D build/pvcallsctl $(DESTDIR)$(PREFIX)/sbin/pvcallsctl
	install -D -m 644 -t $(MAN)/man4 docs/man/*.4
	install -D -m 644 -t $(MAN)/man8 docs/man/*.8

.PHONY: clean
clean:
	rm -rf build
	+$(if $(KDIR),$(kbuild) clean)

.PHONY: have-kdir
have-kdir:
	@test -n '$(KDIR)' || { \
		echo 'No kernel headers: install linux-headers-amd64, or say KDIR=' >&2; \
		exit 1; }

.PHONY: demo
demo:
	@tools/lab/lab demo

.PHONY: bench
bench:
	@tools/bench/bench --json build/bench/bench.json \
		--markdown build/bench/bench.md --plots build/bench

.PHONY: bench-gate
bench-gate:
	@tools/bench/bench --quick --gate --json build/bench/gate.json

.PHONY: check
check:
	@tests/run-check

.PHONY: check-programs
check-programs:
	@tools/lab/lab run --jobs 2 $$(grep -v '^#' tests/lab/lists/programs.list)

.PHONY: check-long
check-long:
	@tools/lab/lab run --total-timeout 7200 $$(grep -v '^#' tests/lab/lists/long.list)
	@tools/lab/lab run --total-timeout 600 --xen-cmdline gnttab_max_maptrack_frames=8 \
		--dom0-cmdline xen.fifo_events=0 scarce

.PHONY: check-mutants
check-mutants:
	@tests/model/run
	@tests/unit/mutants
	@tests/fuzz/mutants
	@tests/lab/mutants

.PHONY: check-parameters
check-parameters:
	@tests/lab/random-parameters

.PHONY: check-debug
check-debug:
	@mkdir -p build/check
	@tools/lab/lab run --kernel debug --total-timeout 10800 \
		--json build/check/lab-debug.json \
		$$(grep -v '^#' tests/lab/lists/debug.list)

.PHONY: check-fast
check-fast:
	@tests/run-check --fast

.PHONY: check-style
check-style:
	@tools/check-style
