//! Addresses that a change must not take from the node: that of the SSH session, those of the cluster.
//!
//! Which these are is read from the node; the rule is one for all tasks, and holds when a change goes live.

use std::fs;
use std::net::IpAddr;

use ansible_module::fault::Fault;

use crate::address::{self, FAMILIES};
use crate::draft::Draft;
use crate::interfaces::{AddressFamily, Interfaces};
use crate::paths::Paths;
use crate::reach;
use crate::state::State;

/// An address that something depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifeline {
    /// The address.
    pub address: IpAddr,
    /// What it is, as in "the address that …".
    pub what: String,
}

/// The lifelines of this node. Of the cluster all are listed, those of other nodes too: these it does not have.
pub fn read(paths: &Paths) -> Vec<Lifeline> {
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let cluster = cluster(&text(&paths.corosync), &text(&paths.hosts)).into_iter();
    let cluster = cluster.map(|(address, key)| Lifeline {
        address,
        what: format!("an address of the cluster (`{key}` in `{}`)", paths.corosync.display()),
    });
    let session = reach::ssh_address(paths)
        .map(|address| Lifeline { address, what: "the address that this SSH session came to".to_owned() });
    session.into_iter().chain(cluster).collect()
}

/// The addresses of `ringN_addr` in corosync.conf(5). Names are looked up in the text of hosts(5) alone: no change may
/// wait for a name server.
fn cluster(corosync: &str, hosts: &str) -> Vec<(IpAddr, String)> {
    let mut found = Vec::new();
    for line in corosync.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (key, value) = (key.trim(), value.trim());
        let number = key.strip_prefix("ring").and_then(|key| key.strip_suffix("_addr"));
        if number.is_none_or(|number| number.parse::<u8>().is_err()) {
            continue;
        }
        let addresses = match value.parse() {
            Ok(address) => vec![address],
            Err(_) => hosts.lines().filter_map(|line| host(line, value)).collect(),
        };
        found.extend(addresses.into_iter().map(|address| (address, key.to_owned())));
    }
    found
}

/// The address of a line of hosts(5), if `name` is one of its names.
fn host(line: &str, name: &str) -> Option<IpAddr> {
    let mut words = line.split('#').next()?.split_ascii_whitespace();
    let address = words.next()?.parse().ok()?;
    words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
}

/// Refuses a change that takes a lifeline away from its interface, unless the file has it elsewhere.
pub fn holds(draft: &Draft<'_>, after: &State) -> Result<(), Fault> {
    let picture = draft.picture;
    for (name, wanted) in &after.kernel {
        let live = picture.links.get(name).into_iter().flat_map(|link| &link.addresses);
        for address in live {
            let goes = !wanted.present || wanted.addresses.get(&address.to_string()) == Some(&false);
            let lifeline = picture.lifelines.iter().find(|lifeline| lifeline.address == address.address);
            let Some(lifeline) = lifeline.filter(|_| goes) else { continue };
            if !has_address(draft.interfaces(), address.address) {
                return Err(Fault::new(
                    "lifeline_cut",
                    format!(
                        "planning a change failed: it would take {address}, {}, away from `{name}`; hint: stage it \
                         with `apply: false`, stage another interface with that address too, then apply both at once",
                        lifeline.what
                    ),
                ));
            }
        }
    }
    Ok(())
}

/// Refuses a draft in which `nic` has lost the only default gateway of a family, by the file or live.
pub fn keeps_gateway(draft: &Draft<'_>, nic: &str) -> Result<(), Fault> {
    let picture = draft.picture;
    let running = picture.running.interfaces.stanza(nic);
    for options in FAMILIES {
        let is_ipv4 = options.family == AddressFamily::Inet;
        let live = picture.routes.iter().find(|route| {
            route.link == nic && route.gateway.is_some_and(|gateway| gateway.is_ipv4() == is_ipv4)
        });
        let declared = running.as_ref().and_then(|stanza| stanza.gateway(options.family)).map(str::to_owned);
        let lost = live.and_then(|route| route.gateway).map(|gateway| gateway.to_string()).or(declared);
        let Some(lost) = lost else { continue };
        let file = draft.interfaces();
        let is_kept = file.stanzas().any(|stanza| stanza.gateway(options.family).is_some());
        let others = picture.routes.iter().any(|route| {
            route.link != nic && route.gateway.is_some_and(|gateway| gateway.is_ipv4() == is_ipv4)
        });
        if !is_kept && !others {
            return Err(Fault::new(
                "lifeline_cut",
                format!(
                    "option `member_addresses`: `{nic}` has the only default gateway, {lost}; hint: stage this with \
                     `apply: false`, stage an IntPort with the address and `{}: {lost}` too, then apply both at once",
                    options.gateway
                ),
            ));
        }
    }
    Ok(())
}

fn has_address(file: &Interfaces, address: IpAddr) -> bool {
    let is_this = |cidr: &String| address::host(cidr) == Some(address);
    file.stanzas()
        .any(|stanza| FAMILIES.iter().any(|options| stanza.addresses(options.family).iter().any(is_this)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_cluster_are_read_with_names_from_hosts() {
        let corosync = "nodelist {\n  node {\n    name: pve1\n    nodeid: 1\n    ring0_addr: 10.0.0.1\n    ring1_addr: pve1-ring\n  }\n\
                        \x20 node {\n    ring0_addr: fd00::2\n    ringx_addr: 10.9.9.9\n  }\n}\ntotem {\n  interface {\n    bindnetaddr: 10.0.0.0\n";
        let hosts = "127.0.0.1 localhost\n# 10.1.1.9 pve1-ring\n10.1.0.1\tpve1.example PVE1-ring # ring\n";
        let found: Vec<String> =
            cluster(corosync, hosts).iter().map(|(address, key)| format!("{key} {address}")).collect();
        assert_eq!(found, ["ring0_addr 10.0.0.1", "ring1_addr 10.1.0.1", "ring0_addr fd00::2"]);
        assert_eq!(cluster("", ""), []);
    }
}
