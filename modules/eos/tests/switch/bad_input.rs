//! Arguments that are refused before anybody is connected to: what each is told, and that none reaches the switch.

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::Sim;
use crate::untouched::{IN_ANSIBLES_WORDS, Node, stores, with};

/// One member, in this spelling.
fn members(interface: &Value) -> Value {
    json!([{"interface": interface}])
}

/// A member with one more property.
fn member(name: &str, value: &Value) -> Value {
    json!([{"interface": "Ethernet7/1", name: value}])
}

/// Longer than anything that is taken, and short enough for a pipe.
fn long() -> String {
    "x".repeat(20_000)
}

/// Each value of an argument is refused with this code, and nobody is connected to.
fn each_is_refused(cases: Vec<(&str, Value, &str)>) {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let before = stores(&sim);
    let connections = sim.connections();
    for (argument, value, code) in cases {
        // Ansible does not always say which argument it is.
        let named = if IN_ANSIBLES_WORDS.contains(&code) { "" } else { argument };
        let answer = node.refused(&with(scenario(), &json!({argument: value})), code, &[named]);
        let told = answer.result["msg"].as_str().unwrap();
        assert!(told.len() < 1000, "{told}");
        assert_eq!(sim.connections(), connections, "{told}");
    }
    assert_eq!(stores(&sim), before);
}

#[test]
fn no_name_becomes_a_second_command() {
    each_is_refused(vec![
        ("name", json!(""), "invalid_name"),
        ("name", json!("Port-Channel0"), "invalid_name"),
        ("name", json!("po"), "invalid_name"),
        ("name", json!("p1"), "invalid_name"),
        ("name", json!("1e3"), "invalid_name"),
        ("name", json!(1e3), "invalid_name"),
        ("name", json!(-1), "invalid_name"),
        ("name", json!(0), "invalid_name"),
        ("name", json!("007"), "invalid_name"),
        ("name", json!("1000000"), "invalid_name"),
        ("name", json!(u64::MAX), "invalid_name"),
        ("name", json!("1-4"), "invalid_name"),
        ("name", json!("1001\nshutdown"), "invalid_name"),
        ("name", json!("1001\rshutdown"), "invalid_name"),
        ("name", json!("po1001?"), "invalid_name"),
        ("name", json!("po1001 | json"), "invalid_name"),
        ("name", json!("po1001.5"), "invalid_name"),
        ("name", json!("\u{1b}[Apo1"), "invalid_name"),
        ("name", json!("Ethernet7/1"), "invalid_name"),
        ("name", json!("١٠٠١"), "invalid_name"),
        ("name", json!("１００１"), "invalid_name"),
        ("name", json!(true), "invalid_name"),
        ("name", json!([1001]), "invalid_name"),
        ("name", json!({"a": 1}), "invalid_name"),
        ("name", json!(long()), "invalid_name"),
    ]);
}

#[test]
fn no_text_becomes_a_second_command() {
    each_is_refused(vec![
        ("description", json!("a\nshutdown"), "invalid_text"),
        ("description", json!("a\n"), "invalid_text"),
        ("description", json!("\ninterface Ethernet1/1\nshutdown"), "invalid_text"),
        ("description", json!("a\rno switchport"), "invalid_text"),
        ("description", json!("a\tb"), "invalid_text"),
        ("description", json!("a\0b"), "invalid_text"),
        ("description", json!("a\u{3}"), "invalid_text"),
        ("description", json!("a\u{1a}"), "invalid_text"),
        ("description", json!("a\u{15}shutdown"), "invalid_text"),
        ("description", json!("a\u{1b}[2K"), "invalid_text"),
        ("description", json!("a\u{7f}\u{7f}b"), "invalid_text"),
        ("description", json!("a\u{85}b"), "invalid_text"),
        ("description", json!("a\u{2028}b"), "invalid_text"),
        ("description", json!("a\u{202e}b"), "invalid_text"),
        ("description", json!("what?"), "invalid_text"),
        ("description", json!("Büro"), "invalid_text"),
        ("description", json!("x".repeat(241)), "invalid_text"),
        ("description", json!(long()), "invalid_text"),
        ("mode", json!("trunk\nshutdown"), "wrong_choice"),
        ("mode", json!("Trunk "), "wrong_choice"),
        ("mode", json!(["trunk"]), "wrong_choice"),
        ("state", json!("gone"), "wrong_choice"),
        ("save_when", json!(true), "wrong_choice"),
    ]);
}

