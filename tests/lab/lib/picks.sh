# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
# Random values of the parameters that can be written at run time: for the scenario parameters, and for
# tests/lab/random-parameters.
# shellcheck disable=SC2154 # the caller sets $seed

# pick SALT: one of the words on each line of the standard input, as NAME VALUE; "-" is nothing
pick() {
	awk -v seed="$seed.$1" 'BEGIN { srand(seed * 1000) }
		{ value = $(2 + int(rand() * (NF - 1))); print $1, value == "-" ? "" : value }'
}

pick_back() {
	pick "$1" <<-'LIST'
		workers 0 1 2 5 64
		cpus - 0 1 0-1
		placement round_robin least_loaded node irq
		balance_ms 0 1 10 100
		poll_us 0 0 50 1000
		budget 4096 65536 262144 1073741824
		recycle 0 1 128 512
		zerocopy 0 1 4096 16384 1048576
		receive recvmsg read_sock
		direct 0 1 4096 16384
		reuse_pages 0 300 8192
		reuse_seconds 1 30
		mark 0 1 4096 4294901760
		guest_share 25 50 100
		host_sockets 32768 65536
		host_listeners 4096 8192
		host_queued 1024 32768
		host_ports 8192 16384
		host_pages 98304 196608
		host_calls 65536 131072
		host_memory 0 65536
		host_pinned 0 64 32768
	LIST
}

pick_front() {
	pick "$1" <<-'LIST'
		ring_order 1 2 4 6 8 9
		own_evtchns 0 2 512
		cmd_order 0 1 2 4
		reuse_rings 0 1 32
		reuse_seconds 1 10
		capture_filtered N Y
		max_sockets 4096 16384
		user_share 50 75 100
		reserve_grants 0 2560
		reserve_evtchns 0 64
	LIST
}
