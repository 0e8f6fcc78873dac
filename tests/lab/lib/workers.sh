# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios, in Dom0: what the backend's workers are and do.

parameters=/sys/module/pvcalls_mt_back/parameters
debug=/sys/kernel/debug/pvcalls_mt_back

# column NAME: of all workers
column() {
	awk -v name="$1" '{ for (i = 1; i < NF; i++) if ($i == name) print $(i + 1) }' "$debug/workers"
}

# total NAME: a column's sum
total() {
	column "$1" | awk '{ sum += $1 } END { printf "%.0f\n", sum }'
}

# serving KEY: the CPUs or nodes where connected sockets are served, each once
serving() {
	awk -v key="$1" '
		FNR == NR { for (i = 1; i < NF; i++) if ($i == key) of[$2] = $(i + 1); next }
		{ for (i = 1; i < NF; i += 2) has[$i] = $(i + 1) }
		has["state"] == "connected" { print of[has["worker"]] }
	' "$debug/workers" "$debug/sockets" | sort -un | tr '\n' ' '
}

# set_parameter NAME VALUE
set_parameter() {
	echo "$2" > "$parameters/$1" || fail "$1 can't be $2"
	[ "$(cat "$parameters/$1")" = "$2" ] || fail "$1 is $(cat "$parameters/$1"), not $2"
}

# refuses NAME VALUE
refuses() {
	local before
	before=$(cat "$parameters/$1")
	if echo "$2" > "$parameters/$1" 2> /dev/null; then
		fail "$1 may be $2"
	fi
	[ "$(cat "$parameters/$1")" = "$before" ] || fail "$1 has changed, but not to $2"
}

seconds_up() {
	cut -d. -f1 /proc/uptime
}

# until_is WANTED COMMAND...: its output is that, soon
until_is() {
	local want="$1" start
	shift
	start=$(seconds_up)
	until [ "$("$@" | tr '\n' ' ')" = "$want " ]; do
		[ $(($(seconds_up) - start)) -lt 30 ] || fail "$* is $("$@" | tr '\n' ' '), not $want"
		usleep 20000
	done
}

# alive NAME TAG: does a guest_bg still run?
alive() {
	kill -0 "$(cat "/run/lab/guests/$1/bg-$2.pid")" 2> /dev/null
}

# moved BYTES NAME TAG: the workers go on moving data, as long as this guest_bg runs
moved() {
	local end=$(($(total bytes) + $1)) start
	start=$(seconds_up)
	while [ "$(total bytes)" -lt "$end" ]; do
		alive "$2" "$3" || fail "$3 has ended: $(cat "/run/lab/guests/$2/bg-$3.out" "/run/lab/guests/$2/bg-$3.err")"
		[ $(($(seconds_up) - start)) -lt 60 ] || fail "nothing is moved any more"
		usleep 50000
	done
}
