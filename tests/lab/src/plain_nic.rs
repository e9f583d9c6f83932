//! A node whose address is on a plain NIC, and the staged change that makes a bond of that NIC and another: what
//! `pve_network_apply` is for. The peer, beyond the cables, is a bond that works with either.

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::link::{MEMBERS, Task};
use crate::{Answer, Lab};

/// The node.
pub const NODE: &str = "node1";
const PEER: &str = "node2";
const ADDRESS: &str = "192.0.2.10";
const ADDRESS6: &str = "fd00::10";
/// The node's router, which is the peer.
pub const ROUTER: &str = "192.0.2.1";
/// The file before.
pub const OLD: &str = "auto lo
iface lo inet loopback

auto ens20f0np0
iface ens20f0np0 inet static
\taddress 192.0.2.10/24
\tgateway 192.0.2.1

iface ens20f0np0 inet6 static
\taddress fd00::10/64
\tgateway fd00::1

iface ens19f0np0 inet manual

iface ens20f1np1 inet manual

iface ens21f0np0 inet manual

";
/// Where the text stands that waits.
pub const STAGED: &str = "/etc/network/interfaces.new";

/// The tasks that stage the bond.
pub fn staged() -> [Task; 3] {
    [
        ("pve_ovs_bridge", json!({"name": "vmbr0", "datapath_type": "netdev", "apply": false})),
        (
            "pve_ovs_bond",
            json!({"name": "bond0", "bridge": "vmbr0", "members": MEMBERS, "mode": "lacp-balance-tcp", "lacp_time": "fast",
                   "lacp_fallback": true, "member_addresses": "remove", "apply": false}),
        ),
        (
            "pve_ovs_intport",
            json!({"name": "mgmt", "bridge": "vmbr0", "cidr": format!("{ADDRESS}/24"), "gateway": ROUTER, "cidr6": format!("{ADDRESS6}/64"),
                   "gateway6": "fd00::1", "apply": false}),
        ),
    ]
}

impl Lab {
    /// Brings up the node and its peer.
    pub fn up_plain_nic() -> Result<Self> {
        let lab = Self::up()?;
        lab.sh(
            PEER,
            "ovs-vsctl add-br vmbr0 -- set Bridge vmbr0 datapath_type=netdev \
               -- add-bond vmbr0 bond0 ens20f0np0 ens20f1np1 \
               -- set Port bond0 bond_mode=balance-tcp lacp=active other_config:lacp-time=fast \
                  other_config:lacp-fallback-ab=true other_config:bond-primary=ens20f0np0
             ip link set ens20f0np0 up; ip link set ens20f1np1 up
             ip address add 192.0.2.1/24 dev vmbr0; ip address add fd00::1/64 dev vmbr0 nodad; ip link set vmbr0 up",
        )?;
        lab.write(NODE, "/etc/network/interfaces", OLD)?;
        // A cable of the lab is silent by itself.
        lab.write(NODE, "/proc/sys/net/ipv6/conf/ens20f0np0/disable_ipv6", "0")?;
        lab.exec(NODE, &["ifreload", "-a"])?;
        lab.peer_is_answered()?;
        Ok(lab)
    }

    /// Stages the bond; the text that waits now.
    pub fn stage(&self) -> Result<String> {
        ensure!(self.run(NODE, &staged())? == [true; 3], "it was staged already");
        self.read(NODE, STAGED)
    }

    /// `pve_network_apply` on the node.
    pub fn network_apply(&self, arguments: &Value) -> Result<Answer> {
        self.module(NODE, "pve_network_apply", arguments)
    }

    /// Waits until the peer gets an answer from the node's addresses.
    pub fn peer_is_answered(&self) -> Result<()> {
        [ADDRESS, ADDRESS6].iter().try_for_each(|address| self.wait_for_answer(PEER, &[], address))
    }

    /// The MAC address that the peer knows of the node; empty where it knows none.
    pub fn known_to_peer(&self) -> Result<String> {
        let entry = self.exec(PEER, &["ip", "neighbour", "show", "to", ADDRESS])?;
        let mac = entry.split_whitespace().skip_while(|word| *word != "lladdr").nth(1);
        Ok(mac.unwrap_or_default().to_owned())
    }

    /// The two interfaces files of the node; where none is staged, nothing of it.
    pub fn interfaces_files(&self) -> Result<(String, Option<String>)> {
        let is_staged = self.sh(NODE, &format!("[ ! -e {STAGED} ] || echo yes"))?.contains("yes");
        let staged = is_staged.then(|| self.read(NODE, STAGED)).transpose()?;
        Ok((self.read(NODE, "/etc/network/interfaces")?, staged))
    }
}
