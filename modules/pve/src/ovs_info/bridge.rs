//! A bridge as it is told.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::interfaces::Kind;
use crate::live;
use crate::picture::Picture;

/// A bridge.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Bridge {
    configured: bool,
    datapath_type: String,
    /// Of the bridge's own interface, which is also the LACP system id of its bonds unless one is given.
    mac: Option<String>,
    /// Without the bridge's own.
    ports: BTreeSet<String>,
}

impl Bridge {
    pub(super) fn found(picture: &Picture, name: &str) -> Option<Self> {
        let live::Bridge { datapath_type, .. } = live::Bridge::found(&picture.ovs, name)?;
        let ports = &picture.ovs.bridges.get(name)?.ports;
        Some(Self {
            configured: super::is_configured(picture, name, Kind::OvsBridge),
            datapath_type,
            mac: picture.links.get(name).map(|link| link.mac.clone()),
            ports: ports.iter().filter(|port| *port != name).cloned().collect(),
        })
    }
}
