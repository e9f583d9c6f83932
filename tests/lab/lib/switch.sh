# The switch of topology `switch`: its ports, its files, and the simulator (tests/eos_sim) that is its CLI.
# What its configuration makes of the ports is the simulator's business.
# shellcheck shell=bash disable=SC2016 # the shell in the namespace expands what is in single quotes

switch_address=198.18.200.2
switch_host_key=/etc/eos_sim/ssh_host_ed25519_key
eos_sim=${CARGO_TARGET_DIR:-$project_dir/target}/debug/eos_sim

has_switch() { [[ -e $state/switch.pid ]]; }

require_eos_sim() {
	[[ -x $eos_sim ]] || die "the simulated switch is not built: there is no $eos_sim
hint: cargo build -p eos_sim"
}

# The port that NIC number INDEX of node NUMBER is cabled to, by the name of its interface: a slash cannot be in one.
# The scenario's bond is at Ethernet7/1 and 8/1 for node1, at 9/1 and 10/1 for node2; the other NICs are from 15/1 on.
switch_port() {
	case $2 in
	1 | 2) echo "Et$((2 * $1 + 4 + $2))_1" ;;
	*) echo "Et$((2 * $1 + 13 + $2 / 3))_1" ;;
	esac
}

# Prints one end of a cable, as `ip link add` takes it: NODE_NUMBER INDEX of the other end.
switch_end() { echo "$(switch_port "$1" "$2") address $(vendor_mac 00:1c:73 "$1" "$2") netns $(namespace_pid switch)"; }

# Makes the switch ready for COUNT nodes. Its cables are there.
switch_setup() {
	local number index ports=()
	for ((number = 1; number <= $1; number++)); do
		for index in "${!nics[@]}"; do ports+=("$(switch_port "$number" "$index")"); done
	done
	! has_uplink || ports+=("$uplink_port")
	tune switch "${ports[@]}"
	management_address switch "$switch_address"
	random_text >"$state/switch_password"
	random_text >"$state/switch_enable_password"
	namespace_run switch sh -ec '
		umask 077
		mkdir -p /etc/eos_sim /mnt/flash
		ssh-keygen -q -t ed25519 -N "" -C "" -f "$1"
		cat >/etc/eos_sim/authorized_keys' sh "$switch_host_key" <"$state/id_ed25519.pub"
	# A person with privileges, and one who needs `enable`.
	printf 'admin:%s:15\noperator:%s:1\n' "$(<"$state/switch_password")" "$(<"$state/switch_password")" |
		namespace_run switch sh -c 'umask 077; cat >/etc/eos_sim/users'
	{ if has_uplink; then uplink_startup_config; else cat "$lab_dir/core.cfg"; fi; } |
		namespace_run switch sh -c 'cat >/mnt/flash/startup-config'
	start_ovs switch
	start_switch
}

random_text() (
	umask 077
	od -An -N 12 -t x1 /dev/urandom | tr -d ' \n'
)

# Its first line on standard output says that it is ready.
start_script='
	log=/var/log/eos_sim.log
	: >"$log"
	setsid "$@" >"$log" 2>&1 </dev/null &
	echo $! >/run/eos_sim.pid
	for try in $(seq 300); do
		! grep -q "^listening on " "$log" || exit 0
		kill -0 $! || break
		sleep 0.1
	done
	cat "$log"
	exit 1'

start_switch() {
	namespace_run switch sh -euc "$start_script" sh "$eos_sim" --listen "$switch_address:22" --ovs-bridge sw \
		--startup-config /mnt/flash/startup-config --write-startup \
		--user-file /etc/eos_sim/users --authorized-keys /etc/eos_sim/authorized_keys --host-key "$switch_host_key" \
		--enable-secret "$(<"$state/switch_enable_password")" --control /run/eos_sim.socket \
		>>"$state/switch.log" 2>&1 || node_failed switch "starting the simulated switch"
}

# Its ports stay as they are: only who answers at its CLI goes away.
stop_switch() {
	namespace_run switch sh -euc '
		pid=$(cat /run/eos_sim.pid)
		kill "$pid"
		for try in $(seq 100); do
			kill -0 "$pid" 2>/dev/null || exit 0
			sleep 0.1
		done
		exit 1' >>"$state/switch.log" 2>&1 || node_failed switch "stopping the simulated switch"
}

switch_runs() { namespace_run switch sh -euc 'kill -0 "$(cat /run/eos_sim.pid)"'; }
