//! What an IntPort has of its own: IPv6, a MAC address, the default route; and what by hand becomes of them.

#![allow(clippy::indexing_slicing, reason = "the tests fail by panicking")]

use anyhow::Result;
use lab::Lab;
use serde_json::{Value, json};

/// A node with a bridge, and an IntPort on it.
fn node(intport: &Value) -> Result<Lab> {
    let lab = Lab::up()?;
    lab.make_bridge("node1")?;
    assert_eq!(lab.run_as_predicted("node1", &[task(intport)])?, [true]);
    Ok(lab)
}

fn task(arguments: &Value) -> (&'static str, Value) {
    let mut arguments = arguments.clone();
    arguments["name"] = "mgmt".into();
    arguments["bridge"] = "vmbr0".into();
    // Nobody is there to answer.
    arguments["require_reachable"] = json!([]);
    ("pve_ovs_intport", arguments)
}

fn default_routes(lab: &Lab, family: &str) -> Result<Vec<String>> {
    let text = lab.exec("node1", &["ip", family, "route", "show", "default"])?;
    Ok(text.lines().map(|line| line.split_whitespace().take(5).collect::<Vec<_>>().join(" ")).collect())
}

/// It is so after the task, after anybody's `ifreload -a`, and a second run is idle.
fn becomes(lab: &Lab, arguments: &Value, changed: bool, look: impl Fn() -> Result<()>) -> Result<()> {
    assert_eq!(lab.run_as_predicted("node1", &[task(arguments), task(arguments)])?, [changed, false]);
    look()?;
    lab.sh("node1", "ifreload -a")?;
    assert_eq!(lab.run_as_predicted("node1", &[task(arguments)])?, [false]);
    look()
}

#[test]
fn both_families_are_set_changed_and_taken_away() -> Result<()> {
    let lab = node(&json!({"cidr6": "fd00::2/64", "gateway6": "fd00::1"}))?;
    let is = |four: &str, six: &str, gateway: &str| -> Result<()> {
        let text =
            lab.exec("node1", &["ip", "-oneline", "address", "show", "dev", "mgmt", "scope", "global"])?;
        let found: Vec<&str> = text.lines().filter_map(|line| line.split_whitespace().nth(3)).collect();
        let wanted: Vec<&str> = [four, six].into_iter().filter(|cidr| !cidr.is_empty()).collect();
        assert_eq!(found, wanted);
        let wanted: Vec<String> = Some(gateway)
            .filter(|text| !text.is_empty())
            .map(|text| format!("default via {text} dev mgmt"))
            .into_iter()
            .collect();
        assert_eq!(default_routes(&lab, "-6")?, wanted);
        Ok(())
    };
    is("", "fd00::2/64", "fd00::1")?;
    becomes(&lab, &json!({"cidr": "10.10.0.2/24", "cidr6": "FD00:0::3/64"}), true, || {
        is("10.10.0.2/24", "fd00::3/64", "fd00::1")
    })?;
    becomes(&lab, &json!({"gateway6": "fe80::1"}), true, || is("10.10.0.2/24", "fd00::3/64", "fe80::1"))?;
    lab.sh("node1", "ip address del fd00::3/64 dev mgmt")?;
    becomes(&lab, &json!({}), true, || is("10.10.0.2/24", "fd00::3/64", "fe80::1"))?;
    becomes(&lab, &json!({"cidr": ""}), true, || is("", "fd00::3/64", "fe80::1"))?;
    becomes(&lab, &json!({"cidr6": "", "gateway6": ""}), true, || is("", "", ""))?;
    assert!(!lab.read("node1", "/etc/network/interfaces")?.contains("inet6"));
    Ok(())
}

#[test]
fn a_mac_is_set_kept_against_what_is_set_by_hand_and_taken_away() -> Result<()> {
    let lab = node(&json!({"mac": "3C-FD-FE-AA-00-01"}))?;
    let is = |wanted: &str| -> Result<()> {
        assert_eq!(lab.read("node1", "/sys/class/net/mgmt/address")?.trim(), wanted);
        Ok(())
    };
    let first = "3c:fd:fe:aa:00:01";
    is(first)?;
    lab.sh("node1", "ip link set mgmt address 02:00:00:00:00:66")?;
    becomes(&lab, &json!({}), true, || is(first))?;
    lab.vsctl("node1", &["set", "interface", "mgmt", "mac=\"02:00:00:00:00:67\""])?;
    becomes(&lab, &json!({}), true, || is(first))?;
    assert_eq!(lab.vsctl("node1", &["get", "interface", "mgmt", "mac"])?, "[]");
    becomes(&lab, &json!({"mac": "3c:fd:fe:aa:00:02"}), true, || is("3c:fd:fe:aa:00:02"))?;
    becomes(&lab, &json!({"mac": ""}), true, || is("3c:fd:fe:aa:00:02"))?;
    assert!(!lab.read("node1", "/etc/network/interfaces")?.contains("hwaddress"));
    let (module, arguments) = task(&json!({"mac": "inherit"}));
    let refused = lab.module("node1", module, &arguments)?;
    assert_eq!(refused.failure()?, ("no_mac_to_inherit", "unchanged"), "{}", refused.message());
    Ok(())
}

#[test]
fn a_default_route_that_leads_elsewhere_is_put_right_and_a_failure_puts_it_back() -> Result<()> {
    let lab = node(
        &json!({"cidr": "10.10.0.2/24", "gateway": "10.10.0.1", "cidr6": "fd00::2/64", "gateway6": "fd00::1"}),
    )?;
    let are = |four: &str, six: &str| -> Result<()> {
        assert_eq!(default_routes(&lab, "-4")?, [format!("default via {four} dev mgmt")]);
        assert_eq!(default_routes(&lab, "-6")?, [format!("default via {six} dev mgmt")]);
        Ok(())
    };
    are("10.10.0.1", "fd00::1")?;
    let drift = "ip route replace default via 10.10.0.9 dev mgmt; ip -6 route del default; ip -6 route add default via fd00::9 dev mgmt";
    lab.sh("node1", drift)?;
    lab.sh("node1", "ifreload -a")?;
    are("10.10.0.9", "fd00::9")?;

    // The second run of it is the one after the wrong routes are gone.
    let fails = "touch /tmp/run; echo >>/tmp/run; [ $(wc -l </tmp/run) -ne 2 ] || { echo error: broken; exit 1; }; exec /sbin/ifreload -a";
    lab.write("node1", "/tmp/ifreload", fails)?;
    let (module, arguments) = task(&json!({}));
    let environment = ["BOTHENDS_IFRELOAD=sh /tmp/ifreload"];
    let answer = lab.module_with("node1", &environment, module, &arguments)?;
    assert_eq!(answer.failure()?, ("reload_failed", "rolled_back"), "{}", answer.message());
    are("10.10.0.9", "fd00::9")?;

    becomes(&lab, &json!({}), true, || are("10.10.0.1", "fd00::1"))?;
    lab.sh("node1", drift)?;
    becomes(&lab, &json!({"gateway": "10.10.0.7", "gateway6": "fd00::7"}), true, || {
        are("10.10.0.7", "fd00::7")
    })?;
    // As after a reboot, or where ifupdown2 lost what it knew.
    lab.sh(
        "node1",
        "rm -rf /var/tmp/network/* /run/network/ifstate*; ip route replace default via 10.10.0.9 dev mgmt",
    )?;
    becomes(&lab, &json!({"gateway": "10.10.0.5"}), true, || are("10.10.0.5", "fd00::7"))
}
