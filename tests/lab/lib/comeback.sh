# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios whose servers lose their backend and come back: files=tests/lab/lib/peer.sh tests/lab/lib/comeback.sh

# ask tcp|udp PORT [SECONDS [FROM]]: asks a server of pvcomeback; prints the answer
ask() {
	pvcomeback ask 10.0.0.1 "$@" || {
		guest_run g1 'tail -n 5 /tmp/pvcomeback.log; dmesg | tail -n 20; cat /sys/kernel/debug/pvcalls_mt_front/sockets'
		fail "nothing answers: $*"
	}
}

# timed NAME COMMAND...: runs it, and a client that waits for a server in the guest meanwhile; prints how long after the
# command's end the client was served. await_server is the client.
timed() {
	local name="$1" end served
	shift
	rm -f /tmp/served
	(await_server && hundredths > /tmp/served) &
	waiter=$!
	"$@"
	end=$(hundredths)
	wait "$waiter" || fail "no server is back after $name"
	served=$(cat /tmp/served)
	[ "$served" -ge "$end" ] || served=$end
	figure "first-accept-$name" $(((served - end) * 10)) ms
}

# file_waits NAME FILE: until it is there in the guest, half a minute at most
file_waits() {
	guest_run "$1" "n=0; until [ -e $2 ]; do n=\$((n + 1)); [ \$n -lt 150 ] || exit 1; usleep 200000; done"
}
