# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios that run a program in both roles: the sides are dom0 and the names of guests. Whatever listens in a
# guest is reached at Dom0's address, as is what listens in Dom0.

# shellcheck disable=SC2034 # for those who source this
WHERE=10.0.0.1

# on SIDE COMMAND
on() {
	if [ "$1" = dom0 ]; then
		sh -c "$2"
	else
		guest_run "$1" "$2"
	fi
}

# await SIDE COMMAND: until it succeeds, for programs that don't tell when they are ready
await() {
	on "$1" "n=0; until text=\$($2 2>&1); do n=\$((n + 1)); [ \$n -lt 300 ] || { echo \"\$text\"; exit 1; }; sleep 0.1; done" ||
		fail "on $1, in vain: $2"
}

# expect TEXT COMMAND...: the command's output is that text, whatever the spaces
expect() {
	local want="$1" have
	shift
	have=$("$@") || fail "$*: exit code $?: $have"
	# shellcheck disable=SC2086,SC2116 # without the white space
	have=$(echo $have) want=$(echo $want)
	[ "$have" = "$want" ] || fail "$*: $have instead of $want"
}

# random FILE KIB [SIDE]: a file of random bytes; prints its checksum
random() {
	on "${3:-dom0}" "dd if=/dev/urandom of=$1 bs=1024 count=$2 2> /dev/null; sha256sum < $1"
}
