//! How it answers: as a failure or as findings, in check mode as in a run.

use serde_json::{Value, json};

use crate::module::{CHECK, answer, base, remove, set};

#[test]
fn what_cannot_work_fails_before_the_reports_are_looked_at() {
    let mut arguments = base();
    set(&mut arguments, "/fail", json!(true));
    set(&mut arguments, "/link/bond/mode", json!("balance-slb"));
    set(&mut arguments, "/info", json!({}));
    let (status, result) = answer(&arguments);
    assert_eq!((status, code(&result), &result["error"]["step"]), (1, "impossible_link", &json!("plan")));
    assert_eq!((&result["changed"], &result["outcome"]), (&json!(false), &json!("unchanged")));
    assert!(message(&result).starts_with("node1 bond0: `mode: balance-slb` speaks no LACP"), "{result}");
}

#[test]
fn a_link_that_does_not_fit_fails_with_every_sentence() {
    let mut arguments = base();
    remove(&mut arguments, "/fail");
    set(&mut arguments, "/info/intports/mgmt/up", json!(false));
    set(&mut arguments, "/switches/core/vlans", json!("1"));
    set(&mut arguments, "/info/bonds/bond0/lacp_time", json!("slow"));
    let (status, result) = answer(&arguments);
    assert_eq!((status, code(&result), &result["error"]["step"]), (1, "link_mismatch", &json!("condition")));
    let message = message(&result);
    assert!(message.starts_with("2 things do not fit: (1) node1 mgmt: is down"), "{message}");
    assert!(message.contains("; (2) core: has no VLAN 10 in its VLAN database"), "{message}");
    assert!(!message.contains("lacp_time"), "a note is no reason to fail: {message}");
    assert_eq!((result["findings"].as_array().map(Vec::len), &result["ok"]), (Some(3), &json!(false)));
}

#[test]
fn check_mode_is_no_different() {
    let mut arguments = base();
    let run = answer(&arguments);
    set(&mut arguments, "/_ansible_check_mode", json!(true));
    assert_eq!(
        (run.1["changed"].clone(), answer(&arguments).1["findings"].clone()),
        (json!(false), json!([]))
    );
}

#[test]
fn null_is_not_given() {
    let mut arguments = base();
    for pointer in ["/link/bond/members", "/link/bond/tag", "/link/reach", "/link/switches/0/native_vlan"] {
        set(&mut arguments, pointer, json!(null));
    }
    assert_eq!(answer(&arguments).1["findings"], json!([]));
}

#[test]
fn help_and_version_are_texts() {
    assert_eq!(CHECK.text(&["--version"]), format!("lacp_link_check {}\n", env!("CARGO_PKG_VERSION")));
    let help = CHECK.text(&["--help"]);
    for word in ["link", "port_channel", "native-untagged", "pve_ovs_info"] {
        assert!(help.contains(word), "{word} in {help}");
    }
}

fn code(result: &Value) -> &str {
    result["error"]["code"].as_str().unwrap()
}

fn message(result: &Value) -> &str {
    result["msg"].as_str().unwrap()
}
