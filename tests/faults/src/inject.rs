//! How each fault is brought about, and put right again. Nothing of the product takes part: the wires, the processes, the
//! switch and what stands in for `ifreload` are told from outside.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;
use lab::uplink::OldState;

use crate::cell::Cell;
use crate::fault::Fault;
use crate::phase::Phase;
use crate::play::Play;
use crate::site::Site;

mod kill;

/// The bond's cables by the switch's ports, the carrying one first, and the ports that they are crossed to.
const PORTS: [(&str, &str); 2] = [("Ethernet7/1", "Ethernet15/1"), ("Ethernet8/1", "Ethernet16/1")];
/// For how long both cables are out: longer than the node waits for its gateway.
const OUT: Duration = Duration::from_secs(15);
/// For how long the disk is full. Open vSwitch's database takes no change meanwhile, not even one that takes things away.
const FULL: Duration = Duration::from_secs(20);
/// Of spanning tree. EOS takes 30 s, in windows that are three times as long by default.
const FORWARD_DELAY: u32 = 10;
/// What is on a node's disk, but for root's home: modules that do not arrive there prove nothing.
const DISK: &str = "/etc/network /etc/openvswitch /var/lib/bothends /var/lib/openvswitch /var/log /var/tmp";

/// What the switch has to be like before anything begins.
pub fn prepare(fault: Fault, site: &Site) -> Result<()> {
    if fault == Fault::NoPortfast {
        site.lab.switch_control(&format!("forward-delay {FORWARD_DELAY}"))?;
    }
    Ok(())
}

/// What `ifreload` does in the cell's phase, if that is during the reload.
pub fn amid_reload(fault: Fault) -> &'static str {
    match fault {
        Fault::ReloadHangs => "amid-hang",
        Fault::ReloadFails => "amid-fail",
        Fault::ReloadLies => "amid-lie",
        _ => "hold",
    }
}

/// Brings it about while the playbook stands at the phase, and lets the playbook go on. When it happened, or was over.
pub fn inject(cell: &Cell, site: &Site, play: &mut Play<'_>) -> Result<Instant> {
    let lab = &site.lab;
    match cell.fault {
        Fault::ConnectionCut => kill::connections(site)?,
        Fault::ModuleKilled => return kill::module(cell.phase, site, play),
        Fault::VswitchdKilled => return kill::open_vswitch(&["ovs-vswitchd"], site, play),
        // Its unit is what that of ovs-vswitchd requires, so systemd restarts both.
        Fault::OvsdbKilled => return kill::open_vswitch(&["ovsdb-server", "ovs-vswitchd"], site, play),
        Fault::ReloadHangs | Fault::ReloadFails | Fault::ReloadLies => return reload(cell, site, play),
        Fault::DiskFull => {
            fill_disk(site)?;
            play.let_go()?;
            thread::sleep(FULL);
            free_disk(site)?;
        }
        Fault::CableOut => {
            // The other one is the only way that the old end has.
            lab.switch_control(&format!("partner {} down", PORTS[1].0))?;
        }
        Fault::CablesOutAndBack => {
            cables(site, "down")?;
            play.let_go()?;
            thread::sleep(OUT);
            cables(site, "up")?;
        }
        Fault::CablesCrossed => cross(site)?,
        Fault::SwitchStatic => return disobey("static", cell.phase, site, play),
        Fault::PassiveAgainstOff => return disobey("off", cell.phase, site, play),
        Fault::WrongVlan => return disobey("vlan", cell.phase, site, play),
        Fault::NoPortfast => return disobey("portfast", cell.phase, site, play),
        Fault::SwitchUnreachable => {
            play.let_go()?;
            committed(site, play)?;
            control_link(site, "switch", "down")?;
        }
        Fault::ConfirmationRefused => {
            // Sessions go on.
            site.node("kill $(cat /run/sshd.pid)")?;
            play.let_go()?;
            if cell.phase < Phase::AfterReload {
                play.wait_for("the first new connection", |play| {
                    Ok(play.told().contains("TASK [The node answers]"))
                })?;
            }
        }
        Fault::NodeRebooted => {
            let since = Instant::now();
            lab.lab("reboot", &["node1"])?;
            if cell.old == OldState::Vmbr0 {
                // The guest begins with the node.
                lab.lab("guest", &["node1", "100", "0", "10.10.0.101/24"])?;
            }
            play.let_go()?;
            return Ok(since);
        }
        Fault::ControlGone => {
            control_gone(site, play)?;
        }
    }
    play.let_go()?;
    Ok(Instant::now())
}

