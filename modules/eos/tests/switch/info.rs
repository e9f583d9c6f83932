//! The module that only reads: what it tells, and that the switch is as before.

use std::process::Command;

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::{Answer, OTHERS_SECRET, STARTUP, Sim};

/// Runs the module that only reads.
pub fn info(sim: &Sim, arguments: &Value) -> Answer {
    let mut command = Command::new(env!("CARGO_BIN_EXE_eos_port_channel_info"));
    sim.begin_as(&mut command, &[], arguments).finish()
}

/// What is told of a member.
fn member<'a>(told: &'a Answer, channel: &str, name: &str) -> &'a Value {
    &told.result["port_channels"][channel]["members"][name]
}

#[test]
fn a_channel_is_told_with_its_members_and_what_both_ends_say_in_lacp() {
    let sim = Sim::start();
    assert!(sim.run(&scenario()).changed());
    let told = info(&sim, &json!({"names": "po1001"}));
    assert!(!told.changed());
    let mut result = told.result.clone();
    let channel = result["port_channels"]["Port-Channel1001"].take();
    result.as_object_mut().unwrap().remove("invocation");
    assert_eq!(
        result,
        json!({
            "schema": 1, "changed": false, "warnings": [], "hostname": "core", "version": "4.28.3M",
            "system_id": "00:1c:73:00:00:00", "vlans": "1,10,20", "sessions": [], "commit_timer": null, "missing": [], "port_channels": {"Port-Channel1001": null},
        })
    );
    // Whom the switch imagines at the other ends.
    let state = ["activity", "aggregation", "synchronization", "collecting", "distributing"];
    let end = |description: &str, port_id: u32| {
        json!({
            "description": description, "lacp_mode": "active", "shutdown": false, "link": true,
            "bandwidth": 10_000_000_000_u64, "bundled": true, "reason": null, "cause": null,
            "actor": {"system_id": "00:1c:73:00:00:00", "key": 1001, "port_id": port_id, "port_priority": 32768, "state": state},
            "partner": {"system_id": "3c:ec:ef:00:03:e9", "key": 1, "port_id": port_id, "port_priority": 32768, "state": state},
        })
    };
    assert_eq!(
        channel,
        json!({
            "description": "PVE-N1-LACP", "mode": "trunk", "access_vlan": 1, "native_vlan": "1", "trunk_vlans": "all",
            "carried_vlans": "1,10,20", "shutdown": false, "mtu": 9214, "min_links": 0, "mlag": 0, "saved": true,
            "lacp_fallback": {"mode": "none", "active": false, "state": "unconfigured"}, "up": true,
            "bandwidth": 20_000_000_000_u64, "peer_members": {},
            "members": {"Ethernet7/1": end("PVE-N1-P0(R)", 5), "Ethernet8/1": end("PVE-N1-P1(L)", 6)},
        })
    );
}

#[test]
fn it_only_reads_and_tells_no_secret_of_others() {
    let sim = Sim::start();
    assert!(sim.run(&scenario()).changed());
    let (before, typed) = (sim.running(), sim.typed().len());
    let told = info(&sim, &json!({"_ansible_diff": true}));
    let checked = info(&sim, &json!({"_ansible_diff": true, "_ansible_check_mode": true}));
    assert_eq!(told.result, checked.result);
    assert!(!told.text.contains(OTHERS_SECRET));
    assert_eq!((sim.running(), sim.open_sessions()), (before, vec![]));
    let lines = sim.typed().split_off(typed);
    let lines: Vec<&str> = lines.iter().filter_map(|line| Some(line.split_once(' ')?.1)).collect();
    let once = [
        "enable",
        "terminal length 0",
        "show version | json",
        "show running-config",
        "show startup-config",
        "show configuration sessions detail | json",
        "show interfaces | json",
        "show port-channel | json",
        "show lacp interface all-ports | json",
    ];
    assert_eq!(lines.get(..once.len()), Some(&once[..]), "{lines:?}");
    assert_eq!(lines.get(once.len()..once.len() * 2), Some(&once[..]), "{lines:?}");
}

