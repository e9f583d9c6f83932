# What Ansible and ssh need to reach the nodes and the switch from `control`: a key, their host keys, an inventory.
# shellcheck shell=bash

make_key() { namespace_run control ssh-keygen -q -t ed25519 -N '' -C "lab $prefix" -f "$state/id_ed25519"; }

# Writes ssh_config, known_hosts and inventory.yml for nodes 1 to COUNT, and for the switch if there is one.
write_inventory() {
	local number name address
	if has_switch; then
		echo "core,$switch_address $(namespace_run switch cat "$switch_host_key.pub")" >>"$state/known_hosts"
		printf 'Host core\n\tHostName %s\n\tUser admin\n\n' "$switch_address" >>"$state/ssh_config"
	fi
	for ((number = 1; number <= $1; number++)); do
		name=node$number address=$(node_address "$number")
		echo "$name,$address $(namespace_run "$name" cat /etc/ssh/ssh_host_ed25519_key.pub)" >>"$state/known_hosts"
		printf 'Host %s\n\tHostName %s\n\n' "$name" "$address" >>"$state/ssh_config"
	done
	cat >>"$state/ssh_config" <<-SSH
		Host *
			User root
			IdentityFile "$state/id_ed25519"
			IdentitiesOnly yes
			UserKnownHostsFile "$state/known_hosts"
			GlobalKnownHostsFile none
			StrictHostKeyChecking yes
	SSH
	{
		echo "# The machines of lab $prefix, seen from its control namespace. Lies over an inventory that describes the links."
		echo "nodes:"
		echo "  hosts:"
		for ((number = 1; number <= $1; number++)); do
			printf '    node%s:\n      ansible_host: %s\n' "$number" "$(node_address "$number")"
		done
		cat <<-YAML
			  vars:
			    ansible_user: root
			    ansible_ssh_common_args: -F "$state/ssh_config"
			    ansible_python_interpreter: /usr/bin/python3
			    # There is no kernel datapath in a namespace.
			    ovs_datapath_type: netdev
		YAML
		! has_switch || cat <<-YAML
			switches:
			  hosts:
			    core:
			      ansible_host: $switch_address
			  vars:
			    # Its module runs in control.
			    ansible_connection: local
			    ansible_python_interpreter: /usr/bin/python3
			    switch_username: admin
			    switch_password: "{{ lookup('ansible.builtin.file', '$state/switch_password') }}"
			    switch_known_hosts: $state/known_hosts
		YAML
	} >"$state/inventory.yml"
}
