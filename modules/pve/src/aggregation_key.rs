//! The aggregation key of a bond's LACP, kept over a change of its members. Exchanging them is in `apply.rs`.
//!
//! The far end takes members for one link if they announce one key. Unless a member is given one, Open vSwitch
//! announces that of `key_member` in `lib/lacp.c`, and where that has none, its port id; if it leaves, another takes
//! its place and the key moves. The far end still holds what the one that left announced last, detaches the others
//! for their other key, and nothing is carried until it forgets: 3 s if LACP is fast, 90 s if it is slow.
//!
//! So the members that stay are given the key in force before: `lacp-aggregation-key` in ovs-vswitchd.conf.db(5). A
//! member stops for a moment when it is given a key, so each is given it while another carries. The key is no part
//! of the declared state, nor is it taken away when a run goes back: that alone would move it.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::change::Change;
use crate::lacp_wait::PAUSE;
use crate::node::{Node, database_deadline};
use crate::ovsdb::{InterfaceColumn, Map, Ovs};
use crate::unixctl::{Daemon, Lacp};

const KEY: &str = "lacp-aggregation-key";

/// Which members are to be given the key in force.
#[derive(Debug, PartialEq, Eq)]
struct Keeping {
    key: u16,
    /// Of those that stay, the ones that would announce another one.
    staying: BTreeSet<String>,
    new: BTreeSet<String>,
}

/// What keeps the key of a bond, if its members `from` become `to`; `None` where it does not move.
fn keeping(lacp: &Lacp, ovs: &Ovs, from: &BTreeSet<String>, to: &BTreeSet<String>) -> Option<Keeping> {
    let key = lacp.key?;
    let gives_key = |member: &&String| own_key(lacp, ovs, member) == Some(key);
    if from.is_disjoint(to) || !from.difference(to).any(|member| gives_key(&member)) {
        return None;
    }
    Some(Keeping {
        key,
        staying: from.intersection(to).filter(|member| !gives_key(member)).cloned().gather(),
        new: to.difference(from).cloned().gather(),
    })
}

/// What the bond announces if `member` is the one that decides.
fn own_key(lacp: &Lacp, ovs: &Ovs, member: &str) -> Option<u16> {
    let given =
        ovs.interfaces.get(member).and_then(|interface| interface.other_config.get(KEY)?.parse().ok());
    given.filter(|key| *key != 0).or_else(|| lacp.members.get(member)?.port_id)
}

