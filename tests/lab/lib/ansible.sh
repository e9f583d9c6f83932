# What Ansible and ssh need to reach the nodes from `control`: a key, the nodes' host keys, an inventory.
# shellcheck shell=bash

make_key() { namespace_run control ssh-keygen -q -t ed25519 -N '' -C "lab $prefix" -f "$state/id_ed25519"; }

# Writes ssh_config, known_hosts and inventory.yml for nodes 1 to COUNT.
write_inventory() {
	local number name address
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
		echo "# The nodes of lab $prefix, seen from its control namespace. Lies over an inventory that describes the links."
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
	} >"$state/inventory.yml"
}
