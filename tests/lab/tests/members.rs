//! A change of a bond's members does not touch those that stay: they keep their LACP partner throughout, at both
//! ends. Witnesses are the database's own stream of changes, the daemons' counters, and their logs: a bond whose
//! system id or aggregation key moves stops carrying traffic without that either of the others can see it.

use std::time::Duration;

use anyhow::{Context, Result};
use lab::bond::bond;
use lab::witness::{Log, Stream};
use lab::{Lab, wait_until};

const NODES: [&str; 2] = ["node1", "node2"];
/// The NICs in the order of their names and of their MACs.
const LOWEST: &str = "ens19f0np0";
const SECOND: &str = "ens20f0np0";
const THIRD: &str = "ens20f1np1";
const HIGHEST: &str = "ens21f0np0";

#[test]
fn a_member_that_sorts_first_is_added() -> Result<()> {
    change_members(&Case { from: &[SECOND, THIRD], to: &[LOWEST, SECOND, THIRD], is_pinned: true })
}

#[test]
fn a_member_that_sorts_last_is_added() -> Result<()> {
    change_members(&Case { from: &[SECOND, THIRD], to: &[SECOND, THIRD, HIGHEST], is_pinned: false })
}

#[test]
fn a_member_is_replaced_by_one_that_sorts_first() -> Result<()> {
    change_members(&Case { from: &[SECOND, THIRD], to: &[LOWEST, SECOND], is_pinned: true })
}

#[test]
fn a_member_is_replaced_by_one_that_sorts_last() -> Result<()> {
    change_members(&Case { from: &[SECOND, THIRD], to: &[SECOND, HIGHEST], is_pinned: false })
}

#[test]
fn the_member_that_gives_the_bridge_its_address_is_replaced() -> Result<()> {
    change_members(&Case { from: &[SECOND, THIRD], to: &[THIRD, HIGHEST], is_pinned: true })
}

#[test]
fn the_member_that_gives_the_bridge_its_address_is_removed() -> Result<()> {
    change_members(&Case { from: &[SECOND, THIRD, HIGHEST], to: &[THIRD, HIGHEST], is_pinned: true })
}

/// Open vSwitch's aggregation key is the port id of one of the members. If that one leaves and nothing is done about
/// it, the key moves, and the far end stops the others until it forgets the one that left.
#[test]
fn the_member_that_gives_the_aggregation_key_is_removed() -> Result<()> {
    let lab = negotiated(&[SECOND, THIRD, HIGHEST])?;
    let leaver = key_member(&lab, "node1")?;
    let to: Vec<&str> = [SECOND, THIRD, HIGHEST].into_iter().filter(|member| *member != leaver).collect();
    keep_key(&lab, &to)
}

#[test]
fn the_member_that_gives_the_aggregation_key_is_replaced() -> Result<()> {
    let lab = negotiated(&[SECOND, THIRD])?;
    let leaver = key_member(&lab, "node1")?;
    let staying = if leaver == SECOND { THIRD } else { SECOND };
    keep_key(&lab, &[LOWEST, staying])
}

#[test]
fn the_aggregation_key_is_kept_on_the_way_back_too() -> Result<()> {
    let from = [SECOND, THIRD, HIGHEST];
    let lab = negotiated(&from)?;
    let leaver = key_member(&lab, "node1")?;
    let staying = from.into_iter().filter(|member| *member != leaver);
    let to: Vec<&str> = [LOWEST].into_iter().chain(staying).collect();
    let key = aggregation_key(&lab, "node1")?;
    let logs = [Log::start(&lab, "node1")?, Log::start(&lab, "node2")?];
    let fails_once =
        "[ ! -e /tmp/failed ] || exec /sbin/ifreload -a; touch /tmp/failed; echo error: broken; exit 1";
    lab.write("node1", "/tmp/ifreload", fails_once)?;
    let answer =
        lab.module_with("node1", &["BOTHENDS_IFRELOAD=sh /tmp/ifreload"], "pve_ovs_bond", &bond(&to))?;
    assert_eq!(answer.failure()?, ("reload_failed", "rolled_back"), "{}", answer.message());
    for (node, log) in NODES.iter().zip(&logs) {
        lab.wait_for_lacp(node, &from)?;
        assert_eq!(log.stopped()?, Vec::<String>::new(), "{node}");
    }
    assert_eq!(aggregation_key(&lab, "node1")?, key);
    Ok(())
}

