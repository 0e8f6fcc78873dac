# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What a scenario's dom0 script may call. It runs under "set -e": a command that fails fails the scenario.

BACK=pvcalls_mt_back
MODULES=/lab/modules

# ---- verdicts ----

# fail TEXT: ends the scenario as failed
fail() {
	echo "FAIL: $*" >&2
	exit 1
}

# skip TEXT: ends the scenario as not applicable here
skip() {
	echo "SKIP: $*" >&2
	exit 77
}

# require COMMAND...: the scenario fails if the command does
require() {
	"$@" || fail "required: $*"
}

# note TEXT: a line for the kernel log and the output, to find one's way in them
note() {
	echo "lab: $*" > /dev/kmsg
	echo "$*"
}

# progress TEXT: a line that the person before the screen sees at once
progress() {
	echo "progress $*" >&3
	note "$*"
}

# figure NAME VALUE UNIT: something measured; in the output, and under the scenario's name in --json
figure() {
	echo "figure $*" >&3
	note "figure: $*"
}

# profile_symbols GUEST: keeps the names of functions for profile_end; once, while nothing is measured
profile_symbols() {
	mkdir -p "/results/$LAB_NAME"
	cat /proc/kallsyms > "/results/$LAB_NAME/kallsyms"
	guest_run "$1" 'grep "\[pvcalls\|\[xen_netfront" /proc/kallsyms' > "/results/$LAB_NAME/kallsyms.guest" || true
}

# profile_start, profile_end NAME: with lab run --profile, count instructions from the one to the other
profile_start() {
	echo "profile reset" >&3
}

profile_end() {
	echo "profile $1" >&3
}

# BusyBox prefers its own.
ip() {
	/usr/sbin/ip "$@"
}

# ---- the backend ----

# back_load [PARAMETER=VALUE]...
back_load() {
	insmod "$MODULES/$BACK.ko" "$@"
}

back_loaded() {
	[ -e "/sys/module/$BACK" ]
}

back_unload() {
	if back_loaded; then
		rmmod "$BACK"
	fi
}

# What the scenario's settings ask for; the lab calls it before the scenario.
back_prepare() {
	[ "$LAB_BACK" = yes ] || return 0
	[ -e "$MODULES/$BACK.ko" ] || fail "no backend module was built"
	# shellcheck disable=SC2086 # several parameters are several words
	back_load $LAB_BACK_ARGS
}

# What the scenario's "packages" name, here as in its guests; what is there already stays.
overlay_prepare() {
	[ -n "$LAB_OVERLAY" ] || return 0
	cpio -t < "$LAB_OVERLAY" 2> /dev/null | while read -r file; do
		[ -e "/$file" ] || [ -L "/$file" ] || echo "/$file"
	done > /run/lab/overlay
	(cd / && cpio -id < "$LAB_OVERLAY" 2> /run/lab/cpio) || fail "packages: $(tail -n 1 /run/lab/cpio)"
}

# overlay_remove: makes room again
overlay_remove() {
	[ -e /run/lab/overlay ] || return 0
	sort -r /run/lab/overlay | while read -r file; do
		rm -f "$file" 2> /dev/null || rmdir "$file" 2> /dev/null || true
	done
	rm /run/lab/overlay
}

# ---- guests ----

# guest_id NAME: its domain id
guest_id() {
	cat "/run/lab/guests/$1/id" 2>/dev/null || fail "no guest $1 was started"
}

# guest_wait_node NAME PATH VALUE [SECONDS]: waits until the node below the guest's xenstore directory holds the value; on a
# kernel that is slow LAB_SLOWER times as long
guest_wait_node() {
	local id
	id=$(guest_id "$1") || return 1
	timeout $((${4:-20} * LAB_SLOWER)) labrpc wait "/local/domain/$id/$2" "$3"
}

