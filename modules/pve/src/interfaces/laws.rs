//! What holds for every file and every edit.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::parse::Role;
use super::shapes;
use super::{AddressFamily, Claim, Family, Interfaces, Kind, Stanza};

const LINES: &[&str] = &[
    "",
    "",
    "  \t",
    "# a comment",
    "#comment of a stanza",
    "  # indented",
    "#gr\u{fc}n",
    "auto lo",
    "auto mgmt",
    "auto  eth0   bond0 \\",
    "allow-hotplug eth0 mgmt",
    "allow-vmbr0 bond0 mgmt",
    "allow-other vmbr0",
    "iface lo inet loopback",
    "iface eth0 inet manual",
    "iface eth0",
    "iface bond0 inet manual",
    "iface bond0 inet \\",
    "  iface mgmt inet static",
    "iface mgmt inet6 static",
    "iface vmbr0 inet manual",
    "iface vmbr0 inet6 auto",
    "iface wg0 inet manual extra",
    "iface",
    "\taddress 10.0.0.2",
    "\taddress 10.0.0.3/24",
    "\tnetmask 255.255.255.0",
    "\tnetmask nonsense",
    "    gateway 10.0.0.1  ",
    "\tovs_type OVSIntPort",
    "\tovs_type OVSBridge",
    "\tovs_bonds eth0 \\",
    "\tovs_bonds eth0 eth1",
    "\tovs_ports bond0   mgmt",
    "\tovs_mtu 9000",
    "\tmtu 1500",
    "\tbridge-ports none",
    "\tup echo one",
    "up echo two",
    "word",
    "\\",
    "mapping eth*",
    "source /etc/network/interfaces.d/*",
    "source-directory more.d",
];

const NAMES: &[&str] = &[
    "lo", "eth0", "eth9", "eno1", "eno3", "bond0", "mgmt", "storage", "vmbr0", "vmbr7", "wg0", "bond0.10",
    "late",
];

fn files() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![files_of_lines(), shapes::files()]
}

fn files_of_lines() -> impl Strategy<Value = Vec<u8>> {
    let line = (select(LINES), select(&["\n", "\n", "\n", "\r\n"][..]));
    (vec(line, 0..30), any::<bool>()).prop_map(|(lines, ended)| {
        let text: String = lines.into_iter().map(|(text, ending)| text.to_owned() + ending).collect();
        // As Latin-1, so that one comment is no UTF-8.
        let mut bytes: Vec<u8> = text.chars().map(|c| u8::try_from(c).unwrap()).collect();
        if !ended {
            bytes.pop();
        }
        bytes
    })
}

fn stanzas() -> impl Strategy<Value = Stanza> {
    let value = select(&["1", "two words", "10.0.0.9/24", "OVSBridge", "OVSIntPort", "eth0 eth1"][..]);
    let keys =
        &["address", "gateway", "mtu", "ovs_type", "ovs_ports", "ovs_options", "slaves", "up", "zz"][..];
    let options = vec((select(keys), value), 0..6);
    let family = (select(&["manual", "static"][..]), options);
    let families = subsequence(&[AddressFamily::Inet, AddressFamily::Inet6, AddressFamily::None][..], 1..=3);
    let comments = vec(select(&[" one", "two", "", "gr\u{fc}n"][..]), 0..4);
    (select(NAMES), any::<bool>(), families, vec(family, 3), comments).prop_map(
        |(name, auto, kinds, contents, comments)| Stanza {
            name: name.to_owned(),
            auto,
            families: kinds
                .into_iter()
                .zip(contents)
                .map(|(kind, content)| family_of(kind, content))
                .collect(),
            comments: comments.into_iter().map(str::to_owned).collect(),
        },
    )
}

fn family_of(family: AddressFamily, (method, options): (&str, Vec<(&str, &str)>)) -> Family {
    Family {
        family,
        method: if family == AddressFamily::None { String::new() } else { method.to_owned() },
        options: options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
    }
}

/// The lines that say nothing about the interface, without their endings and blank ones.
fn foreign_lines(file: &Interfaces, name: &str) -> Vec<String> {
    let own: Vec<usize> =
        file.sections_of(name).iter().flat_map(|section| section.header..section.end).collect();
    let mut lines = Vec::new();
    for (index, line) in file.lines.iter().enumerate() {
        match &line.role {
            Role::Blank => {}
            _ if own.contains(&index) => {}
            Role::Auto { class, names } if names.iter().any(|known| known == name) => {
                let others: Vec<_> = names.iter().filter(|known| *known != name).collect();
                if !others.is_empty() {
                    lines.push(format!("{class} {others:?}"));
                }
            }
            Role::Auto { class, names } => {
                lines.push(format!("{class} {:?}", names.iter().collect::<Vec<_>>()));
            }
            _ => {
                let text = String::from_utf8_lossy(&line.raw).into_owned();
                lines.push(text.trim_end_matches(['\r', '\n']).to_owned());
            }
        }
    }
    lines
}

