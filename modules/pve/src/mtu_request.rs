//! MTUs, brought about: requested of Open vSwitch, which then sets and keeps them, or no longer requested.
//!
//! `ifreload -a` takes a request away and leaves the MTU; of a bond's members it leaves the request as well, and sets the
//! MTU to what it was asked for only to have it set back. So all this is done before it: what is there already when it
//! runs, it does not move to and fro.

use std::collections::BTreeMap;

use ansible_module::converge::Device;
use ansible_module::fault::Fault;

use crate::change::Change;
use crate::node::Node;
use crate::ovsdb::InterfaceColumn;
use crate::picture::Picture;
use crate::setting::Setting;

/// What an interface is to have.
#[derive(Debug, Default)]
struct Wanted {
    /// `Leave` where the request is as it shall be.
    request: Setting<u32>,
    /// `None` where the MTU is as it shall be, or nobody's of ours.
    mtu: Option<u32>,
}

impl Node<'_> {
    /// Brings about the MTUs among `changes`, of what is there.
    pub(crate) fn set_mtus(&mut self, changes: &[Change]) -> Result<(), Fault> {
        let wanted = wanted(changes);
        if wanted.is_empty() {
            return Ok(());
        }
        let Picture { links, ovs, .. } = self.read()?;
        let mut ended = Vec::new();
        self.send(|transaction| {
            for (name, Wanted { request, mtu }) in &wanted {
                let Some(row) = ovs.interfaces.get(name) else { continue };
                let mut request = match request {
                    Setting::Leave => row.mtu_request,
                    Setting::Remove => None,
                    Setting::Set(mtu) => Some(*mtu),
                };
                if request.is_none() {
                    ended.push(name);
                    let is_as_wanted = mtu.is_none() || links.get(name).map(|link| link.mtu) == *mtu;
                    // An MTU that is no longer requested stays, so the one to go back to is requested first.
                    request = if is_as_wanted { row.mtu_request } else { *mtu };
                }
                transaction.set_interface(name, &InterfaceColumn::MtuRequest(request))?;
            }
            Ok(())
        })?;
        self.read()?;
        self.send(|transaction| {
            let request = InterfaceColumn::MtuRequest(None);
            ended.iter().try_for_each(|name| transaction.set_interface(name, &request))
        })?;
        let links = self.read()?.links;
        for (name, Wanted { mtu, .. }) in &wanted {
            let Some((link, mtu)) = links.get(name).zip(*mtu) else { continue };
            if link.mtu != mtu {
                self.ip(&["link", "set", "dev", name, "mtu", &mtu.to_string()])
                    .map_err(|fault| refused(name, mtu, &fault))?;
            }
        }
        Ok(())
    }
}

fn refused(name: &str, mtu: u32, fault: &Fault) -> Fault {
    Fault::new(
        "mtu_refused",
        format!(
            "setting the MTU of `{name}` to {mtu} failed: {fault}; \
             hint: `maxmtu` in `ip -details link show {name}` is the largest that it takes"
        ),
    )
}

fn wanted(changes: &[Change]) -> BTreeMap<String, Wanted> {
    let mut wanted = BTreeMap::<String, Wanted>::new();
    for change in changes {
        match change {
            Change::Bridge { name, from: Some(from), to: Some(to) } if from.mtu_request != to.mtu_request => {
                wanted.entry(name.clone()).or_default().request = setting(to.mtu_request);
            }
            Change::Port { from: Some(from), to: Some(to), .. } => {
                for name in &to.interfaces {
                    let request = to.mtu_requests.get(name);
                    if from.mtu_requests.get(name) != request {
                        wanted.entry(name.clone()).or_default().request = setting(request.copied());
                    }
                }
            }
            Change::Link { name, from, to } if from.present && to.present && from.mtu != to.mtu => {
                wanted.entry(name.clone()).or_default().mtu = to.mtu;
            }
            _ => {}
        }
    }
    // What goes with its port is not to be set back by it until then.
    for change in changes {
        let Change::Port { from: Some(from), to: None, .. } = change else { continue };
        for name in &from.interfaces {
            if let Some(Wanted { request: request @ Setting::Leave, .. }) = wanted.get_mut(name) {
                *request = Setting::Remove;
            }
        }
    }
    wanted
}

fn setting(request: Option<u32>) -> Setting<u32> {
    request.map_or(Setting::Remove, Setting::Set)
}
