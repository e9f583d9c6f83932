#!/usr/bin/env bash
# The first process of a namespace of the lab: makes its file system, reports its process id, then reaps orphans.
# Started by namespace_start, in namespaces that are its own already. Kinds:
#   plain   the machine's files, with the lab's packages laid over /usr, read-only (control, guests)
#   node    a root of its own: the lab's packages over the machine's files, and every write goes to memory (nodes, switch)
set -euo pipefail
# shellcheck source=common.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/common.sh"
set_prefix "$1"
kind=$2
name=$3

exec 3>&1 1>&2
# /proc is still the machine's, so this is the id by which the machine knows us.
read -r pid _ </proc/self/stat

plain_files() {
	cd "$lab_root/usr"
	mount -t overlay overlay -o ro,lowerdir=.:/usr /usr
	cd /
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t tmpfs -o mode=1777 tmpfs /dev/shm
}

fresh() { mkdir -p "$root$1" && mount -t tmpfs -o "mode=${2-755}" tmpfs "$root$1"; }

# Build results are shared, read-only, at the paths that they have on the machine.
share() { mkdir -p "$root$1" && mount --bind "$1" "$root$1" && mount -o remount,bind,ro "$root$1"; }

node_files() {
	mkdir -p "$state/$name"
	mount -t tmpfs -o mode=755 tmpfs "$state/$name"
	cd "$state/$name"
	mkdir upper work usr-upper usr-work root packages
	mount --bind "$lab_root" packages
	# Two overlays, because no layer may lie inside another one of the same overlay, as the packages do in /.
	# The paths are relative, so that no character of the project's path can be taken for a separator.
	mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root
	mount -t overlay overlay -o lowerdir=packages/usr:/usr,upperdir=usr-upper,workdir=usr-work root/usr
	root=$PWD/root

	local dir
	for dir in /run /etc/network /etc/openvswitch /etc/ssh /var/lib/bothends /var/lib/openvswitch /var/log /root:700 /tmp:1777 /var/tmp:1777; do
		fresh "${dir%:*}" "$([[ $dir == *:* ]] && echo "${dir#*:}" || echo 755)"
	done
	mkdir -p "$root"/run/{lock,network,openvswitch,sshd} "$root"/var/tmp/network "$root"/var/log/openvswitch
	cp -R "$lab_root/etc/." "$root/etc"
	node_devices
	share "$project_dir"
	[[ -z ${CARGO_TARGET_DIR-} || $CARGO_TARGET_DIR == "$project_dir"/* || ! -d $CARGO_TARGET_DIR ]] || share "$CARGO_TARGET_DIR"

	mount -t proc proc "$root/proc"
	mount -t sysfs sysfs "$root/sys"
	mkdir "$root/run/machine"
	cd "$root"
	pivot_root . run/machine
	umount --lazy /run/machine
	rmdir /run/machine
	node_accounts
	# Nothing in a node may load a kernel module into the machine.
	ln -sf /bin/true /usr/sbin/modprobe
	# There is no systemd, and Ansible's service module must not find any.
	rm -f /usr/bin/systemctl /usr/sbin/init
	# As under systemd, where ifupdown2 alone brings interfaces up.
	echo READ_INTERFACES=no >/etc/default/openvswitch-switch
}

# A /dev of its own: /dev/log would be the machine's log.
node_devices() {
	fresh /dev
	cp -a /dev/{null,zero,full,random,urandom,tty} "$root/dev"
	mkdir "$root"/dev/{net,pts,shm}
	mknod "$root/dev/net/tun" c 10 200
	mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$root/dev/pts"
	ln -s pts/ptmx "$root/dev/ptmx"
	ln -s /proc/self/fd "$root/dev/fd"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
}

# root may log in with a key, whatever the machine thinks of its password; sshd wants its own user.
node_accounts() {
	sed -i 's/^root:[^:]*:/root:*:/' /etc/shadow
	sed -i 's/^\(root:.*:\)[^:]*$/\1\/bin\/bash/' /etc/passwd
	grep -q ^sshd: /etc/passwd || echo sshd:x:999:65534::/run/sshd:/usr/sbin/nologin >>/etc/passwd
	echo "$name" >/etc/hostname
	printf '127.0.0.1 localhost\n127.0.1.1 %s\n' "$name" >/etc/hosts
}

"${kind}_files"
printf '%s' "$name" >/proc/sys/kernel/hostname
ip link set lo up
printf '%s\n' "$pid" >&3
exec 3>&-

# bash collects any child while it waits.
while :; do
	sleep infinity &
	wait $! || true
done
