//! What `ifreload -a` has to read so that it unplugs nothing that is not ours: the interfaces file with one line more.
//! That this is put before its eyes alone, and never into the file, is `view.rs`.
//!
//! A reload takes every port off an OVSBridge with an `ovs_ports` line that the line does not name and that
//! `ovs-ports-condone-regex` does not match: guests where ifupdown2 has no default for them, and everywhere tunnels,
//! mirrors' outputs, patch ports.

use std::collections::BTreeSet;

use ansible_module::fault::Fault;
use ansible_module::gather::Gather as _;

use crate::condone::{self, GUESTS};
use crate::draft::Draft;
use crate::interfaces::{Interfaces, Kind, Stanza};
use crate::picture::Picture;

/// Where this node's ifupdown2 does not spare guests by itself, has the stanza of a bridge say so that guests are plugged in:
/// this run's reload spares them, somebody's next one would not. Only the bridges of the task's objects are looked at. A
/// task that changes nothing else of the file warns instead: that a guest was started makes no second run a change.
pub fn lastingly(draft: &mut Draft<'_>) -> Result<(), Fault> {
    if !draft.picture.lacks_condone_default {
        return Ok(());
    }
    let is_idle = draft.interfaces() == draft.picture.written();
    for bridge in bridges(draft) {
        let Some(mut stanza) = draft.stanza(&bridge).filter(|_| has_guests(draft, &bridge)) else { continue };
        if condone::expressions(&stanza).next().is_some() {
            continue;
        }
        if is_idle {
            draft.warn([format!(
                "the next `ifreload -a` that somebody else runs unplugs the guests of `{bridge}`: this node's ifupdown2 is not \
                 Proxmox's, and the bridge's stanza has no `{}`; hint: the next change of it adds that",
                condone::KEY
            )]);
        } else {
            stanza.set(condone::KEY, Some(GUESTS));
            draft.put(&stanza)?;
        }
    }
    Ok(())
}

/// The `OVSBridge`s of the task's objects, as they were and as they are going to be.
fn bridges(draft: &Draft<'_>) -> BTreeSet<String> {
    let of = |file: &Interfaces, name: &str| match file.kind(name) {
        Kind::OvsBridge => Some(name.to_owned()),
        _ => file.get(name)?.get("ovs_bridge").map(str::to_owned),
    };
    let files = [draft.interfaces(), &draft.picture.running.interfaces];
    let all = draft.objects().iter().flat_map(|name| files.into_iter().filter_map(|file| of(file, name)));
    all.filter(|bridge| draft.interfaces().kind(bridge) == Kind::OvsBridge).gather()
}

/// Whether a guest is plugged in that no `ovs_ports` line names, be it still into the Linux bridge of the name.
fn has_guests(draft: &Draft<'_>, bridge: &str) -> bool {
    let picture = draft.picture;
    let on_linux = picture.linux_bridges.get(bridge).into_iter().flat_map(|found| found.ports.keys());
    let live = picture.ovs.bridges.get(bridge).into_iter().flat_map(|row| &row.ports).chain(on_linux);
    let listed = draft.interfaces().get(bridge).map(|stanza| stanza.list("ovs_ports")).unwrap_or_default();
    live.into_iter().any(|port| condone::is_a_guests(port) && !listed.contains(&port.as_str()))
}

/// The text, for the reload of a file that says `running` beside what it sources; `None` where the file itself does.
/// `goes` are the ports that are to go, or to move to another bridge.
pub fn view(picture: &Picture, running: &[u8], goes: &BTreeSet<String>) -> Option<Vec<u8>> {
    let main = Interfaces::parse(running);
    let mut added = Vec::new();
    for (bridge, row) in &picture.ovs.bridges {
        let files = std::iter::once(&main).chain(picture.sourced.iter().map(|file| &file.interfaces));
        let stanzas: Vec<Stanza> = files.filter_map(|file| file.stanza(bridge)).collect();
        let listed: BTreeSet<&str> = stanzas
            .iter()
            .flat_map(|stanza| condone::values(stanza, "ovs-ports"))
            .flat_map(str::split_ascii_whitespace)
            .gather();
        if listed.is_empty() {
            continue;
        }
        let own: Vec<&str> = stanzas.iter().flat_map(condone::expressions).collect();
        // What another expression matches is not for us to say; naming a port twice does no harm.
        let is_spared = |port: &str| {
            let spares_guests =
                own.first().map_or(!picture.lacks_condone_default, |expression| *expression == GUESTS);
            spares_guests && condone::is_a_guests(port)
        };
        let endangered: Vec<&str> = row
            .ports
            .iter()
            .map(String::as_str)
            .filter(|port| port != bridge && !listed.contains(port) && !goes.contains(*port))
            .filter(|port| !is_spared(port))
            .collect();
        if endangered.is_empty() {
            continue;
        }
        let spared = if own.is_empty() { GUESTS.to_owned() } else { own.join("|") };
        let names: Vec<String> = endangered.into_iter().map(expression_of).collect();
        // The header of the bridge's first stanza, so that one more is nothing new.
        let header = stanzas.first().and_then(|stanza| stanza.families.first());
        let header = header.map(|first| format!("iface {bridge} {} {}", first.family, first.method));
        let header = header.unwrap_or_default();
        added.push(format!("{}\n\t{} {spared}|({})$\n\n", header.trim(), condone::KEY, names.join("|")));
    }
    // First of all lines, because only the first of the key counts, also over sourced files.
    (!added.is_empty()).then(|| [added.concat().as_bytes(), running].concat())
}

