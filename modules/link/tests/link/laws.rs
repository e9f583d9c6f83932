//! What holds of a proved link, whatever goes wrong with it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::module::{answer, base, set};

const BOND: &str = "/info/bonds/bond0";
const CHANNEL: &str = "/switches/core/port_channels/Port-Channel1001";

/// Things that can go wrong, each by itself: where in the reports, what is said there then, and which end and place
/// have to be told.
fn mutations() -> Vec<(String, Value, &'static str, String)> {
    let at = |base: &str, key: &str| format!("{base}/{key}");
    let mut all = vec![
        (at("/info", "bridges"), json!({}), "node", "node1 vmbr0".to_owned()),
        (at("/info", "bonds"), json!({}), "node", "node1 bond0".to_owned()),
        (at("/info", "intports"), json!({}), "node", "node1 mgmt".to_owned()),
        (at("/info", "bridges/vmbr0/configured"), json!(false), "node", "node1 vmbr0".to_owned()),
        (at("/info", "intports/mgmt/configured"), json!(false), "node", "node1 mgmt".to_owned()),
        (at("/info", "intports/mgmt/bridge"), json!("vmbr1"), "node", "node1 mgmt".to_owned()),
        (at("/info", "intports/mgmt/tag"), json!(20), "node", "node1 mgmt".to_owned()),
        (at("/info", "intports/mgmt/mtu"), json!(9000), "node", "node1 mgmt".to_owned()),
        (at("/info", "intports/mgmt/up"), json!(false), "node", "node1 mgmt".to_owned()),
        (at("/info", "intports/mgmt/addresses"), json!([]), "node", "node1 mgmt".to_owned()),
        (at("/info", "intports/mgmt/gateway"), json!("10.10.0.254"), "node", "node1 mgmt".to_owned()),
        (at(BOND, "configured"), json!(false), "node", "node1 bond0".to_owned()),
        (at(BOND, "bridge"), json!("vmbr1"), "node", "node1 bond0".to_owned()),
        (at(BOND, "mode"), json!("balance-slb"), "node", "node1 bond0".to_owned()),
        (at(BOND, "lacp"), json!("off"), "node", "node1 bond0".to_owned()),
        (at(BOND, "tag"), json!(20), "node", "node1 bond0".to_owned()),
        (at(BOND, "trunks"), json!([20]), "node", "node1 bond0".to_owned()),
        (at(BOND, "negotiated"), json!(false), "node", "node1 bond0".to_owned()),
        (at("/switches/core", "vlans"), json!("1,20"), "switch", "core".to_owned()),
        (at("/switches/core", "port_channels"), json!({}), "switch", "core Port-Channel1001".to_owned()),
        (at(CHANNEL, "mode"), json!("access"), "switch", "core Port-Channel1001".to_owned()),
        (at(CHANNEL, "native_vlan"), json!("10"), "switch", "core Port-Channel1001".to_owned()),
        (at(CHANNEL, "trunk_vlans"), json!("20"), "switch", "core Port-Channel1001".to_owned()),
        (at(CHANNEL, "shutdown"), json!(true), "switch", "core Port-Channel1001".to_owned()),
        (at(CHANNEL, "mtu"), json!(1400), "node", "node1 bond0".to_owned()),
        (at(CHANNEL, "up"), json!(false), "switch", "core Port-Channel1001".to_owned()),
    ];
    for (nic, interface) in [("ens20f0np0", "Ethernet7/1"), ("ens20f1np1", "Ethernet8/1")] {
        let at_nic = format!("{BOND}/members/{nic}");
        let at_interface = format!("{CHANNEL}/members/{}", interface.replace('/', "~1"));
        let (node, switch) = (format!("node1 bond0 {nic}"), format!("core {interface}"));
        for (key, value, end) in [
            ("link", json!(false), "cable"),
            ("mtu", json!(9500), "node"),
            ("mtu", json!(null), "node"),
            ("enabled", json!(false), "node"),
            ("attached", json!(false), "node"),
            ("current", json!(false), "both"),
            ("partner/system_id", json!("00:1c:73:0a:bb:02"), "cable"),
            ("partner/port_id", json!(91), "cable"),
        ] {
            all.push((at(&at_nic, key), value, end, node.clone()));
        }
        for (key, value, end, place) in [
            ("link", json!(false), "cable", &node),
            ("shutdown", json!(true), "switch", &switch),
            ("lacp_mode", json!("on"), "switch", &switch),
            ("bundled", json!(false), "switch", &switch),
            ("partner", json!(null), "both", &switch),
            ("partner/system_id", json!("3c:fd:fe:a1:02:20"), "cable", &switch),
            ("partner/port_id", json!(9), "cable", &switch),
            ("actor/key", json!(1003), "switch", &switch),
        ] {
            all.push((at(&at_interface, key), value, end, place.clone()));
        }
    }
    all
}

#[test]
fn whatever_goes_wrong_is_told_once_with_the_end_to_mend() {
    for (pointer, value, end, place) in mutations() {
        let mut arguments = base();
        set(&mut arguments, &pointer, value);
        let errors = errors(&arguments);
        let [error] = errors.as_slice() else { panic!("{pointer}: {errors:?}") };
        assert_eq!(error["end"], end, "{pointer}: {error}");
        assert!(error["where"].as_str().unwrap().starts_with(&place), "{pointer}: {error}");
    }
}

/// Of two things that go wrong, one may hide the other until it is mended; nothing is made up.
#[test]
fn two_things_that_go_wrong_are_told_as_nothing_else() {
    let mutations = mutations();
    let codes = |changed: &[&(String, Value, &str, String)]| {
        let mut arguments = base();
        // A longer pointer leads into what a shorter one replaces.
        let mut changed = changed.to_vec();
        changed.sort_by_key(|(pointer, ..)| std::cmp::Reverse(pointer.len()));
        for (pointer, value, ..) in changed {
            set(&mut arguments, pointer, value.clone());
        }
        errors(&arguments).iter().map(|error| error["code"].to_string()).collect::<BTreeSet<_>>()
    };
    let alone: Vec<BTreeSet<String>> = mutations.iter().map(|mutation| codes(&[mutation])).collect();
    for (at, one) in mutations.iter().enumerate() {
        for (other_at, other) in mutations.iter().enumerate().skip(at + 1) {
            let found = codes(&[one, other]);
            let known: BTreeSet<String> = alone[at].union(&alone[other_at]).cloned().collect();
            assert!(!found.is_empty() && found.is_subset(&known), "{} and {}: {found:?}", one.0, other.0);
        }
    }
}

#[test]
fn a_proved_link_has_nothing_to_say() {
    assert_eq!(answer(&base()).1["findings"], json!([]));
}

fn errors(arguments: &Value) -> Vec<Value> {
    let (status, result) = answer(arguments);
    assert_eq!(status, 0, "{result}");
    let findings = result["findings"].as_array().unwrap().iter();
    let errors: Vec<Value> = findings.filter(|finding| finding["level"] == "error").cloned().collect();
    assert_eq!(result["ok"], errors.is_empty());
    errors
}
