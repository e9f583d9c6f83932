# Paths, messages and the state folder that every piece of the lab uses.
# Nothing here touches a namespace or the network.
# shellcheck shell=bash

lab_dir=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
project_dir=$(cd -- "$lab_dir/../.." && pwd)

# Everything that the lab fetches or writes lies below, and git ignores it.
cache_dir=$project_dir/.lab
lab_root=$cache_dir/root

node_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

say() { printf '%s\n' "$*" >&2; }

warn() { say "${0##*/}: warning: $*"; }

die() {
	say "${0##*/}: $*"
	exit 1
}

# Ends with a hint unless the caller is root. $1: what needs it, and why.
require_root() {
	((EUID == 0)) || die "$1 needs root
hint: run it with sudo, or as root"
}

# Sets the folder that holds all there is to know about the running lab of a prefix.
set_prefix() {
	[[ $1 =~ ^[a-z][a-z0-9]{0,15}$ ]] || die "\`$1\` is not a prefix: 1 to 16 lower-case letters and digits, beginning with a letter"
	prefix=$1
	state=$cache_dir/run/$prefix
}

require_up() {
	[[ -f $state/ready ]] || die "lab \`$prefix\` is not up
hint: $lab_dir/lab --prefix $prefix up"
}