/// Puts right what does not end by itself, so that the migration can be run once more.
pub fn repair(fault: Fault, site: &Site) -> Result<()> {
    let lab = &site.lab;
    match fault {
        Fault::CableOut => cables(site, "up")?,
        Fault::CablesCrossed => cross(site)?,
        Fault::SwitchStatic | Fault::PassiveAgainstOff | Fault::WrongVlan | Fault::NoPortfast => {
            lab.switch_control("disobey nothing")?;
        }
        Fault::SwitchUnreachable => control_link(site, "switch", "up")?,
        Fault::ConfirmationRefused => {
            site.node("/usr/sbin/sshd -E /var/log/sshd.log")?;
        }
        Fault::ControlGone => {
            control_link(site, "switch", "up")?;
            control_link(site, "uplink", "up")?;
        }
        _ => {}
    }
    Ok(())
}

/// From now on the ports of the switch do otherwise than they are told. That shows once they are told something.
fn disobey(what: &str, phase: Phase, site: &Site, play: &mut Play<'_>) -> Result<Instant> {
    site.lab.switch_control(&format!("disobey {what}"))?;
    if phase >= Phase::BeforeConfirm && matches!(what, "static" | "off") {
        // Who has just heard a partner takes it for there until three of its messages are missing.
        play.wait_for("LACP to miss the switch", |_| {
            Ok(!site.node("ovs-appctl lacp/show")?.contains(": current"))
        })?;
    }
    play.let_go()?;
    if phase < Phase::BeforeConfirm {
        committed(site, play)?;
    }
    Ok(Instant::now())
}

fn committed(site: &Site, play: &mut Play<'_>) -> Result<()> {
    play.wait_for("the commit with its timer", |_| Ok(!site.lab.switch_control("timer")?.is_empty()))
}

/// The next `ifreload` that the migration needs; once the new configuration is live, that is the one by which the node goes
/// back, with nobody there.
fn reload(cell: &Cell, site: &Site, play: &mut Play<'_>) -> Result<Instant> {
    if cell.phase != Phase::DuringReload {
        let what = amid_reload(cell.fault).trim_start_matches("amid-");
        site.arm_reload(what)?;
    }
    if cell.phase > Phase::DuringReload {
        play.kill_control()?;
        return Ok(Instant::now());
    }
    play.let_go()?;
    play.wait_for("the reload", |_| site.reload_was_reached())?;
    Ok(Instant::now())
}

/// Every file system is in memory, and takes no more than it holds; where it holds nothing yet, something else does.
fn fill_disk(site: &Site) -> Result<()> {
    site.node(&format!(
        "for dir in {DISK}; do
           used=$(df --output=used -k $dir | tail -n 1)
           mount -o remount,size=$((used < 4 ? 4 : used))k $dir
         done
         exec 3>/var/lib/bothends/filler 4>/var/lib/openvswitch/filler 5>/var/tmp/filler
         for hole in 3 4 5; do cat /dev/zero >&$hole 2>/dev/null || true; done
         rm /var/lib/bothends/filler /var/lib/openvswitch/filler /var/tmp/filler
         setsid sleep 3600 >/dev/null 2>&1 </dev/null &
         echo $! >/root/fault/filler"
    ))
    .map(drop)
}

fn free_disk(site: &Site) -> Result<()> {
    let script =
        format!("for dir in {DISK}; do mount -o remount,size=1g $dir; done; pkill -F /root/fault/filler");
    site.node(&script).map(drop)
}

fn cables(site: &Site, how: &str) -> Result<()> {
    PORTS.iter().try_for_each(|(port, _)| site.lab.switch_control(&format!("partner {port} {how}")).map(drop))
}

fn cross(site: &Site) -> Result<()> {
    PORTS
        .iter()
        .try_for_each(|(port, other)| site.lab.switch_control(&format!("cross {port} {other}")).map(drop))
}

fn control_link(site: &Site, link: &str, how: &str) -> Result<()> {
    site.lab.exec("control", &["ip", "link", "set", link, how]).map(drop)
}

fn control_gone(site: &Site, play: &Play<'_>) -> Result<()> {
    play.kill_control()?;
    control_link(site, "uplink", "down")?;
    control_link(site, "switch", "down")
}
