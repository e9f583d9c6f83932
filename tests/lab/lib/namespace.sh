# A namespace of the lab: started, found, entered, ended. What happens inside is init.sh's business.
# It has a name only in the state folder: no file under /run/netns, nothing that the machine could list or keep.
# shellcheck shell=bash

# Starts KIND (see init.sh) namespace NAME. Its first process ends everything in it when it ends.
namespace_start() {
	local kind=$1 name=$2 pid
	[[ ! -e $state/$name.pid ]] || die "lab \`$prefix\` has a \`$name\` already"
	# The first process answers with its id, or with nothing: then it has said why in the log.
	if ! read -r pid < <(
		exec env --ignore-environment "PATH=$node_path" "BOTHENDS_LAB=$state" "CARGO_TARGET_DIR=${CARGO_TARGET_DIR-}" \
			setsid unshare --mount --uts --net --pid --fork --kill-child \
			bash "$lab_dir/lib/init.sh" "$prefix" "$kind" "$name" 2>>"$state/$name.log" </dev/null
	); then
		cat "$state/$name.log" >&2
		die "making namespace \`$name\` failed
hint: it needs the rights of root on the machine itself; a container has to be privileged"
	fi
	printf '%s\n' "$pid" >"$state/$name.pid"
}

namespace_pid() {
	[[ -f $state/$1.pid ]] || die "lab \`$prefix\` has no \`$1\`
hint: it has: $(namespace_names | paste -sd ' ')"
	cat "$state/$1.pid"
}

namespace_names() {
	local file
	for file in "$state"/*.pid; do
		[[ -e $file ]] && basename "$file" .pid
	done
	return 0
}

# Whether NAME is a machine of its own, as namespaces of kind `node` are.
is_machine() { [[ $1 == node* || $1 == switch ]]; }

# Becomes COMMAND in namespace NAME. In a machine of its own the environment is that of a login; elsewhere it is the caller's.
# The command is sent a TERM when the caller goes away.
namespace_exec() {
	local name=$1 pid
	shift
	pid=$(namespace_pid "$name")
	local enter=(nsenter --target "$pid" --mount --uts --net --pid setpriv --pdeathsig TERM)
	if is_machine "$name"; then
		exec "${enter[@]}" env --ignore-environment --chdir=/root "PATH=$node_path" HOME=/root USER=root LOGNAME=root SHELL=/bin/bash \
			LANG=C.UTF-8 "TERM=${TERM-dumb}" "$@"
	fi
	# What Ansible and the modules keep in the user's home goes with the namespace instead: the switch of another lab has the
	# same address. A short path, for the names of Ansible's sockets.
	exec "${enter[@]}" env --chdir="$PWD" "PATH=$project_dir/.venv/bin:$PATH:$node_path" \
		ANSIBLE_HOME=/dev/shm/ansible ANSIBLE_SSH_CONTROL_PATH_DIR=/dev/shm/ansible/cp XDG_STATE_HOME=/dev/shm/state "$@"
}

namespace_run() { (namespace_exec "$@"); }

# The processes that hold the lab together, seen from the machine, whether or not their pid files were written.
lab_holders() {
	grep --files-with-matches --no-messages --null-data --line-regexp --fixed-strings "BOTHENDS_LAB=$state" /proc/[0-9]*/environ |
		cut -d / -f 3
}

# Ends every process of the lab. Its mounts and links go with the namespaces.
lab_kill() {
	local holders tries=0
	while mapfile -t holders < <(lab_holders) && ((${#holders[@]} > 0)); do
		((tries++ < 100)) || die "processes of lab \`$prefix\` do not end: ${holders[*]}"
		kill -KILL "${holders[@]}" 2>/dev/null || true
		sleep 0.05
	done
}