impl Node<'_> {
    /// Gives the key in force to members that stay, where one that leaves decides it. The result is the
    /// `other_config` of the members that are new.
    pub(crate) fn keep_aggregation_keys(
        &mut self,
        changes: &[Change],
    ) -> Result<BTreeMap<String, Map>, Fault> {
        let mut born = BTreeMap::new();
        for change in changes {
            let Change::Port { name, from: Some(from), to: Some(to) } = change else { continue };
            if from.bridge != to.bridge || from.interfaces == to.interfaces {
                continue;
            }
            let lacp = self.lacp(name);
            let Some(keeping) = keeping(&lacp, &self.ovs, &from.interfaces, &to.interfaces) else { continue };
            for member in &keeping.staying {
                self.give_key(name, member, keeping.key)?;
            }
            let other_config = Map::from([(KEY.to_owned(), keeping.key.to_string())]);
            born.extend(keeping.new.into_iter().map(|member| (member, other_config.clone())));
        }
        Ok(born)
    }

    /// Gives a member its key, unless no other carries, and waits until it carries again. That it does not in time
    /// is no failure: it is what would happen without this.
    fn give_key(&mut self, bond: &str, member: &str, key: u16) -> Result<(), Fault> {
        let lacp = self.lacp(bond);
        if !lacp.members.keys().any(|other| other != member && lacp.carries(other)) {
            self.context
                .log
                .line(&format!("aggregation key {key} not set on {member}: no other member carries"));
            return Ok(());
        }
        self.context.log.line(&format!("set aggregation key {key} on {member}"));
        let mut other_config = self
            .ovs
            .interfaces
            .get(member)
            .map(|interface| interface.other_config.clone())
            .unwrap_or_default();
        other_config.insert(KEY.to_owned(), key.to_string());
        self.send(|transaction| {
            transaction.set_interface(member, &InterfaceColumn::OtherConfig(other_config))
        })?;
        if !lacp.carries(member) {
            return Ok(());
        }

        // A signal that came earlier is why we go back, and going back is done with the same care.
        let was_interrupted = self.context.is_interrupted();
        let deadline = self.context.clock.now() + self.paths.limits.lacp;
        while !self.lacp(bond).is_negotiated(member) {
            if !was_interrupted {
                let waiting = format!("waiting for LACP on {member} of `{bond}`");
                self.context.stop_if_interrupted().map_err(|stop| stop.context(&waiting))?;
            }
            if self.context.clock.now() >= deadline {
                self.context.log.line(&format!("{member} has no current LACP partner again yet"));
                break;
            }
            self.context.clock.sleep(PAUSE);
        }
        Ok(())
    }

    /// LACP of a bond; empty where it can't be told, for the change itself does not depend on it.
    fn lacp(&self, bond: &str) -> Lacp {
        let daemon = Daemon::open(&self.paths, database_deadline(&self.paths));
        daemon.and_then(|mut daemon| daemon.lacp(bond)).unwrap_or_else(|error| {
            self.context.log.line(&Fault::from_error("ovs_failed", &error).message);
            Lacp::default()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ovsdb::Interface;
    use crate::unixctl::Member;

    fn names(text: &str) -> BTreeSet<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// nic1 to nic3 with the port ids 1 to 3, and what keeps `key` if they become `to`: `KEY STAYING; NEW`.
    fn kept(key: u16, given: &[(&str, &str)], to: &str) -> Option<String> {
        let members = (1..=3).map(|id| {
            let member = Member { port_id: Some(id), ..Member::default() };
            (format!("nic{id}"), member)
        });
        let lacp = Lacp { key: Some(key), members: members.collect() };
        let mut ovs = Ovs::default();
        for (member, key) in given {
            let other_config = Map::from([(KEY.to_owned(), (*key).to_owned())]);
            ovs.interfaces.insert((*member).to_owned(), Interface { other_config, ..Interface::default() });
        }
        let Keeping { key, staying, new } = keeping(&lacp, &ovs, &names("nic1 nic2 nic3"), &names(to))?;
        let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(" ");
        Some(format!("{key}: {}; {}", list(staying), list(new)))
    }

    #[test]
    fn those_that_stay_get_the_key_of_the_one_that_leaves() {
        assert_eq!(kept(1, &[], "nic2 nic3").as_deref(), Some("1: nic2 nic3; "));
        assert_eq!(kept(2, &[], "nic1 nic3 nic4").as_deref(), Some("2: nic1 nic3; nic4"));
    }

    #[test]
    fn nothing_is_done_where_the_key_does_not_move_or_nobody_stays() {
        assert_eq!(kept(1, &[], "nic1 nic2"), None);
        assert_eq!(kept(1, &[], "nic1 nic2 nic3 nic4"), None);
        assert_eq!(kept(1, &[], "nic4 nic5"), None);
        assert_eq!(keeping(&Lacp::default(), &Ovs::default(), &names("a b"), &names("b c")), None);
    }

    #[test]
    fn a_key_that_was_given_counts_and_the_port_id_does_not() {
        let all = [("nic1", "9"), ("nic2", "9"), ("nic3", "9")];
        assert_eq!(kept(9, &all, "nic2 nic3 nic4").as_deref(), Some("9: ; nic4"));
        assert_eq!(kept(9, &all[..2], "nic2 nic3").as_deref(), Some("9: nic3; "));
        assert_eq!(kept(1, &[("nic1", "9")], "nic2 nic3"), None);
        // Out of range or no number: as if it were not there, which is how Open vSwitch takes it.
        for key in ["0", "65536", "-1", "x"] {
            assert_eq!(kept(1, &[("nic1", key)], "nic2").as_deref(), Some("1: nic2; "), "{key}");
        }
    }
}