/// What the others say. A class may start or stop to be the name of a bridge, so who is started is left out.
fn others(file: &Interfaces, name: &str) -> Vec<Stanza> {
    let names = file.names().into_iter().filter(|known| known != name);
    let mut stanzas: Vec<_> = names.filter_map(|known| file.stanza(&known)).collect();
    for stanza in &mut stanzas {
        stanza.auto = false;
    }
    stanzas
}

fn assert_only_this_one_changed(before: &Interfaces, after: &Interfaces, name: &str) {
    assert_eq!(foreign_lines(after, name), foreign_lines(before, name));
    assert_eq!(others(after, name), others(before, name));
    assert_eq!(&Interfaces::parse(&after.render()), after, "what was written reads otherwise");
}

proptest! {
    #[test]
    fn any_bytes_come_out_as_they_went_in(bytes in vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(Interfaces::parse(&bytes).render(), bytes);
    }

    #[test]
    fn a_file_comes_out_as_it_went_in(bytes in files()) {
        prop_assert_eq!(Interfaces::parse(&bytes).render(), bytes);
    }

    #[test]
    fn a_walk_over_all_interfaces_looks_at_each_line_once(bytes in files()) {
        let file = Interfaces::parse(&bytes);
        let mut seen: Vec<usize> = file
            .names()
            .iter()
            .flat_map(|name| file.sections_of(name))
            .flat_map(|section| section.header..section.end)
            .collect();
        seen.sort_unstable();
        let lines = file.lines.iter().enumerate();
        let in_stanzas: Vec<usize> = lines.filter(|(_, line)| line.in_stanza()).map(|(at, _)| at).collect();
        prop_assert_eq!(seen, in_stanzas);
    }

    #[test]
    fn a_lookup_answers_as_a_look_at_everything_does(bytes in files(), name in select(NAMES)) {
        let file = Interfaces::parse(&bytes);
        let counts = |class: &str| ["auto", "hotplug", "ovs"].contains(&class) || file.stanza(class).is_some();
        let auto = file.lines.iter().any(|line| {
            matches!(&line.role, Role::Auto { class, names } if counts(class) && names.iter().any(|known| known == name))
        });
        prop_assert_eq!(file.is_auto(name), auto);
        let mut claims = Vec::new();
        for by in file.names() {
            let stanza = file.stanza(&by).unwrap();
            for key in ["bridge_ports", "ovs_ports", "slaves", "ovs_bonds"] {
                if stanza.list(key).contains(&name) {
                    claims.push(Claim { by: by.clone(), key });
                }
            }
        }
        prop_assert_eq!(file.claims(name), claims);
    }

    #[test]
    fn an_edit_is_seen_by_every_question_after_it_and_by_no_copy(bytes in files(), stanza in stanzas(), gone in select(NAMES)) {
        let answers = |file: &Interfaces| -> Vec<_> {
            let answers = file.stanzas().map(|stanza| {
                let name = stanza.name.as_str();
                (stanza.clone(), file.kind(name), file.claims(name), file.detached(name))
            });
            answers.collect()
        };
        let file = Interfaces::parse(&bytes);
        let before = answers(&file);
        let mut copy = file.clone();
        copy.put(&stanza).unwrap();
        prop_assert_eq!(answers(&copy), answers(&Interfaces::parse(&copy.render())));
        copy.remove(gone);
        prop_assert_eq!(answers(&copy), answers(&Interfaces::parse(&copy.render())));
        prop_assert_eq!(answers(&file), before);
        prop_assert_eq!(file.render(), bytes);
    }

    #[test]
    fn putting_what_is_there_changes_no_byte(bytes in files()) {
        let mut file = Interfaces::parse(&bytes);
        for name in file.names() {
            let stanza = file.stanza(&name).unwrap();
            file.put(&stanza).unwrap();
        }
        prop_assert_eq!(file.render(), bytes);
    }

    #[test]
    fn what_was_put_is_there_and_nothing_else_changed(bytes in files(), stanza in stanzas()) {
        let mut file = Interfaces::parse(&bytes);
        let mut before = file.clone();
        if bytes.is_empty() {
            before.put(&Stanza::new("lo", "loopback")).unwrap();
        }
        file.put(&stanza).unwrap();
        prop_assert_eq!(file.stanza(&stanza.name).unwrap(), stanza.clone());
        assert_only_this_one_changed(&before, &file, &stanza.name);
    }

    #[test]
    fn a_change_of_one_key_touches_one_line(bytes in files(), name in select(NAMES), value in select(&["1", "2"][..])) {
        let before = Interfaces::parse(&bytes);
        // One that starts with its bridge only gets an `auto` line on this occasion, and a repeated key becomes one.
        let is_plain = |stanza: &Stanza| {
            !before.index().is_auto_by_class(name) && stanza.get_all("ovs_options").len() < 2
        };
        if let Some(mut stanza) = before.stanza(name).filter(is_plain) {
            stanza.set("ovs_options", Some(value));
            let mut file = before.clone();
            file.put(&stanza).unwrap();
            let kept = before.lines.iter().filter(|line| file.lines.iter().any(|other| other.raw.starts_with(&line.raw)));
            prop_assert!(kept.count() + 1 >= before.lines.len());
            prop_assert!(file.lines.len() <= before.lines.len() + 1);
        }
    }

    #[test]
    fn what_was_removed_is_gone_and_nothing_else(bytes in files(), name in select(NAMES)) {
        let before = Interfaces::parse(&bytes);
        let mut file = before.clone();
        file.remove(name);
        prop_assert_eq!(file.stanza(name), None);
        prop_assert!(!file.is_auto(name));
        assert_only_this_one_changed(&before, &file, name);
    }

    #[test]
    fn listing_a_port_touches_the_bridge_alone(bytes in files(), port in select(NAMES)) {
        let before = Interfaces::parse(&bytes);
        let mut file = before.clone();
        if file.list_port("vmbr0", port).is_ok() {
            prop_assert!(file.bridge_listing(port).contains(&"vmbr0".to_owned()));
            assert_only_this_one_changed(&before, &file, "vmbr0");
            file.unlist_port("vmbr0", port).unwrap();
            prop_assert!(!file.bridge_listing(port).contains(&"vmbr0".to_owned()));
            assert_only_this_one_changed(&before, &file, "vmbr0");
        } else {
            prop_assert_eq!(&before.stanza("vmbr0"), &None);
        }
    }

    #[test]
    fn a_file_in_proxmox_form_stays_in_it(edits in vec(edits(), 1..25)) {
        let mut file = Interfaces::parse(b"");
        for edit in edits {
            match edit {
                Edit::Put(stanza) => file.put(&stanza).unwrap(),
                Edit::Remove(name) => file.remove(name),
                Edit::List(port) => drop(file.list_port("vmbr0", port)),
                Edit::Unlist(port) => file.unlist_port("vmbr0", port).unwrap(),
            }
            if file.lines.is_empty() {
                continue;
            }
            let mut fresh = Interfaces::parse(b"");
            for name in file.names() {
                fresh.put(&file.stanza(&name).unwrap()).unwrap();
            }
            let text = |file: &Interfaces| String::from_utf8(file.render()).unwrap();
            prop_assert_eq!(text(&file), text(&fresh));
        }
    }
}