/// A name as an expression. No backslash may stand there: ifupdown2 joins lines at any.
fn expression_of(port: &str) -> String {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || matches!(char, '_' | '-');
    port.chars().map(|char| if is_plain(char) { char } else { '.' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ovsdb::Bridge;
    use crate::sourced::Sourced;

    const FILE: &str = "iface vmbr0 inet manual\n\tovs_type OVSBridge\n\tovs_ports bond0 mgmt\n";

    fn node(ports: &[&str], lacks_condone_default: bool) -> Picture {
        let bridge = Bridge {
            ports: ports.iter().chain(&["vmbr0", "bond0", "mgmt"]).map(ToString::to_string).collect(),
            ..Bridge::default()
        };
        let mut picture = Picture { lacks_condone_default, ..Picture::default() };
        picture.ovs.bridges.insert("vmbr0".to_owned(), bridge);
        picture
    }

    fn first_lines(picture: &Picture, file: &str, goes: &[&str]) -> Option<String> {
        let goes = goes.iter().map(ToString::to_string).collect();
        let text = String::from_utf8(view(picture, file.as_bytes(), &goes)?).unwrap();
        Some(text.strip_suffix(file).expect("the file itself is all there").to_owned())
    }

    #[test]
    fn nothing_is_added_where_nothing_is_endangered() {
        for (ports, file, goes, lacks) in [
            (vec!["tap100i0", "fwln1o1"], FILE.to_owned(), vec![], false),
            (vec![], FILE.to_owned(), vec![], true),
            (vec!["vxlan1"], FILE.to_owned(), vec!["vxlan1"], true),
            (vec!["tap100i0"], format!("{FILE}\tovs_ports_condone_regex {GUESTS}\n"), vec![], true),
            (vec!["vxlan1"], FILE.replace("ovs_ports", "#"), vec![], true),
            (vec!["vxlan1"], "auto lo\n".to_owned(), vec![], true),
        ] {
            assert_eq!(first_lines(&node(&ports, lacks), &file, &goes), None, "{ports:?} {file}");
        }
    }

    #[test]
    fn a_guest_is_spared_where_ifupdown2_has_no_default_and_what_is_no_guest_always() {
        let added = |expression: &str| {
            Some(format!("iface vmbr0 inet manual\n\tovs-ports-condone-regex {expression}\n\n"))
        };
        assert_eq!(first_lines(&node(&["tap100i0"], true), FILE, &[]), added("^(tap|veth|fwln)|(tap100i0)$"));
        assert_eq!(
            first_lines(&node(&["tap100i0", "to.other+", "vxlan1"], false), FILE, &[]),
            added("^(tap|veth|fwln)|(to.other.|vxlan1)$")
        );
        let own = format!("{FILE}\tovs-ports-condone-regex ^kept\n");
        assert_eq!(first_lines(&node(&["tap100i0"], false), &own, &[]), added("^kept|(tap100i0)$"));
    }

    #[test]
    fn what_a_sourced_file_lists_and_condones_counts() {
        let mut picture = node(&["vxlan1", "ln_vnet"], false);
        let sdn = "iface vmbr0\n\tovs_ports ln_vnet\n\tovs-ports-condone-regex ^kept\n";
        picture.sourced = vec![Sourced { path: "sdn".into(), interfaces: Interfaces::parse(sdn.as_bytes()) }];
        assert_eq!(
            first_lines(&picture, FILE, &[]).unwrap(),
            "iface vmbr0 inet manual\n\tovs-ports-condone-regex ^kept|(vxlan1)$\n\n"
        );
        assert_eq!(
            first_lines(&picture, "auto lo\n", &[]).unwrap(),
            "iface vmbr0\n\tovs-ports-condone-regex ^kept|(bond0|mgmt|vxlan1)$\n\n"
        );
    }
}