#[test]
fn a_member_that_is_not_bundled_is_told_with_the_reason() {
    let sim = Sim::start_with(
        &STARTUP.replace(
            "interface Ethernet7/1\n!\ninterface Ethernet8/1\n",
            "interface Port-Channel7\n   switchport access vlan 20\n!\ninterface Port-Channel8\n   shutdown\n   no switchport\n!\n\
             interface Ethernet7/1\n   channel-group 7 mode passive\n!\n\
             interface Ethernet8/1\n   shutdown\n   channel-group 7 mode active\n",
        ),
        &[],
    );
    let told = info(&sim, &json!({}));
    let channels = told.result["port_channels"].as_object().unwrap();
    assert_eq!(channels.keys().collect::<Vec<_>>(), ["Port-Channel7", "Port-Channel8"]);
    assert_eq!(
        (&channels["Port-Channel7"]["mode"], &channels["Port-Channel7"]["access_vlan"]),
        (&json!("access"), &json!(20))
    );
    assert_eq!(
        channels["Port-Channel8"],
        json!({
            "description": "", "mode": "routed", "access_vlan": 1, "native_vlan": "1", "trunk_vlans": "all",
            "carried_vlans": "none", "shutdown": true, "mtu": 1500, "min_links": 0, "mlag": 0, "saved": true,
            "lacp_fallback": {"mode": "none", "active": false, "state": "unconfigured"}, "up": false, "bandwidth": 0,
            "members": {}, "peer_members": {},
        })
    );
    assert_eq!(
        *member(&told, "Port-Channel7", "Ethernet8/1"),
        json!({
            "description": "", "lacp_mode": "active", "shutdown": true, "link": false,
            "bandwidth": 10_000_000_000_u64, "bundled": false, "reason": "link down in LACP negotiation", "cause": "it is shut down",
            "actor": null, "partner": null,
        })
    );
    let up = member(&told, "Port-Channel7", "Ethernet7/1");
    assert_eq!((&up["lacp_mode"], &up["bundled"]), (&json!("passive"), &json!(true)));
}

#[test]
fn sessions_and_a_commit_that_waits_are_told_with_whose_they_are() {
    let sim = Sim::start();
    sim.admin(&["configure session noon", "interface Ethernet9/1", "description theirs", "end"]);
    sim.admin(&["configure session night", "interface Port-Channel7", "commit timer 00:10:00"]);
    let told = info(&sim, &json!({}));
    assert_eq!(told.result["sessions"], json!([{"name": "noon", "ours": false, "users": []}]));
    let timer = &told.result["commit_timer"];
    assert_eq!((&timer["session"], &timer["ours"]), (&json!("night"), &json!(false)));
    let left = timer["seconds_left"].as_u64().unwrap();
    assert!((300..=600).contains(&left), "{timer}");
    assert!(humantime::parse_rfc3339(timer["reverts_at"].as_str().unwrap()).is_ok(), "{timer}");
    assert_eq!(told.result["port_channels"]["Port-Channel7"]["saved"], false);

    // One that a killed run of ours left.
    let sim = Sim::start();
    sim.control("delay connection=2 500");
    let running = sim.begin(&scenario());
    let session = sim.session();
    sim.wait_for(|line| line.starts_with("commit timer"));
    running.kill();
    sim.control("clear");
    let told = info(&sim, &json!({}));
    let timer = &told.result["commit_timer"];
    assert_eq!((&timer["session"], &timer["ours"]), (&json!(session), &json!(true)));
}

#[test]
fn what_is_not_there_is_not_told_and_a_wrong_name_is_refused() {
    let sim = Sim::start();
    let told = info(&sim, &json!({"names": [1001]}));
    assert!(!told.changed());
    assert_eq!(told.result["port_channels"], json!({}));
    assert_eq!(told.result["missing"], json!(["Port-Channel1001"]));
    assert_eq!(told.result["warnings"], json!(["the switch has no Port-Channel1001"]));
    assert_eq!(info(&sim, &json!({"names": ["et7/1"]})).failure(), ("invalid_name", "unchanged"));
}

#[test]
fn an_answer_that_cannot_be_read_is_an_error() {
    let sim = Sim::start();
    sim.control("ignore show interfaces");
    let failed = info(&sim, &json!({}));
    assert_eq!(failed.failure(), ("unexpected_answer", "unchanged"));
    assert!(
        failed.result["msg"].as_str().unwrap().contains("`show interfaces | json`"),
        "{:#}",
        failed.result
    );
    sim.control("clear");
    sim.control("refuse show lacp");
    assert_eq!(info(&sim, &json!({})).failure(), ("line_refused", "unchanged"));
    sim.control("clear");
    sim.control("drop-before 4");
    assert_eq!(info(&sim, &json!({})).failure(), ("connection_lost", "unchanged"));
}