#[test]
fn no_list_of_vlans_becomes_a_second_command() {
    each_is_refused(vec![
        ("access_vlan", json!(4095), "invalid_vlan"),
        ("access_vlan", json!(-1), "invalid_vlan"),
        ("access_vlan", json!(i64::MAX), "invalid_vlan"),
        ("access_vlan", json!("ten"), "wrong_type"),
        ("access_vlan", json!("10,20"), "wrong_type"),
        ("access_vlan", json!(1e30), "wrong_type"),
        ("access_vlan", json!([10]), "wrong_type"),
        ("native_vlan", json!("tagged"), "invalid_vlan"),
        ("native_vlan", json!("10-20"), "invalid_vlan"),
        ("native_vlan", json!("10\nshutdown"), "invalid_vlan"),
        ("native_vlan", json!("4095"), "invalid_vlan"),
        ("native_vlan", json!(""), "invalid_vlan"),
        ("native_vlan", json!(false), "invalid_vlan"),
        ("trunk_vlans", json!("10-"), "invalid_vlan"),
        ("trunk_vlans", json!("-10"), "invalid_vlan"),
        ("trunk_vlans", json!("20-10"), "invalid_vlan"),
        ("trunk_vlans", json!("5000"), "invalid_vlan"),
        ("trunk_vlans", json!("10;shutdown"), "invalid_vlan"),
        ("trunk_vlans", json!("10\n20"), "invalid_vlan"),
        ("trunk_vlans", json!("add 10"), "invalid_vlan"),
        ("trunk_vlans", json!(["10", "none"]), "invalid_vlan"),
        ("trunk_vlans", json!(["10", ""]), "invalid_vlan"),
        ("trunk_vlans", json!("１０"), "invalid_vlan"),
        ("trunk_vlans", json!("10?"), "invalid_vlan"),
        ("trunk_vlans", json!(long()), "invalid_vlan"),
        ("trunk_vlans", json!({"a": 1}), "wrong_type"),
    ]);
}

#[test]
fn no_member_becomes_a_second_command() {
    each_is_refused(vec![
        ("members", members(&json!("Ethernet7/1\nshutdown")), "invalid_name"),
        ("members", members(&json!("Ethernet7/1-4")), "invalid_name"),
        ("members", members(&json!("Ethernet7/1,8/1")), "invalid_name"),
        ("members", members(&json!("Ethernet7/1.100")), "invalid_name"),
        ("members", members(&json!("Ethernet7/65536")), "invalid_name"),
        ("members", members(&json!("Ethernet-7/1")), "invalid_name"),
        ("members", members(&json!("Ethernet٧/1")), "invalid_name"),
        ("members", members(&json!("et7/1!")), "invalid_name"),
        ("members", members(&json!("Port-Channel5")), "invalid_name"),
        ("members", members(&json!("Management1")), "invalid_name"),
        ("members", members(&json!("7/1")), "invalid_name"),
        ("members", members(&json!("")), "invalid_name"),
        ("members", members(&json!(true)), "invalid_name"),
        ("members", members(&json!(long())), "invalid_name"),
        ("members", json!([{"interface": "et7/1"}, {"member": "Ethernet 7/1"}]), "invalid_members"),
        ("members", member("speed", &json!("10g")), "unknown_option"),
        ("members", json!([{"description": "x"}]), "missing_option"),
        ("members", json!(["Ethernet7/1"]), "wrong_type"),
        ("members", json!("Ethernet7/1,Ethernet8/1"), "wrong_type"),
        ("members", json!([7]), "wrong_type"),
        ("members", member("description", &json!("a\nno channel-group")), "invalid_text"),
        ("members", member("lacp_mode", &json!("on\n")), "wrong_choice"),
    ]);
}

