//! A bridge as it is told: its settings from the database, its own interface from the kernel.

use std::collections::BTreeSet;

use serde::Serialize;

use super::declared::Declared;
use super::link::OnLink;
use crate::live;
use crate::picture::Picture;

/// A bridge. Where it is not live, nothing is told but what the files say.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Bridge {
    live: bool,
    #[serde(flatten)]
    pub(super) declared: Declared,
    datapath_type: Option<String>,
    stp: Option<bool>,
    rstp: Option<bool>,
    mcast_snooping: Option<bool>,
    /// Of the bridge's own interface. Its MAC is also the LACP system id of its bonds unless one is given.
    #[serde(flatten)]
    link: OnLink,
    /// The NICs that are attached directly.
    ports: BTreeSet<String>,
    /// Without the bridge's own.
    other_ports: BTreeSet<String>,
}

impl Bridge {
    pub(super) fn new(picture: &Picture, name: &str, declared: Declared) -> Self {
        let Some(row) = picture.ovs.bridges.get(name) else { return Self { declared, ..Self::default() } };
        let ports = row.ports.iter().filter(|port| *port != name).cloned();
        let (ports, other_ports) = ports.partition(|port| picture.links.is_nic(port));
        Self {
            live: true,
            declared,
            datapath_type: live::Bridge::found(&picture.ovs, name, None).map(|bridge| bridge.datapath_type),
            stp: Some(row.stp_enable),
            rstp: Some(row.rstp_enable),
            mcast_snooping: Some(row.mcast_snooping_enable),
            link: OnLink::found(picture, name),
            ports,
            other_ports,
        }
    }
}
