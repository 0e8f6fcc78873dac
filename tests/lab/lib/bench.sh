# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# For the scenarios of `make bench`, in Dom0. A path is where a client is: in the guest "ours" or "netfront", in Dom0
# itself ("loopback"), or in a network namespace of Dom0 that hangs on its bridge ("veth"). All servers are in Dom0.
# A figure is called METRIC/PATH; its value is one number for each window, with commas between.

windows=5	# of each figure
window=1000	# milliseconds

# on PATH COMMAND: runs it there
on() {
	case $1 in
	loopback) sh -c "$2" ;;
	veth) ip netns exec bench sh -c "$2" ;;
	*) guest_run "$1" "$2" ;;
	esac
}

# path_start PATH [GUEST_START'S ARGUMENT]...: makes it ready for use
path_start() {
	local path="$1"
	shift
	case $path in
	loopback) ;;
	veth)
		modprobe veth
		ip netns add bench
		ip link add bench0 type veth peer name eth0 netns bench
		ip link set bench0 master xenbr0 up
		ip -n bench address add 10.0.0.200/24 dev eth0
		ip -n bench link set lo up
		ip -n bench link set eth0 up
		;;
	netfront) guest_start netfront vif=yes pvcalls=no front=no "$@" ;;
	*) guest_start "$path" "$@" ;;
	esac
}

# path_stop PATH: it is not used any more
path_stop() {
	case $1 in
	loopback) ;;
	veth) ip netns delete bench ;;
	*) guest_destroy "$1" ;;
	esac
}

# ring_order ORDER: of the guest's next rings, none of which has been used before
ring_order() {
	guest_run ours "cd /sys/module/pvcalls_mt_front/parameters && echo 0 > reuse_rings && echo $1 > ring_order"
}

# serve_bench PORT: starts pvbench's server as $server, returns when it listens
serve_bench() {
	local fifo="/run/lab/bench.$1"
	rm -f "$fifo"
	mkfifo "$fifo"
	pvbench --serve --addr 10.0.0.1 --port "$1" --ready "$fifo" &
	server=$!
	fifo_read "$fifo" > /dev/null
}

# iperf PATH out|in STREAMS [SIZE]: Mbit/s in each window, as the client counts; to $iperf_host, else Dom0
iperf() {
	local way="" text seconds interval
	[ "$2" = out ] || way=-R
	# the first window is for the start; iperf3 wants whole seconds
	seconds=$((((windows + 1) * window + 999) / 1000))
	interval=$((window / 1000)).$(printf %03d $((window % 1000)))
	text=$(on "$1" "timeout 120 iperf3 -J -i $interval -c ${iperf_host:-10.0.0.1} -P $3 -l ${4:-64K} -t $seconds $way") || {
		echo "$text" >&2
		fail "iperf3 over $1, $2, $3 stream(s)"
	}
	echo "$text" | awk -v skip=1 -v windows="$windows" '
		/^\t"end":/ { exit }
		/"sum":/ { sum = 1 }
		sum && /"bits_per_second":/ {
			sum = 0
			gsub(/.*:|,/, "")
			if (++n > skip && n <= skip + windows)
				text = text (text == "" ? "" : ",") sprintf("%.1f", $1 / 1e6)
		}
		END { print text }'
}

# bench PATH ARGUMENT...: what pvbench prints there
bench() {
	local path="$1"
	shift
	on "$path" "timeout 120 pvbench --windows $windows --window $window $*" || fail "pvbench $* over $path"
}

# measure METRIC PATH UNIT COMMAND...: runs it, and makes a figure of what it prints
measure() {
	local name="$1/$2" unit="$3" value
	shift 3
	value=$("$@") || exit
	[ -n "$value" ] || fail "$* printed nothing"
	progress "$name: $value $unit"
	figure "$name" "$value" "$unit"
}

# bulk_start PATH PVBENCH'S ARGUMENTS: bulk in the background, returns when it is on its way
bulk_start() {
	local bulk="pvbench --windows 100 --ready /tmp/bulk $2"
	on "$1" 'rm -f /tmp/bulk && mkfifo /tmp/bulk'
	case $1 in
	loopback)
		# shellcheck disable=SC2086 # several arguments
		$bulk > /dev/null &
		bulk_pid=$!
		;;
	*) guest_bg "$1" bulk "$bulk" ;;
	esac
	on "$1" 'read -r _ < /tmp/bulk'
}

# bulk_stop PATH: it must still have been at work
bulk_stop() {
	case $1 in
	loopback) kill "$bulk_pid" || fail "the bulk has ended" ;;
	*)
		kill -0 "$(cat "/run/lab/guests/$1/bg-bulk.pid")" || fail "the bulk has ended"
		guest_kill "$1" bulk
		;;
	esac
}
