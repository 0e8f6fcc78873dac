# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios that use pvpeer: files=tests/lab/progs/peer.sh

# peer_start ADDRESS PORT [COMMAND...]: starts pvpeer in Dom0, returns when it listens
peer_start() {
	rm -f /tmp/peer
	mkfifo /tmp/peer
	pvpeer "$1" "$2" > /tmp/peer &
	peer=$!
	read -r _ < /tmp/peer || fail "pvpeer $1 $2 does not start"
}

peer_stop() {
	kill "$peer"
	wait "$peer" || true
}

# back_at VALUE COMMAND...: waits for the command to print it again, 20 seconds at most
back_at() {
	local value="$1" got="" tries=0
	shift
	while got=$("$@"); [ "$got" != "$value" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || fail "$* was $value and is $got"
		usleep 200000
	done
}

# within SECONDS COMMAND...: fails if it takes longer
within() {
	local limit="$1" begin
	shift
	begin=$(cut -d . -f 1 /proc/uptime)
	"$@" || return
	begin=$(($(cut -d . -f 1 /proc/uptime) - begin))
	[ $begin -le "$limit" ] || fail "$* took $begin s, more than $limit"
}
