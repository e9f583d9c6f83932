# The way in that a migration changes: `control` behind the switch, and nodes as they are before Open vSwitch, reached over
# the very NIC that the bond is to be made of.
# shellcheck shell=bash

# Ethernet1/1 of the switch; at the other end of the cable is control's `uplink`.
uplink_port=Et1_1
uplink_nic=ens20f0np0
# The gateway of the nodes. Their network is untagged at all ports of the switch.
uplink_gateway=10.10.0.1
uplink_vlan=10

has_uplink() { [[ -e $state/uplink ]]; }

# In what state the nodes begin: `nic`, the address is on the NIC itself; `vmbr0`, on a Linux bridge, as the installer leaves it.
uplink_state() { cat "$state/uplink"; }

# As the example inventory has it: node1 is 10.10.0.2.
uplink_address() { echo "10.10.0.$(($1 + 1))"; }

# Prints the command that makes control's cable.
uplink_cable() {
	cable "uplink address $(vendor_mac 3c:fd:fe 0 0) netns $(namespace_pid control)" \
		"$uplink_port address $(vendor_mac 00:1c:73 0 0) netns $(namespace_pid switch)"
}

uplink_control() {
	tune control uplink
	namespace_run control ip -batch - <<-IP
		address add $uplink_gateway/24 dev uplink
		link set uplink up
	IP
}

# Prints core.cfg with every port as one that a single machine is cabled to.
uplink_startup_config() {
	sed "s,^interface Ethernet.*,&\n   switchport access vlan $uplink_vlan\n   spanning-tree portfast," "$lab_dir/core.cfg"
}

# Prints the stanzas of node NUMBER, as Proxmox writes them and in its order.
uplink_stanzas() {
	local nic address
	printf -v address '\taddress %s/24\n\tgateway %s' "$(uplink_address "$1")" "$uplink_gateway"
	for nic in "${nics[@]}"; do
		if [[ $nic == "$uplink_nic" && $(uplink_state) == nic ]]; then
			printf 'auto %s\niface %s inet static\n%s\n\n' "$nic" "$nic" "$address"
		else
			printf 'iface %s inet manual\n\n' "$nic"
		fi
	done
	[[ $(uplink_state) != vmbr0 ]] ||
		printf 'auto vmbr0\niface vmbr0 inet static\n%s\n\tbridge-ports %s\n\tbridge-stp off\n\tbridge-fd 0\n\n' "$address" "$uplink_nic"
}

# Makes node NUMBER what its file says, with a guest on its bridge.
uplink_node() {
	namespace_run "node$1" ifreload -a >>"$state/node$1.log" 2>&1 || node_failed "node$1" "bringing up the network"
	[[ $(uplink_state) != vmbr0 ]] || guest "node$1" "${1}00" 0 "10.10.0.$((100 + $1))/24"
}