guest_boot() {
	local begin code=0
	read -r begin _ < /proc/uptime
	xl -f create -q "/run/lab/guests/$1/config" || fail "guest $1: xl create failed"
	xl domid "$1" > "/run/lab/guests/$1/id"
	timeout "${LAB_BOOT_TIMEOUT:-150}" labrpc ready "$(guest_id "$1")" || code=$?
	echo "$begin $(cut -d ' ' -f 1 /proc/uptime)" >> /run/lab/boots
	return $code
}

# guest_boot_again NAME: when its kernel has died before it ran anything of ours. QEMU's TCG lets one CPU of hundreds of
# kernels run into a breakpoint that another one has just removed (text_poke_bp), and mixes up the registers of PVH guests
# and Xen: see the README. The log's name has the domain's id, by which the lab knows Xen's lines about it.
guest_boot_again() {
	local log="/var/log/xen/console/guest-$1.log" id
	[ "$LAB_ACCEL" = tcg ] || return 1
	! grep -q '^lab: init' "$log" || return 1
	id=$(guest_id "$1") || return 1
	progress "guest $1: the kernel of domain $id died while it booted, trying once more"
	xl destroy "$1" 2> /dev/null || true
	: >> "$log"
	mv "$log" "/var/log/xen/console/died-$1-$id.log"
	guest_boot "$1"
}

