//! How changes are carried out on a node: the file, the members of bonds, `ifreload -a`, and what that leaves.
//!
//! `ifreload -a` silently leaves a bond's members as they are, and drops whatever else was to change on that bond,
//! so members are exchanged in the database first. Its exit status says little: only reading back counts.

use std::collections::BTreeSet;

use ansible_module::checkpoint::Checkpoint;
use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::announce::announce;
use crate::change::Change;
use crate::guard;
use crate::links::corrections;
use crate::linux_bridge::is_guest_port;
use crate::live::{Bridge, Port};
use crate::node::{Data, Node, Role, Way, database_deadline};
use crate::ovsdb::{self, BridgeColumn, Database, InterfaceColumn, NewPort, PortColumn, Transaction};
use crate::paths::Paths;
use crate::replacement::misses_a_default_route;
use crate::state::{FileStore, Link, State};

impl Node<'_> {
    /// Carries out a plan.
    pub(crate) fn carry_out(&mut self, changes: &[Change]) -> Result<(), Fault> {
        let needs_reload = changes.iter().any(needs_reload);
        let goes = goes(changes);
        if needs_reload {
            self.rehearse_reload(&goes)?;
        }
        if changes.iter().any(Change::is_in_file) {
            self.step("write the interfaces file")?;
            if matches!(self.role, Role::Provisional(_)) { self.take_staged()? } else { self.write_file()? }
        }
        if needs_reload {
            self.step("exchange members")?;
            self.release(changes)?;
            self.exchange_members(changes)?;
            self.step("set MTUs")?;
            self.set_mtus(changes)?;
            self.step("hand over")?;
            let is_handed_over = self.hand_over(changes)?;
            self.step("reload")?;
            if !is_handed_over {
                self.delete_linux_bridges(changes)?;
            }
            self.reload(&goes)?;
            self.plug_guests(changes)?;
            announce(&self.paths);
            Ok(())
        } else {
            self.step("change Open vSwitch")?;
            self.transact(changes, Port::set_all)?;
            self.set_mtus(changes)
        }
    }

    /// Carries out what is known to be left by `ifreload -a`: members, MTUs, delays and settings of a bridge that are no longer
    /// declared, a port or bridge that is no longer declared and that ifupdown2 does not remember, guests that it unplugged, a
    /// default route that leads elsewhere. Anything else left is a failure.
    pub(crate) fn carry_out_what_ifupdown2_leaves(&mut self, left: &[Change]) -> Result<bool, Fault> {
        let is_known = |change: &&Change| is_left_by_ifupdown2(change) || self.can_plug(change);
        let known: Vec<Change> = left.iter().filter(is_known).cloned().collect();
        let is_bridge_missing =
            left.iter().any(|change| matches!(change, Change::LinuxBridge { to: Some(_), .. }));
        let is_route_missing = left.iter().any(misses_a_default_route);
        if known.is_empty() && !is_bridge_missing && !is_route_missing {
            return Ok(false);
        }
        let before = self.checkpoint.as_ref().map(|checkpoint| checkpoint.record.data.before.clone());
        if let Some(before) = before.filter(|_| is_bridge_missing) {
            self.bring_back_linux_bridges(&before)?;
        }
        self.step("finish what was left")?;
        self.transact(&known, Port::set_left)?;
        self.set_mtus(&known)?;
        let commands: Vec<Vec<String>> = known.iter().flat_map(corrections).collect();
        if !commands.is_empty() {
            self.run_ip(&commands)?;
        }
        // With the wrong default route gone, a reload makes the right one; but on the way back the file may be somebody else's.
        if commands.is_empty() || self.way == Way::Back {
            self.make_default_routes(left)?;
        } else {
            self.reload(&goes(left))?;
        }
        Ok(true)
    }

    /// Goes back from the checkpoint: the file, then what is live, by `ifreload -a` and then directly. What fails
    /// on the way is told at its end: the steps after it may still bring back what there was.
    pub(crate) fn go_back_to(&mut self, before: &State) -> Result<(), Fault> {
        // A file that could not be put back, as it is somebody else's now, must not go live by our hand. It is no reason to leave
        // the node cut off.
        let put_back = self.put_file_back();
        let before = &self.with_new_guests(before)?;
        // First of all who is reachable, by hand: a reload may take long, or fail.
        let brought_back = self.hand_back(before).and(self.bring_back_linux_bridges(before));
        announce(&self.paths);
        let left = self.left(before);
        let goes = left.as_deref().map(goes).unwrap_or_default();
        let exchanged = left.and_then(|left| self.exchange_members(&left));
        // Nothing that was not live yet goes live on the way back: other people's edits of the file are there too.
        let is_touched =
            self.checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.record.data.live_touched);
        let reloaded = if is_touched && put_back.is_ok() { self.reload(&goes) } else { Ok(()) };
        // Debian's ifupdown2 takes guests' ports off a Linux bridge.
        let plugged = self.bring_back_linux_bridges(before);
        let finished = self.left(before).and_then(|left| {
            let set = self.transact(&left, Port::set_all).and_then(|()| self.delete_orphans(&left));
            set.and(self.set_links(&left)).and(self.set_mtus(&left))
        });
        announce(&self.paths);
        put_back.and(brought_back).and(exchanged).and(reloaded).and(plugged).and(finished)
    }

    fn step(&mut self, step: &str) -> Result<(), Fault> {
        self.context.log.line(step);
        let log = self.context.log.lines();
        self.checkpoint.as_mut().map_or(Ok(()), |checkpoint| checkpoint.step(step, log))
    }

    pub(crate) fn write_file(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let files = checkpoint.record.data.files.clone();
        let written = files.write(&self.paths, || {
            checkpoint.record.data.file_touched = true;
            checkpoint.save()
        })?;
        self.commands.extend(written);
        Ok(())
    }

    /// What is staged must not lie there while the change waits: a boot would make it final.
    fn take_staged(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = &mut self.checkpoint else { return Ok(()) };
        let mut files = checkpoint.record.data.files.clone();
        let taken = files.take_staged(&self.paths, |files, staged| {
            let data = &mut checkpoint.record.data;
            data.files = files.clone();
            if let Some(provisional) = &mut data.provisional {
                provisional.staged = staged;
            }
            checkpoint.save()
        })?;
        self.commands.extend(taken);
        Ok(())
    }

    pub(crate) fn put_file_back(&mut self) -> Result<(), Fault> {
        let Some(checkpoint) = &self.checkpoint else { return Ok(()) };
        let data = &checkpoint.record.data;
        if data.file_touched {
            let written = data.files.put_back(&self.paths, &mut self.kept)?;
            self.commands.extend(written);
        }
        Ok(())
    }

    /// Members change place in one transaction, also one that was in a port of its own.
    fn exchange_members(&mut self, changes: &[Change]) -> Result<(), Fault> {
        let joining: BTreeSet<&String> = changes
            .iter()
            .filter_map(|change| match change {
                Change::Port { from: Some(from), to: Some(to), .. } => {
                    Some(to.interfaces.difference(&from.interfaces))
                }
                _ => None,
            })
            .flatten()
            .gather();
        let is_part = |change: &&Change| match change {
            Change::Port { from: Some(_), to: Some(_), .. } => true,
            Change::Port { from: Some(from), to: None, .. } => {
                from.interfaces.iter().any(|name| joining.contains(name))
            }
            _ => false,
        };
        let ports: Vec<Change> = changes.iter().filter(is_part).cloned().collect();
        self.transact(&ports, Port::set_members)
    }

    /// One transaction for the bridges and ports among `changes`, as far as `set` goes for a port; before it, what
    /// keeps the members that stay from being renegotiated.
    pub(crate) fn transact(
        &mut self,
        changes: &[Change],
        set: fn(&Port, &mut Transaction<'_>, &str, &Port) -> Result<(), ovsdb::Error>,
    ) -> Result<(), Fault> {
        let born = self.keep_aggregation_keys(changes)?;
        self.send(|transaction| {
            for (member, other_config) in born {
                transaction.set_new_interface(&member, other_config);
            }
            let mut removed = Vec::new();
            for change in changes {
                match change {
                    Change::Bridge { name, from: Some(from), to: Some(to) } if from != to => {
                        to.set_all(transaction, name)?;
                    }
                    Change::Bridge { name, from: Some(_), to: None } => {
                        transaction.delete_bridge(name)?;
                        removed.push(name);
                    }
                    Change::Port { name, from: None, to: Some(to) } if is_guest_port(name) => {
                        let Port { bridge, interfaces, tag, trunks, vlan_mode, .. } = to;
                        let new = NewPort {
                            tag: *tag,
                            trunks: trunks.clone(),
                            vlan_mode: vlan_mode.clone(),
                            ..NewPort::default()
                        };
                        transaction.add_port(bridge, name, interfaces, &new)?;
                    }
                    Change::Port { name, from: Some(from), to: Some(to) } if from.bridge == to.bridge => {
                        set(to, transaction, name, from)?;
                    }
                    Change::Port { name, from: Some(from), to: None } if !removed.contains(&&from.bridge) => {
                        transaction.delete_port(name)?;
                    }
                    _ => {}
                }
            }
            Ok(())
        })
    }

    /// Sends the transaction that `build` makes, if there is anything in it.
    pub(crate) fn send(
        &mut self,
        build: impl FnOnce(&mut Transaction<'_>) -> Result<(), ovsdb::Error>,
    ) -> Result<(), Fault> {
        let failed = |error: ovsdb::Error| Fault::from_error("ovsdb_failed", &error);
        let mut transaction = Transaction::new(&self.ovs);
        build(&mut transaction).map_err(failed)?;
        if transaction.is_empty() {
            return Ok(());
        }
        touch(&mut self.checkpoint, &self.paths)?;
        let operations = transaction.operations().into_iter().filter(|operation| operation["op"] != "wait");
        self.commands.extend(operations.map(|operation| format!("ovsdb {operation}")));
        let mut database =
            Database::open(&self.paths.ovsdb, database_deadline(&self.paths)).map_err(failed)?;
        transaction.commit(&mut database).map_err(failed)
    }
}

/// Notes that what is live begins to change.
pub(crate) fn touch(checkpoint: &mut Option<Checkpoint<Data>>, paths: &Paths) -> Result<(), Fault> {
    match checkpoint {
        Some(checkpoint) if !checkpoint.record.data.live_touched => {
            guard::mark_live(paths, checkpoint.folder())?;
            checkpoint.record.data.live_touched = true;
            checkpoint.save()
        }
        _ => Ok(()),
    }
}

/// The ports that leave their bridge by these changes.
fn goes(changes: &[Change]) -> BTreeSet<String> {
    let leaves = |change: &Change| match change {
        Change::Port { name, from: Some(from), to } => {
            let stays = to.as_ref().is_some_and(|to| to.bridge == from.bridge);
            (!stays).then(|| name.clone())
        }
        _ => None,
    };
    changes.iter().filter_map(leaves).gather()
}

/// Whether only `ifreload -a` can do it: whatever creates or removes, and what is the kernel's.
pub(crate) fn needs_reload(change: &Change) -> bool {
    match change {
        // What was staged goes live by the changes that tell of it.
        Change::Stanza { store: FileStore::Staged, .. }
        | Change::Listing { store: FileStore::Staged, .. }
        | Change::Staged => false,
        Change::Stanza { from: Some(from), to: Some(to), .. } => {
            // Nobody but the web interface reads a comment.
            let without_comments = |stanza: &crate::interfaces::Stanza| crate::interfaces::Stanza {
                comments: Vec::new(),
                ..stanza.clone()
            };
            without_comments(from) != without_comments(to)
        }
        Change::Stanza { .. } | Change::Listing { .. } | Change::LinuxBridge { .. } => true,
        Change::Link { from, to, .. } => Link { mtu: to.mtu, ..from.clone() } != *to,
        // What no option decides is set by ifupdown2 alone, from the stanza.
        Change::Bridge { from, to, .. } => {
            from.as_ref().map(|bridge| &bridge.others) != to.as_ref().map(|bridge| &bridge.others)
        }
        Change::Port { from, to, .. } => {
            from.as_ref().map(|port| &port.bridge) != to.as_ref().map(|port| &port.bridge)
        }
    }
}

fn is_left_by_ifupdown2(change: &Change) -> bool {
    match change {
        Change::Port { from: Some(from), to: Some(to), .. } => {
            let mut mended = from.clone();
            mended.mac.clone_from(&to.mac);
            mended.interfaces.clone_from(&to.interfaces);
            mended.bond_updelay = to.bond_updelay;
            mended.bond_downdelay = to.bond_downdelay;
            mended.mtu_requests.clone_from(&to.mtu_requests);
            mended == *to
        }
        Change::Link { from, to, .. } if Link { mtu: to.mtu, ..from.clone() } == *to => true,
        Change::Port { from: Some(_), to: None, .. } | Change::Bridge { from: Some(_), .. } => true,
        change => !corrections(change).is_empty(),
    }
}

impl Bridge {
    /// Every column; those that are as wanted add nothing.
    fn set_all(&self, transaction: &mut Transaction<'_>, name: &str) -> Result<(), ovsdb::Error> {
        let Self { datapath_type, stp, rstp, mcast_snooping, mtu_request: _, others: _ } = self;
        [
            BridgeColumn::DatapathType(datapath_type.clone()),
            BridgeColumn::StpEnable(*stp),
            BridgeColumn::RstpEnable(*rstp),
            BridgeColumn::McastSnoopingEnable(*mcast_snooping),
        ]
        .iter()
        .try_for_each(|column| transaction.set_bridge(name, column))
    }
}

impl Port {
    /// The members, and with them what keeps LACP from being renegotiated; and the MAC address, which would win over the
    /// stanza's at each reload.
    fn set_members(
        &self,
        transaction: &mut Transaction<'_>,
        name: &str,
        from: &Self,
    ) -> Result<(), ovsdb::Error> {
        if self.mac != from.mac {
            transaction.set_interface(name, &InterfaceColumn::Mac(self.mac.clone()))?;
        }
        if self.interfaces == from.interfaces {
            return Ok(());
        }
        transaction.set_members(name, &self.interfaces)?;
        if self.other_config != from.other_config {
            transaction.set_port(name, &PortColumn::OtherConfig(self.other_config.clone()))?;
        }
        Ok(())
    }

    /// What `ifreload -a` is known to leave as it was.
    pub(crate) fn set_left(
        &self,
        transaction: &mut Transaction<'_>,
        name: &str,
        from: &Self,
    ) -> Result<(), ovsdb::Error> {
        self.set_members(transaction, name, from)?;
        if self.bond_updelay != from.bond_updelay {
            transaction.set_port(name, &PortColumn::BondUpdelay(self.bond_updelay))?;
        }
        if self.bond_downdelay != from.bond_downdelay {
            transaction.set_port(name, &PortColumn::BondDowndelay(self.bond_downdelay))?;
        }
        Ok(())
    }

    /// Every column that differs.
    pub(crate) fn set_all(
        &self,
        transaction: &mut Transaction<'_>,
        name: &str,
        from: &Self,
    ) -> Result<(), ovsdb::Error> {
        self.set_left(transaction, name, from)?;
        let Self {
            bridge: _,
            internal: _,
            mac: _,
            interfaces: _,
            bond_mode,
            lacp,
            tag,
            trunks,
            vlan_mode,
            bond_updelay: _,
            bond_downdelay: _,
            other_config,
            // In two transactions, by `set_mtus`.
            mtu_requests: _,
        } = self;
        let columns = [
            (*bond_mode != from.bond_mode).then(|| PortColumn::BondMode(Some(bond_mode.clone()))),
            (*lacp != from.lacp).then(|| PortColumn::Lacp(Some(lacp.clone()))),
            (*tag != from.tag).then_some(PortColumn::Tag(*tag)),
            (*trunks != from.trunks).then(|| PortColumn::Trunks(trunks.clone())),
            (*vlan_mode != from.vlan_mode).then(|| PortColumn::VlanMode(vlan_mode.clone())),
            (*other_config != from.other_config && self.interfaces == from.interfaces)
                .then(|| PortColumn::OtherConfig(other_config.clone())),
        ];
        columns.iter().flatten().try_for_each(|column| transaction.set_port(name, column))
    }
}
