//! Our reading and writing against a model of Proxmox's, which knows nothing of ours.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use pve_writer::{has_one_order, read, without_word_order, write};

use super::shapes::{LINKS, plain_files};
use super::{AddressFamily, Interfaces, Kind, Stanza};

fn ours(bytes: &[u8]) -> Interfaces {
    Interfaces::parse(bytes).with_physical_links(LINKS.map(str::to_owned))
}

fn kind(theirs: pve_writer::Kind) -> Kind {
    match theirs {
        pve_writer::Kind::Loopback => Kind::Loopback,
        pve_writer::Kind::Dummy => Kind::Dummy,
        pve_writer::Kind::Eth => Kind::Eth,
        pve_writer::Kind::OvsPort => Kind::OvsPort,
        pve_writer::Kind::OvsIntPort => Kind::OvsIntPort,
        pve_writer::Kind::OvsBond => Kind::OvsBond,
        pve_writer::Kind::Bond => Kind::LinuxBond,
        pve_writer::Kind::Bridge => Kind::LinuxBridge,
        pve_writer::Kind::OvsBridge => Kind::OvsBridge,
        pve_writer::Kind::Vlan => Kind::Vlan,
        pve_writer::Kind::Vxlan => Kind::Vxlan,
        pve_writer::Kind::Alias => Kind::Alias,
        pve_writer::Kind::Unknown => Kind::Unknown,
    }
}

fn with_length(own: &pve_writer::Address, longest: &str) -> Option<String> {
    Some(format!("{}/{}", own.address.as_ref()?, own.netmask.as_deref().unwrap_or(longest)))
}

