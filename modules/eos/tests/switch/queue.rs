//! Many tasks at once for one switch.

use serde_json::{Value, json};

use crate::sim::{Answer, STARTUP, Sim};

const CHANNELS: std::ops::Range<u32> = 1001..1009;

/// A switch with two more interfaces for each Port-Channel.
fn switch() -> Sim {
    let port = |n: u32| format!("interface Ethernet{n}/1\n!\ninterface Ethernet{n}/2\n!\n");
    let ports = CHANNELS.map(port).collect::<Vec<_>>().concat();
    Sim::start_with(&STARTUP.replace("interface Management1", &format!("{ports}interface Management1")), &[])
}

fn task(number: u32) -> Value {
    json!({
        "name": number, "description": format!("node {number}"), "mode": "trunk",
        "members": [{"interface": format!("et{number}/1")}, {"interface": format!("et{number}/2")}],
    })
}

/// Begins all, then waits for each.
fn at_once(sim: &Sim, tasks: impl Iterator<Item = Value>) -> Vec<Answer> {
    let running: Vec<_> = tasks.map(|task| sim.begin(&task)).collect();
    running.into_iter().map(crate::sim::Running::finish).collect()
}

fn in_check_mode(mut task: Value) -> Value {
    task["_ansible_check_mode"] = json!(true);
    task
}

#[track_caller]
fn all_there(sim: &Sim) {
    for n in CHANNELS {
        assert_eq!(
            sim.interface(&format!("Port-Channel{n}")),
            [
                format!("interface Port-Channel{n}"),
                format!("   description node {n}"),
                "   switchport mode trunk".to_owned()
            ]
        );
        for port in 1..=2 {
            let member = sim.interface(&format!("Ethernet{n}/{port}"));
            assert!(member.contains(&format!("   channel-group {n} mode active")), "{member:?}");
        }
    }
    assert_eq!(sim.open_sessions(), Vec::<String>::new());
    assert!(sim.is_saved());
}

#[test]
fn eight_tasks_for_eight_port_channels_all_succeed() {
    let sim = switch();
    for answer in at_once(&sim, CHANNELS.map(task)) {
        assert!(answer.changed() && answer.result["warnings"] == json!([]), "{}", answer.told());
    }
    all_there(&sim);
    for answer in at_once(&sim, CHANNELS.map(task)) {
        assert!(!answer.changed());
    }
}

#[test]
fn eight_tasks_in_check_mode_share_the_sessions_and_leave_none() {
    let sim = switch();
    let before = sim.running();
    for answer in at_once(&sim, CHANNELS.map(task).map(in_check_mode)) {
        assert!(answer.changed(), "{}", answer.told());
    }
    assert_eq!((sim.running(), sim.open_sessions()), (before, vec![]));
}

#[test]
fn check_mode_beside_runs_disturbs_neither() {
    let sim = switch();
    let both = CHANNELS.map(task).flat_map(|task| [task.clone(), in_check_mode(task)]);
    for (at, answer) in at_once(&sim, both).iter().enumerate() {
        // The run may have been quicker than its prediction.
        assert!(answer.changed() || at % 2 == 1, "{}", answer.told());
    }
    all_there(&sim);
}
