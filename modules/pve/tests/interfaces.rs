//! Every folder of `tests/interfaces` is a case: the file `input`, edited as `edit.json` says, is `expected`.
//!
//! `edit.json` is a list of edits: `{"put": STANZA}` (`auto` is true and the family `inet manual` unless given;
//! `options` stands for those of the one family), `{"set": [NAME, KEY, VALUE or null or LIST]}`,
//! `{"comments": [NAME, LIST]}`, `{"auto": [NAME, BOOL]}`, `{"remove": NAME}`, `{"list": [BRIDGE, PORT]}`,
//! `{"unlist": [BRIDGE, PORT]}`. A case that must be refused has the file `refused`, the error's text.
#![expect(clippy::panic, clippy::unwrap_used, reason = "what fails here is the test")]

use std::fs;
use std::path::Path;

use pve::interfaces::{AddressFamily, EditError, Family, Interfaces, Stanza};
use serde_json::Value;

#[test]
fn every_case_comes_out_as_expected() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interfaces");
    let mut cases: Vec<_> = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    assert!(!cases.is_empty());
    for case in cases {
        check(&case);
    }
}

#[test]
fn the_order_of_puts_does_not_show() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interfaces/link_from_scratch");
    let edits = edits(&case);
    let [first, second, rest @ ..] = edits.as_slice() else { panic!("too few edits") };
    for shift in 0..rest.len() {
        for (nic1, nic2) in [(0, 1), (0, 4), (2, 3), (3, 4)] {
            let mut order: Vec<_> = rest.to_vec();
            order.rotate_left(shift);
            order.insert(nic1, first.clone());
            order.insert(nic2, second.clone());
            let mut file = Interfaces::parse(&fs::read(case.join("input")).unwrap());
            for edit in &order {
                apply(&mut file, edit).unwrap();
            }
            assert_same(&file, &case, &format!("{order:?}"));
        }
    }
}

#[test]
fn what_stands_around_the_stanzas_is_told() {
    let file = Interfaces::parse(
        b"iface mgmt inet static\n\taddress 10.0.0.2\n\tovs_mtu 9000\n\n# lost\n\tovs_type OVSIntPort\nauto a\nup one\n\
        iface vmbr0 inet manual\n\tovs_ports mgmt bond0\nsource interfaces.d/*\nup two\nsource-directory /etc/x\n\
        iface vmbr1 inet manual\n\tbridge_ports mgmt\nmapping mgmt\n\tscript x\n",
    );
    assert_eq!(file.names(), ["mgmt", "vmbr0", "vmbr1"]);
    let mgmt = file.stanza("mgmt").unwrap();
    assert_eq!((mgmt.get("ovs_type"), mgmt.get("ovs_mtu"), mgmt.auto), (None, Some("9000"), false));
    assert_eq!(mgmt.addresses(AddressFamily::Inet), ["10.0.0.2/32"]);
    assert_eq!(file.detached("mgmt"), ["ovs_type OVSIntPort"]);
    assert!(file.detached("vmbr0").is_empty() && file.detached("vmbr1").is_empty());
    assert_eq!(file.bridge_listing("mgmt"), ["vmbr0"]);
    let claims: Vec<_> = file.claims("mgmt").into_iter().map(|claim| (claim.by, claim.key)).collect();
    assert_eq!(claims, [("vmbr0".to_owned(), "ovs_ports"), ("vmbr1".to_owned(), "bridge_ports")]);
    let sources: Vec<_> = file.sources().into_iter().map(|source| (source.directory, source.path)).collect();
    assert_eq!(sources, [(false, "interfaces.d/*".to_owned()), (true, "/etc/x".to_owned())]);
}

fn check(case: &Path) {
    let mut file = Interfaces::parse(&fs::read(case.join("input")).unwrap());
    let run = |file: &mut Interfaces| edits(case).iter().try_for_each(|edit| apply(file, edit));
    if let Ok(refused) = fs::read_to_string(case.join("refused")) {
        let before = file.clone();
        assert_eq!(run(&mut file).unwrap_err().to_string(), refused.trim_end(), "{}", case.display());
        assert_eq!(file, before, "{}", case.display());
        return;
    }
    run(&mut file).unwrap();
    assert_same(&file, case, "first time");
    run(&mut file).unwrap();
    assert_same(&file, case, "second time");
}

fn assert_same(file: &Interfaces, case: &Path, when: &str) {
    let expected = fs::read(case.join("expected")).unwrap();
    let (found, expected) = (file.render(), String::from_utf8_lossy(&expected).into_owned());
    assert_eq!(String::from_utf8_lossy(&found), expected, "{} ({when})", case.display());
}

fn edits(case: &Path) -> Vec<Value> {
    let text = fs::read(case.join("edit.json")).unwrap();
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", case.display()))
}

fn apply(file: &mut Interfaces, edit: &Value) -> Result<(), EditError> {
    let (verb, what) = edit.as_object().unwrap().iter().next().unwrap();
    let name = what.get(0).unwrap_or(what).as_str().unwrap_or_default();
    match verb.as_str() {
        "put" => file.put(&stanza(what)),
        "remove" => {
            file.remove(name);
            Ok(())
        }
        "list" => file.list_port(name, text(&what[1])),
        "unlist" => file.unlist_port(name, text(&what[1])),
        _ => {
            let mut stanza = file.stanza(name).unwrap();
            match verb.as_str() {
                "set" => stanza.set_all(text(&what[1]), &texts(&what[2])),
                "comments" => stanza.comments = texts(&what[1]),
                "auto" => stanza.auto = what[1].as_bool().unwrap(),
                _ => panic!("unknown edit {edit}"),
            }
            file.put(&stanza)
        }
    }
}

fn stanza(value: &Value) -> Stanza {
    let mut stanza = Stanza::new(text(&value["name"]), "manual");
    stanza.auto = value["auto"].as_bool().unwrap_or(true);
    stanza.comments = texts(&value["comments"]);
    stanza.families = match value["families"].as_array() {
        Some(families) => families.iter().map(family).collect(),
        None => vec![family(value)],
    };
    stanza
}

fn family(value: &Value) -> Family {
    let (kind, method) = match value["family"].as_str() {
        Some("inet6") => (AddressFamily::Inet6, "manual"),
        Some("none") => (AddressFamily::None, ""),
        _ => (AddressFamily::Inet, "manual"),
    };
    let mut family = Family::new(kind, value["method"].as_str().unwrap_or(method));
    let options = value["options"].as_array().into_iter().flatten();
    family.options =
        options.map(|option| (text(&option[0]).to_owned(), text(&option[1]).to_owned())).collect();
    family
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(list) => list.iter().map(|entry| text(entry).to_owned()).collect(),
        one => vec![text(one).to_owned()],
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