/// One end after the other becomes a bond of `to`, without the member that gives the key on node1.
fn keep_key(lab: &Lab, to: &[&str]) -> Result<()> {
    let key = aggregation_key(lab, "node1")?;
    let logs = [Log::start(lab, "node1")?, Log::start(lab, "node2")?];
    let answer = lab.module("node1", "pve_ovs_bond", &bond(to))?;
    assert!(answer.changed()?);
    assert!(lab.module("node2", "pve_ovs_bond", &bond(to))?.changed()?);
    for node in NODES {
        lab.wait_for_lacp(node, to)?;
        lab.sh(node, "ifreload -a 2>/tmp/said || grep -q 'not present in cache' /tmp/said")?;
        lab.wait_for_lacp(node, to)?;
    }
    for (node, log) in NODES.iter().zip(&logs) {
        assert_eq!(log.stopped()?, Vec::<String>::new(), "{node}");
    }
    assert_eq!(aggregation_key(lab, "node1")?, key);
    for member in to {
        let given = lab.vsctl("node1", &["get", "Interface", member, "other_config:lacp-aggregation-key"])?;
        assert_eq!(given, format!("\"{key}\""), "{member}");
    }
    let given = format!("lacp-aggregation-key\\\",\\\"{key}");
    let commands = answer.result.get("commands").context("no `commands`")?.to_string();
    assert!(commands.contains(&given), "{commands}");
    Ok(())
}

#[test]
fn the_witnesses_see_what_happens_without_a_pin_and_when_a_bond_is_made_anew() -> Result<()> {
    let lab = negotiated(&[SECOND, THIRD, HIGHEST])?;
    let staying = [THIRD, HIGHEST];
    let log = Log::start(&lab, "node1")?;
    let stream = Stream::start(&lab, "node1")?;
    lab.vsctl("node1", &["del-bond-iface", "bond0", SECOND])?;
    wait_until("the log to tell that nothing is carried", Duration::from_secs(30), || {
        Ok((!log.disabled(&staying)?.is_empty() && !log.stopped()?.is_empty()).then_some(()))
    })?;
    lab.vsctl("node1", &["del-port", "bond0"])?;
    wait_until("the stream to tell that members are gone", Duration::from_secs(10), || {
        Ok((stream.lost(&staying)?.len() >= 2).then_some(()))
    })
}

struct Case<'a> {
    from: &'a [&'a str],
    to: &'a [&'a str],
    /// Whether the change would move the bridge's MAC, and so the system id of the bond.
    is_pinned: bool,
}

