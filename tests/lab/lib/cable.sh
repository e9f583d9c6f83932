# Links between namespaces: cables between NICs, the management links, the NICs' addresses and settings.
# Both ends are made where they belong, so that the machine's own namespace never sees one.
# shellcheck shell=bash

# The NICs of a node, in the order of their names and of their MACs. The scenario's bond is made of the second
# and third; the first would be chosen before them wherever the lowest name or MAC counts.
# shellcheck disable=SC2034 # used by the other pieces
nics=(ens19f0np0 ens20f0np0 ens20f1np1 ens21f0np0)

# Runs `ip` with the lab's programs, but with the machine's view of process ids, which `netns PID` needs.
ip_batch() { nsenter --target "$(namespace_pid control)" --mount --net ip -batch -; }

# A MAC of a vendor, such as 3c:fd:fe, for NIC number INDEX of node number NODE. Open vSwitch passes over locally
# administered ones, which veths have by themselves, when it chooses a bridge's MAC: so it treats them as NICs.
vendor_mac() {
	local sum
	sum=$(cksum <<<"$prefix")
	printf '%s:%02x:%02x:%02x' "$1" $((${sum%% *} % 256)) "$2" $((16 * ($3 + 1)))
}

# Prints one end of a cable, as `ip link add` takes it: NODE_NUMBER INDEX.
nic_end() { echo "${nics[$2]} address $(vendor_mac 3c:fd:fe "$1" "$2") netns $(namespace_pid "node$1")"; }

# Prints the command that makes a cable of its two ends.
cable() { echo "link add $1 type veth peer name $2"; }

# Prints the commands that connect namespace NAME to control over network NUMBER, apart from the cables.
management_link() {
	echo "link add $1 type veth peer name lab0 netns $(namespace_pid "$1")"
	echo "address add 198.18.$2.1/30 dev $1"
	echo "link set $1 up"
}

# Gives namespace NAME its end of that.
management_address() {
	namespace_run "$1" ip -batch - <<-IP
		address add $2/30 dev lab0
		link set lab0 up
	IP
}

# Where control reaches node NUMBER: over a network for each node, so that control needs no bridge, or through the switch.
node_address() { if has_uplink; then uplink_address "$1"; else echo "198.18.$1.2"; fi; }

# What a plain veth needs to behave as a NIC under the userspace datapath:
# no offloads, or checksums are left to hardware that is not there; and as the datapath does not take frames away
# from the kernel, the kernel must not answer on a cable what is meant for the bridge. With rp_filter it does not take
# what came in over a port of Open vSwitch for an address that is elsewhere: a packet would be answered twice, and one that
# Open vSwitch dropped would be answered all the same.
# shellcheck disable=SC2016 # the shell in the namespace expands these
tune_script='
for nic do
	ethtool -K "$nic" rx off tx off sg off tso off gso off gro off >/dev/null
	echo 1 >"/proc/sys/net/ipv4/conf/$nic/rp_filter"
	[ ! -e "/proc/sys/net/ipv6/conf/$nic" ] || echo 1 >"/proc/sys/net/ipv6/conf/$nic/disable_ipv6"
done
echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore
echo 2 >/proc/sys/net/ipv4/conf/all/arp_announce'

tune() { namespace_run "$1" sh -ec "$tune_script" sh "${@:2}"; }
