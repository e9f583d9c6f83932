//! Processes that end in the middle of what they do.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::phase::Phase;
use crate::play::Play;
use crate::site::Site;

/// Prints the processes whose program's path matches a pattern of the shell.
const PROCESSES: &str = r#"
processes() {
  for process in /proc/[0-9]*; do
    case $(readlink "$process/exe") in $1) echo "${process#/proc/}" ;; esac
  done
}"#;

/// After what systemd takes before it starts again what failed, and a little more.
const RESTART: Duration = Duration::from_millis(500);

/// Both ends of every connection between Ansible and the node die at once. Of ssh, only who holds a connection that is shared:
/// whoever uses it says itself that it is gone, and Ansible takes one that was killed for a module's failure.
pub fn connections(site: &Site) -> Result<()> {
    site.lab.sh("control", "kill -KILL $(pgrep -f '^ssh: .*\\[mux\\]') 2>/dev/null || true")?;
    site.node("kill -KILL $(pgrep -x sshd | grep -vx \"$(cat /run/sshd.pid)\") 2>/dev/null || true").map(drop)
}

/// The module that is at work in the phase, or begins right after it, dies: before it has done anything that lasts, but
/// during the reload.
pub fn module(phase: Phase, site: &Site, play: &mut Play<'_>) -> Result<Instant> {
    let (machine, module) = match phase {
        Phase::BeforeWrite => ("node1", "pve_ovs_bridge"),
        Phase::AfterWrite | Phase::DuringReload | Phase::BeforeConfirm => ("node1", "pve_network_apply"),
        Phase::AfterReload | Phase::BetweenConfirmations => ("control", "eos_port_channel"),
    };
    let lab = &site.lab;
    if phase == Phase::DuringReload {
        // Who makes the change, and not the one who only waits for it.
        site.node("kill -KILL \"$(sed -n 's/^pid \\([0-9]*\\), .*/\\1/p' /run/bothends/node.lock)\"")?;
        play.let_go()?;
        return Ok(Instant::now());
    }
    // So that it is still at work when it is found: whoever writes the file waits for Proxmox's lock, and the switch is slow.
    site.node(
        "flock --close /etc/network/.pve-interfaces.lock sleep 600 >/dev/null 2>&1 </dev/null &
         echo $! >/root/fault/holder",
    )?;
    lab.switch_control("delay 300")?;
    play.let_go()?;
    let found = format!("{PROCESSES}\nprocesses '*[/_]{module}'");
    play.wait_for(module, |_| Ok(!lab.sh(machine, &found)?.is_empty()))?;
    thread::sleep(Duration::from_secs(1));
    lab.sh(machine, &format!("{found} | xargs --no-run-if-empty kill -KILL"))?;
    let since = Instant::now();
    lab.switch_control("clear")?;
    site.node("pkill -P $(cat /root/fault/holder); true")?;
    Ok(since)
}

/// Daemons of Open vSwitch die, and are started again as their units of systemd are. What the kernel's datapath would keep
/// meanwhile, the one in userspace loses: the interfaces of bridges and `IntPort`s, which are made good.
pub fn open_vswitch(daemons: &[&str], site: &Site, play: &mut Play<'_>) -> Result<Instant> {
    site.node(
        r#"
        for link in $(ovs-vsctl --timeout=5 --bare --columns=name find Interface type=internal); do
          [ -e "/sys/class/net/$link" ] || continue
          echo "link set dev $link address $(cat "/sys/class/net/$link/address")"
          ip -oneline link show dev "$link" up | grep -q . && echo "link set dev $link up"
          ip -oneline -4 address show dev "$link" | while read -r _ _ _ cidr _; do echo "address add $cidr dev $link"; done
          ip -4 route show dev "$link" default | while read -r route; do echo "route replace $route dev $link onlink"; done
        done >/root/fault/kept"#,
    )?;
    let first = daemons.first().copied().unwrap_or_default();
    site.node(&format!("kill -KILL $(cat /run/openvswitch/{first}.pid)"))?;
    let since = Instant::now();
    play.let_go()?;
    thread::sleep(RESTART);
    for daemon in daemons {
        let other = if *daemon == "ovs-vswitchd" { "ovsdb-server" } else { "ovs-vswitchd" };
        site.node(&format!(
            "PATH=/usr/share/openvswitch/scripts:$PATH
             [ {daemon} = {first} ] || ovs-ctl --no-{other} stop
             ovs-ctl --no-{other} --no-monitor --system-id=random --no-record-hostname start"
        ))?;
    }
    // A port that was deleted meanwhile has nothing to keep.
    site.node(
        r#"
        sed -n 's/^link set dev \(.*\) address .*/\1/p' /root/fault/kept | while read -r link; do
          ovs-vsctl --timeout=5 get Interface "$link" name >/dev/null 2>&1 || continue
          for try in $(seq 100); do [ -e "/sys/class/net/$link" ] && break; sleep 0.02; done
          grep " dev $link\( \|$\)" /root/fault/kept
        done >/root/fault/good
        ip -force -batch /root/fault/good 2>/dev/null || true"#,
    )?;
    Ok(since)
}
