# Debian packages fetched into the project folder, never installed.
# apt reads what the machine has, and writes nothing outside $cache_dir.
# shellcheck shell=bash

debs_dir=$cache_dir/debs

# What the lab runs. apt adds what these depend on and the machine lacks.
lab_packages=(
	openvswitch-switch ifupdown2 python3
	iproute2 ethtool iperf3 iputils-ping iputils-arping procps
	openssh-server openssh-client tcpdump
)

# apt-get with its caches in the project folder; with private package lists too once `apt_own_lists` was called.
apt_private() {
	apt-get "${apt_options[@]}" "$@"
}

apt_setup() {
	command -v apt-get dpkg-deb >/dev/null || die "the lab's packages are Debian's, and there is no apt-get here
hint: run it on Debian 12, or in a privileged Debian 12 container"
	mkdir -p "$cache_dir/apt/cache/archives/partial" "$debs_dir"
	# Even a simulation leaves a log.
	apt_options=(-qq -o "Dir::Cache=$cache_dir/apt/cache" -o "Dir::Log=$cache_dir/apt" -o APT::Sandbox::User=root)
	[[ -d $cache_dir/apt/lists ]] && apt_options+=(-o "Dir::State::lists=$cache_dir/apt/lists")
	return 0
}

# The machine's package lists may be missing or stale, and are not ours to renew.
apt_own_lists() {
	say "fetching Debian's package lists into ${cache_dir#"$project_dir"/}/apt/lists"
	mkdir -p "$cache_dir/apt/lists/partial"
	apt_setup
	# A third-party source that does not answer is no matter: what counts is whether the packages resolve.
	apt_private update || warn "apt-get update failed for at least one source"
}

# Sets `deb_names` (name=version, what apt-get download takes), `deb_files` and `deb_bytes`
# to the packages given and all that they need which the machine lacks.
apt_resolve() {
	local plan uris
	plan=$(apt_private install --simulate --no-install-recommends "$@") || return
	uris=$(apt_private install --print-uris --yes --no-install-recommends "$@") || return
	mapfile -t deb_names < <(sed -nE 's/^Inst ([^ ]+) (\[[^]]*\] )?\(([^ ]+) .*/\1=\3/p' <<<"$plan")
	mapfile -t deb_files < <(awk '/^\x27/ { print $2 }' <<<"$uris")
	deb_bytes=$(awk '/^\x27/ { bytes += $3 } END { printf "%d", bytes }' <<<"$uris")
}

# Fetches the packages given, and what they need, into $debs_dir; sets what apt_resolve sets.
apt_fetch() {
	apt_resolve "$@" && apt_download "${deb_names[@]}"
}

# Fetches the packages given, and nothing else, installed or not.
apt_download() {
	(($# == 0)) || (cd "$debs_dir" && apt_private download "$@")
}

# Calls one of the above, a second time with fresh package lists if it fails with the machine's.
apt_do() {
	local log=$cache_dir/apt/log
	apt_setup
	"$@" 2>"$log" && return
	apt_own_lists
	"$@" 2>"$log" && return
	cat "$log" >&2
	die "fetching Debian packages failed: ${*:2}
hint: see the lines above; \`apt-get update\` has to work for Debian's own sources"
}