fn change_members(case: &Case<'_>) -> Result<()> {
    let Case { from, to, is_pinned } = *case;
    let lab = negotiated(from)?;
    let staying: Vec<&str> = from.iter().copied().filter(|member| to.contains(member)).collect();
    let leaving: Vec<&str> = from.iter().copied().filter(|member| !to.contains(member)).collect();
    let new: Vec<&str> = to.iter().copied().filter(|member| !from.contains(member)).collect();

    let system_ids = system_ids(&lab)?;
    let expired = expired(&lab, &staying)?;
    let logs = [Log::start(&lab, "node1")?, Log::start(&lab, "node2")?];
    let streams = [Stream::start(&lab, "node1")?, Stream::start(&lab, "node2")?];
    for node in NODES {
        let answer = lab.module(node, "pve_ovs_bond", &bond(to))?;
        assert!(answer.changed()?, "{node}");
    }
    for node in NODES {
        lab.wait_for_lacp(node, to)?;
    }
    // `ifreload -a` by anybody, later, keeps it.
    for node in NODES {
        lab.sh(node, "ifreload -a 2>/tmp/said || grep -q 'not present in cache' /tmp/said")?;
        assert!(!lab.module(node, "pve_ovs_bond", &bond(to))?.changed()?, "{node} is not idle");
        lab.wait_for_lacp(node, to)?;
    }

    for (((node, stream), log), system_id) in NODES.iter().zip(&streams).zip(&logs).zip(&system_ids) {
        // What the stream has to tell last: it is complete then.
        wait_until("the stream to tell of the members that changed", Duration::from_secs(10), || {
            let text = stream.text()?;
            let told = |member: &str, action: &str, current: &str| {
                text.lines().any(|line| line.contains(&format!(",{action},{member},{current}")))
            };
            let all = new.iter().all(|member| told(member, "new", "true"))
                && leaving.iter().all(|member| told(member, "delete", ""));
            Ok(all.then_some(()))
        })?;
        assert_eq!(stream.lost(&staying)?, Vec::<String>::new(), "{node}: {}", stream.text()?);
        assert_eq!(log.stopped()?, Vec::<String>::new(), "{node}");
        // Given the key of one that leaves, a member stops for a moment while another carries.
        if leaving.is_empty() {
            assert_eq!(log.disabled(&staying)?, Vec::<String>::new(), "{node}");
        }

        let file = lab.read(node, "/etc/network/interfaces")?;
        let pin = format!("other_config:lacp-system-id={system_id}");
        assert_eq!(file.contains("lacp-system-id"), is_pinned, "{node}:\n{file}");
        assert_eq!(file.contains(&pin), is_pinned, "{node}:\n{file}");
    }
    assert_eq!(self::expired(&lab, &staying)?, expired, "a member that stays lost its partner");
    assert_eq!(self::system_ids(&lab)?, system_ids);
    Ok(())
}

/// Both ends with a bond of `members`, negotiated.
fn negotiated(members: &[&str]) -> Result<Lab> {
    let lab = Lab::up()?;
    for node in NODES {
        lab.make_bond(node, members)?;
    }
    for node in NODES {
        lab.wait_for_lacp(node, members)?;
    }
    Ok(lab)
}

/// By node and member: how often the link expired.
fn expired(lab: &Lab, members: &[&str]) -> Result<Vec<(String, u64)>> {
    let mut counts = Vec::new();
    for node in NODES {
        let found = lab.links_expired(node)?;
        for member in members {
            let count = found.get(*member).with_context(|| format!("{node} does not count {member}"))?;
            counts.push((format!("{node} {member}"), *count));
        }
    }
    Ok(counts)
}

/// The aggregation key in force.
fn aggregation_key(lab: &Lab, node: &str) -> Result<String> {
    let text = lab.exec(node, &["ovs-appctl", "lacp/show", "bond0"])?;
    let key = text.lines().find_map(|line| line.trim().strip_prefix("aggregation key: "));
    Ok(key.context("no aggregation key")?.to_owned())
}

/// The member whose port id is the aggregation key.
fn key_member(lab: &Lab, node: &str) -> Result<String> {
    let port_id = format!("\n  port_id: {}\n", aggregation_key(lab, node)?);
    let text = lab.exec(node, &["ovs-appctl", "lacp/show", "bond0"])?;
    let about = text.split("\nmember: ").skip(1).find(|about| about.contains(&port_id));
    let (member, _) = about.and_then(|about| about.split_once(": ")).context("no member gives the key")?;
    Ok(member.to_owned())
}

/// What each end calls itself in LACP.
fn system_ids(lab: &Lab) -> Result<Vec<String>> {
    NODES
        .iter()
        .map(|node| {
            let text = lab.exec(node, &["ovs-appctl", "lacp/show", "bond0"])?;
            let line = text.lines().find_map(|line| line.trim().strip_prefix("sys_id: "));
            Ok(line.unwrap_or_default().to_owned())
        })
        .collect()
}
