//! One lab in which one cell is run: a node before its migration, the switch, and the witness behind it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lab::uplink::{GUEST, OldState};
use lab::{Lab, wait_until};

use crate::witness::{self, Witness};

/// The node that migrates.
pub const NODE: &str = "node1";
/// A busy machine is slow to exchange keys.
const LOGIN: Duration = Duration::from_secs(20);

/// The lab of a cell.
pub struct Site {
    /// The lab itself.
    pub lab: Lab,
    /// Where the node began.
    pub old: OldState,
    witness: Witness,
    /// The part of MACs that is this lab's.
    own_mac: String,
}

impl Site {
    /// Brings it up, with what stands in for `ifreload` in its place.
    pub fn up(old: OldState) -> Result<Self> {
        let lab = Lab::up_uplink(old)?;
        lab.write(NODE, "/root/ifreload", include_str!("../ifreload"))?;
        lab.sh(
            NODE,
            "mkdir -p /root/fault/bin
             # By the name that it is called by, it knows what to do.
             ln -s /usr/share/ifupdown2/__main__.py /root/fault/bin/ifreload
             rm /usr/sbin/ifreload
             install -m 755 /root/ifreload /usr/sbin/ifreload",
        )?;
        let witness = Witness::start(&lab)?;
        let address = lab.read(NODE, "/sys/class/net/ens20f0np0/address")?;
        let own_mac = address.split(':').nth(3).context("a MAC of less than four parts")?.to_owned();
        Ok(Self { lab, old, witness, own_mac })
    }

    /// Runs a shell script on the node, through the machine that the lab is on and not through the network.
    pub fn node(&self, script: &str) -> Result<String> {
        self.lab.sh(NODE, script)
    }

    /// The next `ifreload` does this (see the script `ifreload`).
    pub fn arm_reload(&self, what: &str) -> Result<()> {
        self.node(&format!("rm -f /root/fault/reached /root/fault/go; echo {what} >/root/fault/next"))
            .map(drop)
    }

    /// Whether it has begun to.
    pub fn reload_was_reached(&self) -> Result<bool> {
        Ok(!self.node("cat /root/fault/reached 2>/dev/null || true")?.is_empty())
    }

    /// Since when the management address answers, as seen from behind the switch.
    pub fn answered_since(&self, since: Instant) -> Option<Instant> {
        self.witness.answered_since(since)
    }

    /// That the guest does, where there is one.
    pub fn ensure_guest_answers(&self) -> Result<()> {
        match self.old {
            OldState::Nic => Ok(()),
            OldState::Vmbr0 => self.lab.wait_for_answer("switch", &["-I", witness::NAME], GUEST),
        }
    }

    /// That it takes a login, too.
    pub fn ensure_login(&self) -> Result<()> {
        wait_until("a login at the node, which answers", LOGIN, || {
            Ok(Witness::logs_in(&self.lab)?.then_some(()))
        })
    }
}

/// The vendors' parts of MACs. What follows is the lab's own; the rest says which NIC it is.
const VENDORS: [&str; 3] = ["3c:fd:fe", "3e:fd:fe", "00:1c:73"];

impl Site {
    /// The text with the labs' own part of MACs left out.
    pub fn without_own_macs(&self, text: &str) -> String {
        VENDORS.iter().fold(text.to_owned(), |text, vendor| {
            text.replace(&format!("{vendor}:{}:", self.own_mac), &format!("{vendor}:__:"))
        })
    }

    /// The same with this lab's.
    pub fn with_own_macs(&self, text: &str) -> String {
        text.replace(":__:", &format!(":{}:", self.own_mac))
    }
}