# guest_start NAME [type=pv|pvh] [vcpus=N] [memory=MB] [vif=yes] [pvcalls=no] [front=no] [front_args=A=1,B=2]
#             [image=fat] [cmdline=WORDS] [config=LINE] [shell=yes]
guest_start() {
	local name="$1" word dir ramdisk address="" devices=""
	local type="$LAB_GUEST" vcpus="$LAB_VCPUS" memory="$LAB_MEMORY" image="$LAB_IMAGE"
	local vif=no pvcalls=yes front="$LAB_FRONT" front_args="$LAB_FRONT_ARGS" cmdline="" config="" shell=no
	shift
	for word; do
		case $word in
		type=* | vcpus=* | memory=* | image=* | vif=* | pvcalls=* | front=* | front_args=* | cmdline=* | config=* | shell=*)
			eval "${word%%=*}=\${word#*=}"
			;;
		*)
			fail "guest_start: what is $word?"
			;;
		esac
	done
	dir=/run/lab/guests/$name
	mkdir -p "$dir"
	if [ "$pvcalls" = yes ]; then
		devices="pvcalls = [ 'backend=0' ]"
	fi
	if [ "$vif" = yes ]; then
		address=10.0.0.$(cat /run/lab/address)
		echo $((${address##*.} + 1)) > /run/lab/address
		echo "$address" > "$dir/address"
		devices="$devices
vif = [ 'bridge=xenbr0,script=/etc/xen/scripts/vif-lab' ]"
	fi
	[ -e "/lab/guest/$image" ] || fail "this boot has no guest image $image"
	ramdisk=/lab/guest/$image
	if [ -n "$LAB_OVERLAY" ]; then
		# Linux unpacks one archive after the other; zeros end a packed one
		ramdisk=/run/lab/guests/.ramdisk-$image
		[ -e "$ramdisk" ] || head -c 8 /dev/zero | cat "/lab/guest/$image" - "$LAB_OVERLAY" > "$ramdisk"
	fi
	# QEMU's TSC is not invariant, so Xen would emulate every rdtsc of a guest, which it does on hardly any real machine
	cat > "$dir/config" <<-CONFIG
		name = "$name"
		type = "$type"
		kernel = "/lab/guest/kernel"
		ramdisk = "$ramdisk"
		memory = $memory
		vcpus = $vcpus
		tsc_mode = "native"
		on_poweroff = "destroy"
		on_reboot = "destroy"
		on_crash = "destroy"
		extra = "console=hvc0 $LAB_CMDLINE lab.name=$name lab.front=$front lab.frontargs=$front_args lab.address=$address lab.shell=$shell $cmdline"
		$devices
		$config
	CONFIG
	guest_boot "$name" || guest_boot_again "$name" || guest_boot_again "$name" || fail "guest $name did not come up"
	guest_detectors "$name" on
	if [ "$front" = yes ] && [ "$pvcalls" = yes ]; then
		guest_wait_node "$name" device/pvcalls/0/state 4 || fail "guest $name: pvcalls did not connect"
	fi
}

# dom0_sysctl NAME VALUE: for this scenario only
dom0_sysctl() {
	mkdir -p /run/lab/sysctl
	[ -e "/run/lab/sysctl/$1" ] || sysctl -n "$1" > "/run/lab/sysctl/$1"
	sysctl -q -w "$1=$2"
}

# guest_address NAME: its address on the bridge, if it has vif=yes
guest_address() {
	cat "/run/lab/guests/$1/address"
}

# fifo_read FIFO: prints the line that somebody writes there. In a process of its own: this shell gives up an open() that a
# child's end interrupts, and itself with it.
fifo_read() {
	local line
	line=$(head -n 1 "$1")
	[ -n "$line" ] && echo "$line"
}

# guest_run NAME COMMAND: runs it there with sh -c; output and exit code are the command's
guest_run() {
	local id
	id=$(guest_id "$1") || return 1
	labrpc run "$id" "$2"
}

# guest_bg NAME TAG COMMAND: the same in the background; guest_wait or guest_kill it by its tag
guest_bg() {
	local base="/run/lab/guests/$1/bg-$2" id
	id=$(guest_id "$1") || return 1
	rm -f "$base".*
	mkfifo "$base.started" "$base.ended"
	(
		code=0
		labrpc run "$id" "$3" > "$base.out" 2> "$base.err" &
		echo $! > "$base.started"
		wait $! || code=$?
		echo "$code" > "$base.ended"
	) &
	fifo_read "$base.started" > "$base.pid"
}

# guest_wait NAME TAG: waits for it, prints its output, returns its exit code
guest_wait() {
	local base="/run/lab/guests/$1/bg-$2" code
	if [ ! -e "$base.code" ]; then
		code=$(fifo_read "$base.ended")
		echo "$code" > "$base.code"
	fi
	cat "$base.err" >&2
	cat "$base.out"
	return "$(cat "$base.code")"
}

# guest_kill NAME TAG: kills it, with its children
guest_kill() {
	kill "$(cat "/run/lab/guests/$1/bg-$2.pid")"
	guest_wait "$1" "$2" > /dev/null 2>&1 || true
}

# guest_stop NAME: an orderly shutdown
guest_stop() {
	guest_detectors "$1" reports
	xl shutdown -w "$1"
}

# guest_destroy NAME: pulls the plug
guest_destroy() {
	xl destroy "$1"
}

# guest_save NAME FILE: writes the guest there, which then is no more; guest_restore NAME FILE brings it back and removes
# the file. What runs in the guest goes on, under another domain id; commands of guest_bg are lost. FILE.gz is packed: in
# Dom0's memory there is room for a guest of 240 MB.
guest_save() {
	case $2 in
	*.gz)
		mkfifo "$2.fifo"
		gzip -1 < "$2.fifo" > "$2" &
		xl save "$1" "$2.fifo"
		wait $!
		rm "$2.fifo"
		;;
	*)
		xl save "$1" "$2"
		;;
	esac
}

guest_restore() {
	case $2 in
	*.gz)
		mkfifo "$2.fifo"
		gzip -d < "$2" > "$2.fifo" &
		xl -f restore "$2.fifo"
		rm "$2.fifo"
		;;
	*)
		xl -f restore "$2"
		;;
	esac
	rm "$2"
	xl domid "$1" > "/run/lab/guests/$1/id"
}

# guest_detectors NAME on|reports: what lab-detectors has to complain of in a guest that runs the debug kernel goes into a
# log that fails the scenario. The lab asks all guests that are left at a scenario's end.
guest_detectors() {
	local log="/var/log/xen/console/debug-$1.log" id
	[ "$LAB_KERNEL" = debug ] || return 0
	id=$(guest_id "$1") || return 1
	timeout 240 labrpc run "$id" "lab-detectors $2" >> "$log" 2>&1 ||
		echo "detector all is off: guest $1 gives no answer" >> "$log"
}