#[derive(Clone, Debug)]
enum Edit {
    Put(Stanza),
    Remove(&'static str),
    List(&'static str),
    Unlist(&'static str),
}

/// Edits as a module makes them: an interface's type goes with its name.
fn edits() -> impl Strategy<Value = Edit> {
    let names =
        || select(&["eno1", "eno2", "mgmt", "storage", "bond0", "bond1", "vmbr0", "vmbr1", "vlan5"][..]);
    let comments = vec(select(&[" one", "two"][..]), 0..3);
    let texts = vec(option::of(select(&["1400", "9000"][..])), 5);
    let put = (names(), any::<bool>(), any::<bool>(), texts, comments).prop_map(
        |(name, auto, six, texts, comments)| {
            let mut stanza = Stanza::new(name, "manual");
            stanza.auto = auto;
            stanza.comments = comments.into_iter().map(str::to_owned).collect();
            let own: &[(&str, &str)] = match name {
                "mgmt" | "storage" => &[("ovs_type", "OVSIntPort"), ("ovs_bridge", "vmbr0")],
                "bond0" => &[("ovs_type", "OVSBond"), ("ovs_bridge", "vmbr0"), ("ovs_bonds", "eno1 eno2")],
                "vmbr0" => &[("ovs_type", "OVSBridge")],
                "vmbr1" => &[("bridge_ports", "none"), ("bridge_stp", "off")],
                "vlan5" => &[("vlan-raw-device", "eno1")],
                _ => &[],
            };
            for (key, value) in own {
                stanza.set(key, Some(value));
            }
            if six {
                let mut six = Family::new(AddressFamily::Inet6, "static");
                six.set_all("address", &["fd00::1/64"]);
                six.set_all("gateway", texts[0].as_slice());
                stanza.families.push(six);
            }
            for (key, text) in ["gateway", "mtu", "ovs_options", "up", "address"].into_iter().zip(texts) {
                stanza.set(key, text);
            }
            stanza
        },
    );
    prop_oneof![
        4 => put.prop_map(Edit::Put),
        1 => names().prop_map(Edit::Remove),
        1 => names().prop_map(Edit::List),
        1 => names().prop_map(Edit::Unlist),
    ]
}

#[test]
fn a_nic_with_a_name_of_its_own_is_known_by_the_kernel_only() {
    let mut bridge = Stanza::new("vmbr0", "manual");
    bridge.set("ovs_type", Some("OVSBridge"));
    let mut file = Interfaces::parse(b"").with_physical_links(["lan0".to_owned()]);
    for stanza in [bridge, Stanza::new("lan1", "manual"), Stanza::new("lan0", "manual")] {
        file.put(&stanza).unwrap();
    }
    assert_eq!(file.names(), ["lo", "lan0", "vmbr0", "lan1"]);
    assert_eq!((file.kind("lan0"), file.kind("lan1")), (Kind::Eth, Kind::Unknown));
}