#[test]
fn no_property_of_a_port_channel_is_taken_that_cannot_be() {
    each_is_refused(vec![
        ("min_links", json!(-1), "invalid_number"),
        ("min_links", json!(129), "invalid_number"),
        ("min_links", json!("two"), "wrong_type"),
        ("lacp_fallback", json!("dynamic"), "wrong_choice"),
        ("lacp_fallback_timeout", json!(301), "invalid_number"),
        ("mlag", json!(10_000), "invalid_number"),
        ("mtu", json!(67), "invalid_number"),
        ("mtu", json!(9237), "invalid_number"),
        ("l2_mtu", json!(i64::MAX), "invalid_number"),
        ("shutdown", json!("down"), "wrong_type"),
        ("portfast", json!("auto"), "wrong_choice"),
        ("trunk_groups", json!(["pve\nshutdown"]), "invalid_text"),
        ("trunk_groups", json!(["pve; shutdown"]), "invalid_text"),
        ("trunk_groups", json!([""]), "invalid_text"),
        ("trunk_groups", json!([long()]), "invalid_text"),
        ("members", member("lacp_timer", &json!("slow")), "wrong_choice"),
        ("members", member("port_priority", &json!(65_536)), "invalid_number"),
        (
            "private_key",
            json!("PuTTY-User-Key-File-2: ssh-ed25519\nEncryption: none\n"),
            "private_key_unusable",
        ),
        ("private_key", json!("LS0tLS1CRUdJTiBPUEVOU1NI"), "private_key_unusable"),
        ("config", json!([]), "mutually_exclusive"),
        ("config", json!([{"name": "7"}]), "mutually_exclusive"),
    ]);
}

#[test]
fn no_way_in_and_no_time_is_taken_that_makes_no_sense() {
    each_is_refused(vec![
        ("member_switchport", json!("perhaps"), "wrong_type"),
        ("confirm_within", json!(5), "invalid_number"),
        ("confirm_within", json!(-60), "invalid_number"),
        ("confirm_within", json!(3601), "invalid_number"),
        ("confirm_within", json!("60\nabort"), "wrong_type"),
        ("lock_timeout", json!(-1), "invalid_number"),
        ("lock_timeout", json!(i64::MIN), "invalid_number"),
        ("timeout", json!(0), "invalid_number"),
        ("timeout", json!(-1), "invalid_number"),
        ("timeout", json!(1e18), "invalid_number"),
        ("host", json!(""), "invalid_access"),
        ("host", json!("core switch"), "invalid_access"),
        ("host", json!("core\n"), "invalid_access"),
        ("host", json!("-oProxyCommand=reboot"), "invalid_access"),
        ("host", json!(long() + "\u{1b}"), "invalid_access"),
        ("port", json!(0), "invalid_access"),
        ("port", json!(-22), "invalid_access"),
        ("port", json!(70_000), "invalid_access"),
        ("port", json!("ssh"), "wrong_type"),
        ("username", json!(""), "invalid_access"),
        ("username", json!("netops\nboss"), "invalid_access"),
        ("username", json!("netops\u{0}"), "invalid_access"),
        ("enable_password", json!("a\nreload now"), "invalid_access"),
        ("enable_password", json!("a\u{3}"), "invalid_access"),
        ("check_on_box", json!(2), "wrong_type"),
        ("speed", json!(true), "unknown_option"),
        ("Description", json!("x"), "unknown_option"),
    ]);
}

#[test]
fn what_people_type_is_taken_however_they_spell_it() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    assert!(node.run(&scenario()).changed());
    for (argument, value) in [
        ("name", json!("po1001")),
        ("name", json!(" port-channel 1001 ")),
        ("number", json!("1001")),
        ("description", json!(" PVE-N1-LACP ")),
        ("switchport_mode", json!("trunk")),
        ("trunk_allowed_vlans", json!("ALL")),
        ("trunk_vlans", json!([])),
        ("trunk_vlans", json!("1-4094")),
        ("native_vlan", json!(1)),
        ("native_vlan", json!("0")),
        ("access_vlan", json!("1")),
        ("members", json!([{"member": "et7/1", "mode": "active"}, {"interface": "Eth 8/1"}])),
    ] {
        let mut arguments = scenario();
        if argument == "number" {
            arguments.as_object_mut().unwrap().remove("name");
        }
        assert!(!node.run(&with(arguments, &json!({argument: value}))).changed(), "{argument}: {value}");
    }
}