proptest! {
    #[test]
    fn proxmox_reads_what_we_read(bytes in plain_files()) {
        let theirs = read(&bytes, &LINKS);
        let ours = ours(&bytes);
        for (name, theirs) in theirs.interfaces.iter().filter(|(_, theirs)| !theirs.families.is_empty()) {
            prop_assert_eq!(ours.kind(name), kind(theirs.kind.unwrap()), "{}", name);
        }
        let mut names: Vec<_> = theirs.interfaces.iter().filter(|(_, found)| found.priority > Some(1)).collect();
        names.sort_by_key(|(_, found)| found.priority);
        prop_assert_eq!(ours.names(), names.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
        for (name, theirs) in names {
            let ours = ours.stanza(name).unwrap();
            for key in ["ovs_ports", "ovs_bonds", "slaves", "bridge_ports"] {
                prop_assert_eq!(ours.list(key), theirs.words(key).collect::<Vec<_>>(), "{} {}", name, key);
            }
            for key in ["ovs_type", "ovs_bridge", "mtu"] {
                prop_assert_eq!(ours.get(key), theirs.get(key), "{} {}", name, key);
            }
            prop_assert_eq!(ours.addresses(AddressFamily::Inet), Vec::from_iter(with_length(&theirs.inet, "32")));
            prop_assert_eq!(ours.addresses(AddressFamily::Inet6), Vec::from_iter(with_length(&theirs.inet6, "128")));
            prop_assert_eq!(ours.gateway(AddressFamily::Inet), theirs.inet.gateway.as_deref());
            prop_assert_eq!(ours.gateway(AddressFamily::Inet6), theirs.inet6.gateway.as_deref());
            prop_assert_eq!(&ours.comments, &theirs.comments);
            prop_assert!(ours.auto || !theirs.autostart);
        }
    }

    #[test]
    fn what_proxmox_would_save_as_it_is_it_would_after_an_edit(bytes in plain_files(), edits in vec(edits(), 1..12)) {
        let Some(bytes) = saved_until_it_stays(bytes) else { return Ok(()) };
        let mut file = ours(&bytes);
        for edit in edits {
            let before = file.render();
            edit.apply(&mut file);
            let now = file.render();
            let saved = write(&read(&now, &LINKS), true).map_err(|die| {
                TestCaseError::fail(format!("{edit:?}: {die} in\n{}", String::from_utf8_lossy(&now)))
            })?;
            let text = |bytes: &[u8]| String::from_utf8(without_word_order(bytes)).unwrap();
            // Where one goes, an alias above may have to trade places with what comes below: neither is ours to move.
            let has_alias = file.names().iter().any(|name| name.contains([':', '.']));
            if has_alias && !is_within(&places(&before), &places(&now)) && text(&now) != text(&saved) {
                return Ok(());
            }
            prop_assert!(text(&now) == text(&saved), "{:?}\n{}\nwould be saved as\n{}", edit, text(&now), text(&saved));
        }
    }
}

/// What takes a place in the file: stanzas, and lines that Proxmox keeps.
fn places(file: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(file);
    let keeps =
        |line: &&str| ["iface", "allow-", "source", "mapping"].iter().any(|word| line.starts_with(word));
    let first_words = |line: &str| line.split(' ').take(2).map(str::to_owned).collect::<String>();
    text.lines().filter(keeps).map(first_words).collect()
}

/// Whether these are all there, in this order.
fn is_within(these: &[String], all: &[String]) -> bool {
    let mut all = all.iter();
    these.iter().all(|this| all.any(|one| one == this))
}

/// The file that Proxmox saves as it is, which it makes of this one; `None` where it refuses, or is free to choose.
fn saved_until_it_stays(mut bytes: Vec<u8>) -> Option<Vec<u8>> {
    for _ in 0..4 {
        let model = read(&bytes, &LINKS);
        let saved = write(&model, true).ok()?;
        if saved == bytes {
            return has_one_order(&model).then_some(bytes);
        }
        bytes = saved;
    }
    None
}

/// What a module does to the file: what belongs together is changed together.
#[derive(Clone, Debug)]
enum Edit {
    IntPort { name: &'static str, tag: Option<u16>, six: bool, comment: Option<&'static str> },
    Bond { mode: &'static str, mtu: Option<&'static str> },
    Nic { name: &'static str },
    Bridge { name: &'static str },
    Away(&'static str),
}

fn edits() -> impl Strategy<Value = Edit> {
    let int_port = (
        select(&["mgmt", "storage", "backup"][..]),
        proptest::option::of(1..4095u16),
        any::<bool>(),
        proptest::option::of(select(&["one", " Gr\u{fc}n"][..])),
    );
    let mode = select(&["bond_mode=active-backup", "bond_mode=balance-tcp lacp=active"][..]);
    prop_oneof![
        3 => int_port.prop_map(|(name, tag, six, comment)| Edit::IntPort { name, tag, six, comment }),
        2 => (mode, proptest::option::of(select(&["1500"][..]))).prop_map(|(mode, mtu)| Edit::Bond { mode, mtu }),
        2 => select(&["lan0", "eno9"][..]).prop_map(|name| Edit::Nic { name }),
        1 => select(&["vmbr0", "vmbr2"][..]).prop_map(|name| Edit::Bridge { name }),
        3 => select(&["mgmt", "storage", "backup", "bond0", "vmbr2"][..]).prop_map(Edit::Away),
    ]
}

impl Edit {
    fn apply(&self, file: &mut Interfaces) {
        if !matches!(self, Self::Bridge { .. }) && file.kind("vmbr0") != Kind::OvsBridge {
            return;
        }
        match self {
            Self::IntPort { name, tag, six, comment } => {
                let mut stanza = file.stanza(name).unwrap_or_else(|| Stanza::new(name, "manual"));
                stanza.auto = true;
                stanza.set("ovs_type", Some("OVSIntPort"));
                stanza.set("ovs_bridge", Some("vmbr0"));
                stanza.set("ovs_options", tag.map(|tag| format!("tag={tag}")).as_deref());
                let address = six.then_some("fd00::9/64");
                stanza.set_address(AddressFamily::Inet6, address);
                stanza.set_gateway(AddressFamily::Inet6, address.and(Some("fd00::1")));
                stanza.set_comment(comment.unwrap_or_default());
                Self::attach(file, &stanza);
            }
            Self::Bond { mode, mtu } => {
                for nic in ["eno1", "eno2"] {
                    let stanza = file.stanza(nic).unwrap_or_else(|| Stanza::new(nic, "manual"));
                    file.put(&Stanza { auto: true, ..stanza }).unwrap();
                }
                let found = file.stanza("bond0").filter(|_| file.kind("bond0") == Kind::OvsBond);
                let mut stanza = found.unwrap_or_else(|| Stanza::new("bond0", "manual"));
                stanza.auto = true;
                let keys = [
                    ("ovs_type", "OVSBond"),
                    ("ovs_bridge", "vmbr0"),
                    ("ovs_bonds", "eno1 eno2"),
                    ("ovs_options", mode),
                ];
                for (key, value) in keys {
                    stanza.set(key, Some(value));
                }
                stanza.set("mtu", *mtu);
                Self::attach(file, &stanza);
            }
            Self::Nic { name } => {
                let mut stanza = Stanza::new(name, "manual");
                stanza.set("ovs_type", Some("OVSPort"));
                stanza.set("ovs_bridge", Some("vmbr0"));
                Self::attach(file, &stanza);
            }
            Self::Bridge { name } => {
                if file.stanza(name).is_none() {
                    let mut stanza = Stanza::new(name, "manual");
                    stanza.set("ovs_type", Some("OVSBridge"));
                    file.put(&stanza).unwrap();
                }
            }
            Self::Away(name) => {
                file.remove(name);
                file.unlist_port("vmbr0", name).unwrap();
            }
        }
    }

    fn attach(file: &mut Interfaces, stanza: &Stanza) {
        file.put(stanza).unwrap();
        file.list_port("vmbr0", &stanza.name).unwrap();
    }
}