# dom0_detectors on|reports: the same in Dom0
dom0_detectors() {
	case $(uname -r) in
	*-debug-*) lab-detectors "$1" >> /var/log/xen/console/debug-dom0.log ;;
	esac
}

# guest_console NAME: what it has printed so far
guest_console() {
	cat "/var/log/xen/console/guest-$1.log"
}

# ---- what must not leak ----

# leak_events: event channels in use in Dom0, two for each guest among them
leak_events() {
	lsevtchn 0 | grep -c -v -i ': free' || true
}

# leak_grants: grants that some domain has mapped, a guest's console and xenstore pages among them
leak_grants() {
	xl dmesg -c >> /run/lab/xen.log
	xl debug-keys g
	until xl dmesg | grep -q 'gnttab_usage_print_all \]'; do :; done
	xl dmesg -c | grep -c '\[0x[0-9a-f]*\]' || true
}

# leak_refs MODULE: its reference count
leak_refs() {
	cat "/sys/module/$1/refcnt"
}

# leak_free: free memory in KB, once caches are dropped
leak_free() {
	sync
	echo 3 > /proc/sys/vm/drop_caches
	awk '/^MemFree:/ { print $2 }' /proc/meminfo
}

# leak_slab: unreclaimable slab in KB
leak_slab() {
	awk '/^SUnreclaim:/ { print $2 }' /proc/meminfo
}

# ---- failing allocations ----

# faults dom0|NAME WORDS...: lab-faults (debug-kernel/faults) there
faults() {
	local side="$1"
	shift
	if [ "$side" = dom0 ]; then
		lab-faults "$@"
	else
		guest_run "$side" "lab-faults $*"
	fi
}

# faults_need [NAME]: skips the scenario where the kernel of Dom0, or of that guest, cannot let allocations fail
faults_need() {
	faults "${1:-dom0}" can || skip "the kernel of ${1:-dom0} has no CONFIG_FAULT_INJECTION"
}

# faults_workers: the tasks in Dom0 that work for guests: the backend's workers and xenwatch
faults_workers() {
	grep -l -E '^(pvcalls_mt/|xenwatch)' /proc/[0-9]*/comm | cut -d / -f 3
}

# ---- settings ----

# setting NAME DEFAULT: lab.NAME=VALUE in "cmdline=" of the scenario or in --guest-cmdline is preferred
setting() {
	local word value="$2"
	for word in $LAB_CMDLINE; do
		case $word in "lab.$1="*) value=${word#*=} ;; esac
	done
	echo "$value"
}

# front_module: the frontend's, in guests
front_module() {
	echo "$(setting modules /lab/modules)/pvcalls_mt_front.ko"
}

# rounds N: numbers from 1 to that, or to lab.rounds
rounds() {
	seq 1 "$(setting rounds "$1")"
}

# ---- servers in Dom0 ----

# iperf_server [PORT]: starts one, waits until it listens, prints its process id
iperf_server() {
	local fifo="/run/lab/iperf.$$.${1:-5201}"
	mkfifo "$fifo"
	iperf3 -s --forceflush -p "${1:-5201}" > "$fifo" 2>&1 &
	echo $!
	exec 8< "$fifo"
	rm "$fifo"
	while read -r line <&8; do
		case $line in *listening*) break ;; esac
	done
	cat <&8 > /dev/null &
}

# guest_iperf NAME out|in STREAMS SECONDS: Mbit/s between a guest and Dom0's iperf_server, as the receiver counts
guest_iperf() {
	local way="" text
	[ "$2" = out ] || way=-R
	text=$(guest_run "$1" "timeout $(($4 + 60)) iperf3 -J -c 10.0.0.1 -P $3 -t $4 $way") || {
		echo "$text" >&2
		fail "iperf3 in $1, $2, $3 stream(s)"
	}
	echo "$text" | sed -n '/"sum_received"/,/}/s/.*"bits_per_second":[^0-9]*\([0-9.e+]*\).*/\1/p' |
		awk '{ printf "%.0f\n", $1 / 1e6 }'
}
