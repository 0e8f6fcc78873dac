# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios, in Dom0: servers that say when they listen, and an address that never answers.

# serve COMMAND...: runs one of the lab's servers, returns when it listens; $server is its process id
serve() {
	local ready="/tmp/ready.$1"
	rm -f "$ready"
	mkfifo "$ready"
	"$@" --ready "$ready" &
	# shellcheck disable=SC2034 # for the scenario
	server=$!
	read -r _ < "$ready"
}

# hole_open RETRIES: 10.99.0.2 swallows everything, and connects give up after so many SYNs more
hole_open() {
	syn_retries=$(cat /proc/sys/net/ipv4/tcp_syn_retries)
	echo "$1" > /proc/sys/net/ipv4/tcp_syn_retries
	modprobe dummy
	ip link add hole0 type dummy
	ip address add 10.99.0.1/24 dev hole0
	ip link set hole0 up
}

hole_close() {
	ip link del hole0
	echo "$syn_retries" > /proc/sys/net/ipv4/tcp_syn_retries
}
