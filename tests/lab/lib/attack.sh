# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For scenarios that run programs which attack the guest's frontend, after peer.sh. A check that takes the guest with it
# fails, and the next one gets a new guest.

guests=0
bad=0
# so many guests boot in a scenario that one of them meets the moment when the machine is busiest
LAB_BOOT_TIMEOUT=600

# victim_ready: what a scenario does in each guest before the checks
victim_ready() {
	:
}

# victim_start MODULE...: a guest $victim with these modules, and the numbers that must come back
victim_start() {
	victim_modules="$*"
	guests=$((guests + 1))
	victim=g$guests
	guest_start "$victim"
	for module; do
		guest_run "$victim" "modprobe $module" || note "$victim has no module $module"
	done
	victim_ready
	guest_run "$victim" 'dmesg -c > /dev/null'
	victim_refs=$(front_refs "$victim")
}

# victim_splat: what its kernel has complained about since the last time; false if nothing
victim_splat() {
	guest_run "$victim" 'dmesg -c' 2> /dev/null |
		grep -E -m 3 'BUG|Oops|WARNING|general protection|nable to handle|refcount_t|corruption|KFENCE|blocked for'
}

# victim_check PROGRAM CHECK ENVIRONMENT: in a guest that works
victim_check() {
	local code=0 splat
	note "$1: $2"
	guest_run "$victim" "$3 $1 10.0.0.1 7000 $2" > /tmp/check || code=$?
	cat /tmp/check
	# whoever waits for hours wants to see how far it is
	progress "$(grep -m 1 -E "^(FAIL|HANG) |^$2: " /tmp/check || echo "$2: code $code")"
	if [ $code -eq 255 ]; then
		echo "not ok $2: the guest has died"
	elif splat=$(victim_splat); then
		echo "not ok $2: the guest's kernel says: $splat"
		guest_destroy "$victim"
	elif [ $code -ne 0 ] && [ "$(front_refs "$victim")" != "$victim_refs" ]; then
		echo "not ok $2: the guest is not used any more, references: $(front_refs "$victim")"
		guest_destroy "$victim"
	else
		[ $code -eq 0 ] || bad=$((bad + 1))
		return 0
	fi
	bad=$((bad + 1))
	# shellcheck disable=SC2086 # several modules are several words
	victim_start $victim_modules
}

# victim_checks PROGRAM [ENVIRONMENT]: all that it has, or those that lab.checks names
victim_checks() {
	local check wanted
	wanted=$(setting checks all)
	for check in $("$1" --list); do
		case +$wanted+ in
		+all+ | *+"$check"+*) victim_check "$1" "$check" "${2:-}" ;;
		esac
	done
}

# victim_unloads MODULE...: nothing holds the frontend nor these, and a fresh one works; attacks have left nothing behind
victim_unloads() {
	back_at "$victim_refs" front_refs "$victim"
	for module; do
		guest_run "$victim" "rmmod $module" || fail "$module stays in use"
	done
	require guest_run "$victim" 'rmmod pvcalls_mt_front'
	require guest_run "$victim" 'insmod /lab/modules/pvcalls_mt_front.ko'
	front_up "$victim"
	life_again "$victim"
}

# echo_start PORT: datagrams that come there go back
echo_start() {
	rm -f /tmp/echo
	mkfifo /tmp/echo
	pvdgecho "$1" > /tmp/echo &
	echo=$!
	fifo_read /tmp/echo > /dev/null || fail "pvdgecho $1 does not start"
}

# attacks PROGRAM...: all their checks in a guest, which then has nothing left of them; peer_stop and killing $echo are the caller's
attacks() {
	local prog link
	# an address that only one link of Dom0 has
	/usr/sbin/ip link add lab6 type dummy
	/usr/sbin/ip link set lab6 up
	/usr/sbin/ip -6 address add fe80::77/64 dev lab6 nodad
	link=$(cat /sys/class/net/lab6/ifindex)

	peer_start 10.0.0.1 7000
	echo_start 7010
	victim_start l2tp_ppp gtp tls gcm ctr ghash-generic dummy xen-gntalloc xen-evtchn
	for prog; do
		victim_checks "$prog" "PV_SCOPE=fe80::77%$link"
	done
	[ "$bad" -eq 0 ] || fail "$bad checks failed"
	# tls stays for a while: it keeps copies of what sockets had, also of what is gone
	victim_unloads gtp l2tp_ppp
}
