# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios that use pvpeer: files=tests/lab/lib/peer.sh

# peer_start ADDRESS PORT [COMMAND...]: starts pvpeer in Dom0, returns when it listens
peer_start() {
	rm -f /tmp/peer
	mkfifo /tmp/peer
	pvpeer "$1" "$2" > /tmp/peer &
	peer=$!
	fifo_read /tmp/peer > /dev/null || fail "pvpeer $1 $2 does not start"
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
		[ $tries -lt 50 ] || fail "$* was $value and is $got"
		usleep 200000
	done
}

# hundredths: of a second since this domain booted
hundredths() {
	sed 's/ .*//; s/\.//; s/^0*//' /proc/uptime
}

# within SECONDS COMMAND...: fails if it takes longer
within() {
	local limit="$1" took
	shift
	took=$(hundredths)
	"$@" || return
	took=$(($(hundredths) - took))
	note "$((took / 100)).$((took % 100 / 10)) s: $*"
	[ $took -le $((limit * 100)) ] || fail "$* took more than $limit s"
}

# front_up NAME: the guest's frontend is connected again, or what xenstore has is shown
front_up() {
	local id
	id=$(guest_id "$1")
	# the backend's first: the frontend's may be what it was before
	timeout 20 labrpc wait "/local/domain/0/backend/pvcalls/$id/0/state" 4 &&
		guest_wait_node "$1" device/pvcalls/0/state 4 && return
	xenstore-ls "/local/domain/$id/device/pvcalls" || true
	xenstore-ls "/local/domain/0/backend/pvcalls/$id" || true
	guest_run "$1" 'dmesg | tail -n 5' || true
	fail "the frontend in $1 is not connected again"
}

# front_refs NAME: the frontend's references; sockets hold it
front_refs() {
	guest_run "$1" 'cat /sys/module/pvcalls_mt_front/refcnt'
}

# bg_says NAME TAG WORD: waits until the command of guest_bg has printed it, a minute at most
bg_says() {
	local tries=0 base="/run/lab/guests/$1/bg-$2"
	until grep -q "$3" "$base.out"; do
		if [ -e "$base.code" ] || ! kill -0 "$(cat "$base.pid")" 2>/dev/null; then
			cat "$base.out" "$base.err"
			fail "$2 in $1 ended before it said $3"
		fi
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { cat "$base.out"; fail "$2 in $1 does not say $3"; }
		usleep 200000
	done
}

# life_start NAME [CONNECTIONS]: pvlife in the guest; returns when all its sockets are at work
life_start() {
	guest_bg "$1" life "pvlife 10.0.0.1 7000 ${2:-4}"
	bg_says "$1" life ready
}

# life_ends NAME: all its sockets must have ended soon, and as they should
life_ends() {
	local code=0
	guest_wait "$1" life > /tmp/life 2>&1 || code=$?
	if [ $code -ne 0 ]; then
		cat /tmp/life
		fail "pvlife in $1: code $code"
	fi
	tail -n 1 /tmp/life
}

# life_again NAME: a new connection works
life_again() {
	guest_run "$1" 'pvsem 10.0.0.1 7000 speaks_first && pvlisten 10.0.0.1 7000 names' > /tmp/again 2>&1 || {
		cat /tmp/again
		fail "no new connections in $1"
	}
}

# not_less BEFORE SLACK COMMAND...: KB of free memory that the command tells of may be this much below what they were
not_less() {
	local before="$1" slack="$2" now
	shift 2
	now=$("$@")
	note "$*: $before KB before, $now KB after"
	[ $((now + slack)) -ge "$before" ] || fail "$*: $before KB before, $now KB after"
}
