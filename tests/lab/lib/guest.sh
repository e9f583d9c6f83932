# A guest of a node: a namespace whose one interface is a port of the node's bridge, as a virtual machine's is.
# shellcheck shell=bash

# NODE ID VLAN CIDR. On a Linux bridge that is not VLAN-aware there is no VLAN: 0. Called again for the same guest, it plugs it in again (ifreload unplugs guests: README.md).
guest() {
	local node=$1 id=$2 vlan=$3 cidr=$4 name=guest$2 port=tap${2}i0 mac
	[[ $id =~ ^[1-9][0-9]{0,5}$ ]] || die "\`$id\` is not a guest's id: a number, as Proxmox numbers virtual machines"
	[[ -e $state/$name.pid ]] || namespace_start plain "$name"
	# A reboot of the node takes the link away.
	if ! namespace_run "$name" test -e /sys/class/net/eth0; then
		# A Linux bridge has the lowest MAC of its ports, and that shall be the NIC's.
		printf -v mac 'fe:00:00:%02x:%02x:%02x' $((id >> 16 & 255)) $((id >> 8 & 255)) $((id & 255))
		ip_batch <<<"link add $port address $mac netns $(namespace_pid "$node") type veth peer name eth0 netns $(namespace_pid "$name")"
		tune "$name" eth0
		tune "$node" "$port"
		namespace_run "$name" ip -batch - <<-IP
			address add $cidr dev eth0
			link set eth0 up
		IP
	fi
	namespace_run "$node" ip link set "$port" up
	if namespace_run "$node" test -e /sys/class/net/vmbr0/bridge; then
		((vlan == 0)) || die "vmbr0 on \`$node\` is a Linux bridge, where the lab knows no VLAN
hint: 0 for VLAN"
		namespace_run "$node" ip link set "$port" master vmbr0
		return
	fi
	namespace_run "$node" ovs-vsctl --timeout=10 --may-exist add-port vmbr0 "$port" -- set Port "$port" "tag=$vlan"
}
