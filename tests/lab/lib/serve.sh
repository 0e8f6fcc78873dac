# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios, in Dom0: servers that say when they listen, and an address that never answers.

# serve COMMAND...: runs one of the lab's servers, returns when it listens
serve() {
	local ready="/tmp/ready.${1##*/}"
	rm -f "$ready"
	mkfifo "$ready"
	"$@" --ready "$ready" &
	server=$!
	fifo_read "$ready" > /dev/null
}

# serve_end: the server must still be there, and content with its clients
serve_end() {
	local code=0
	kill "$server" || fail "the server is gone"
	wait "$server" || code=$?
	# 143: SIGTERM
	[ $code = 0 ] || [ $code = 143 ] || fail "the server ended with $code"
}

# hole_open RETRIES: 10.99.0.2 swallows everything, and connects give up after so many SYNs more
hole_open() {
	dom0_sysctl net.ipv4.tcp_syn_retries "$1"
	modprobe dummy
	ip link add hole0 type dummy
	ip address add 10.99.0.1/24 dev hole0
	ip link set hole0 up
}
