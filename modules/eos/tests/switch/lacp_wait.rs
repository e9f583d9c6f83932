//! `wait_for_lacp`: what is not bundled in time is not confirmed, and the switch goes back; where nothing is to be
//! changed it has to hold all the same. Here `port-channel min-links` keeps members out; LACP itself is the lab's.

use serde_json::{Value, json};

use crate::info::info;
use crate::judge::{Ends, each};
use crate::scenario::scenario;
use crate::sim::{STARTUP, Sim};

/// The scenario's task, with `more`.
fn task(more: &Value) -> Value {
    let mut task = scenario();
    for (name, value) in more.as_object().unwrap() {
        task[name] = value.clone();
    }
    task
}

/// A switch whose Port-Channel1001 uses no member as long as it has fewer than three.
fn strict() -> Sim {
    let channel = "interface Port-Channel1001\n   port-channel min-links 3\n!\ninterface Ethernet1/1\n";
    Sim::start_with(&STARTUP.replace("interface Ethernet1/1\n", channel), &[])
}

/// What is typed on the connections from `from` on, without the number of the connection.
fn typed(sim: &Sim, from: usize) -> Vec<String> {
    sim.typed().split_off(from).iter().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn members_that_are_bundled_are_confirmed_and_an_idle_run_only_looks() {
    let sim = Sim::start();
    let wait = task(&json!({"wait_for_lacp": 40}));
    let answer = sim.run(&wait);
    assert!(answer.changed());
    let lines = typed(&sim, 0);
    let at = |what: &str| lines.iter().rposition(|line| line.contains(what)).unwrap();
    assert!(at("commit timer") < at("show port-channel | json"), "{lines:#?}");
    assert!(at("show lacp interface all-ports | json") < at(" commit"), "{lines:#?}");
    Ends::of(&scenario()).judge(&sim, &answer, &answer.told());

    let runs: Vec<Vec<String>> = [&scenario(), &wait]
        .into_iter()
        .map(|task| {
            let from = sim.typed().len();
            assert!(!sim.run(task).changed());
            typed(&sim, from)
        })
        .collect();
    let looks = runs[1].iter().filter(|line| !runs[0].contains(line)).cloned().collect::<Vec<_>>();
    assert_eq!(looks, ["show port-channel | json", "show lacp interface all-ports | json"]);
    assert_eq!(runs[1].len(), runs[0].len() + 2);
}

#[test]
fn members_that_are_not_bundled_in_time_are_not_confirmed_and_the_switch_goes_back() {
    for confirm_within in [60, 0] {
        let sim = strict();
        let before = sim.look();
        let answer = sim.run(&task(&json!({"wait_for_lacp": 2, "confirm_within": confirm_within})));
        assert_eq!(answer.failure(), ("lacp_not_up", "rolled_back"), "{}", answer.told());
        assert_eq!(answer.result["error"]["step"], "condition");
        let expected = "waiting 2s for LACP: not bundled: \
            Ethernet7/1 of Port-Channel1001 (\"minimum links not met\": too few members are up); \
            Ethernet8/1 of Port-Channel1001 (\"minimum links not met\": too few members are up); \
            hint: mend the other members, or ask for fewer with `port-channel min-links`";
        assert!(answer.result["msg"].as_str().unwrap().starts_with(expected), "{}", answer.told());
        let after = sim.look();
        assert_eq!((&after.running, &after.open_sessions), (&before.running, &vec![]), "{confirm_within}");
        assert_eq!(after.timer, None);
    }
}

#[test]
fn what_somebody_changes_while_it_waits_is_not_undone_with_a_change_that_was_committed_at_once() {
    let sim = strict();
    let running = sim.begin(&task(&json!({"wait_for_lacp": 20, "confirm_within": 0})));
    sim.wait_for(|line| line.starts_with("show lacp interface"));
    sim.edit(&["interface Ethernet7/1", "description theirs"]);
    let answer = running.finish();
    assert_eq!(answer.failure(), ("lacp_not_up", "needs_attention"), "{}", answer.told());
    assert!(answer.told().contains("somebody else changed the same interfaces"), "{}", answer.told());
    let found = sim.look();
    assert!(found.running.contains("   description theirs\n"), "{}", found.running);
    assert_eq!(found.open_sessions, Vec::<String>::new());
}

#[test]
fn what_is_to_be_shut_down_is_not_waited_for() {
    let sim = Sim::start();
    let answer = sim.run(&task(&json!({"wait_for_lacp": 5, "shutdown": true})));
    assert_eq!(answer.failure(), ("invalid_combination", "unchanged"), "{}", answer.told());
    assert_eq!(sim.connections(), 0);
}

#[test]
fn a_killed_runs_change_that_lacp_speaks_against_is_left_to_the_switch_to_undo() {
    let sim = strict();
    let before = sim.running();
    let wait = task(&json!({"wait_for_lacp": 30, "confirm_within": 45}));
    let killed = sim.begin(&wait);
    sim.wait_for(|line| line.starts_with("show lacp interface"));
    killed.kill();
    let answer = sim.run(&task(&json!({"wait_for_lacp": 2})));
    assert_eq!(answer.failure(), ("lacp_not_up", "pending_revert"), "{}", answer.told());
    let reverts_at = humantime::parse_rfc3339(answer.result["reverts_at"].as_str().unwrap()).unwrap();
    assert!(reverts_at > std::time::SystemTime::now(), "{}", answer.told());
    sim.wait_for_the_end_of_a_timer();
    assert_eq!(sim.running(), before);
}

#[test]
fn where_nothing_is_to_be_changed_it_has_to_hold_all_the_same_and_check_mode_warns() {
    let sim = strict();
    assert!(sim.run(&scenario()).changed());
    let (before, wait) = (sim.look(), task(&json!({"wait_for_lacp": 2})));
    let answer = sim.run(&wait);
    assert_eq!(answer.failure(), ("lacp_not_up", "unchanged"), "{}", answer.told());
    let checked = sim.check(&wait);
    assert!(!checked.changed());
    let warning = checked.result["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("`wait_for_lacp` would have to wait: not bundled: Ethernet7/1"), "{warning}");
    // What is yet to be changed is not looked for in what is there now.
    let predicted = sim.check(&task(&json!({"wait_for_lacp": 2, "description": "other"})));
    assert!(predicted.changed() && !predicted.result["warnings"].to_string().contains("would have to wait"));
    assert_eq!(sim.look(), before);
}

#[test]
fn what_speaks_no_lacp_is_not_waited_for_and_that_is_told() {
    let sim = strict();
    let members =
        json!([{"interface": "et7/1", "lacp_mode": "on"}, {"interface": "et8/1", "lacp_mode": "on"}]);
    let answer = sim.run(&task(&json!({"wait_for_lacp": 50, "members": members})));
    assert!(answer.changed());
    let warnings = answer.result["warnings"].to_string();
    assert!(warnings.contains("no member of Port-Channel1001 speaks LACP"), "{warnings}");
    assert!(!typed(&sim, 0).iter().any(|line| line.starts_with("show port-channel")));
}

#[test]
fn a_wait_that_does_not_fit_into_the_window_is_refused_before_anybody_connects() {
    let sim = Sim::start();
    let answer = sim.run(&task(&json!({"wait_for_lacp": 51})));
    assert_eq!(answer.failure(), ("invalid_combination", "unchanged"), "{}", answer.told());
    let message = answer.result["msg"].as_str().unwrap();
    assert!(message.contains("51 seconds do not fit into the 60 of `confirm_within`"), "{message}");
    assert_eq!(sim.connections(), 0);
}

#[test]
fn a_run_that_is_asked_to_stop_while_it_waits_goes_back() {
    let sim = strict();
    let before = sim.look();
    let running = sim.begin(&task(&json!({"wait_for_lacp": 50})));
    sim.wait_for(|line| line.starts_with("show lacp interface"));
    running.signal("TERM");
    let answer = running.finish();
    assert_eq!(answer.failure(), ("interrupted", "rolled_back"), "{}", answer.told());
    assert_eq!(sim.look(), before);
}

#[test]
fn the_module_that_only_reads_waits_too_and_tells_what_it_found_all_the_same() {
    let sim = strict();
    assert!(sim.run(&scenario()).changed());
    let answer = info(&sim, &json!({"wait_for_lacp": 1}));
    assert_eq!(answer.failure(), ("lacp_not_up", "unchanged"), "{}", answer.told());
    assert!(answer.result["msg"].as_str().unwrap().starts_with("waiting 1s for LACP: not bundled: "));
    let member = &answer.result["port_channels"]["Port-Channel1001"]["members"]["Ethernet7/1"];
    assert_eq!((&member["bundled"], &member["cause"]), (&json!(false), &json!("too few members are up")));
    // Only what is asked for is waited for.
    assert!(!info(&sim, &json!({"wait_for_lacp": 30, "names": []})).changed());
    let absent = info(&sim, &json!({"wait_for_lacp": 30, "names": [7]}));
    assert_eq!(absent.failure(), ("port_channel_not_found", "unchanged"), "{}", absent.told());
    sim.edit(&["interface Port-Channel1001", "no port-channel min-links"]);
    assert!(!info(&sim, &json!({"wait_for_lacp": 30})).changed());
}

/// The far ends of both members, by the words of the simulated switch's control socket.
fn far_ends(sim: &Sim, words: [&str; 2]) {
    for (port, word) in ["Ethernet7/1", "Ethernet8/1"].into_iter().zip(words) {
        sim.control(&format!("partner {port} {word}"));
    }
}

#[test]
fn each_kind_of_far_end_is_told_with_its_reason_and_the_switch_goes_back() {
    let cases = vec![
        (["silent", "silent"], "nobody answers it in LACP"),
        (["up", "down"], "it has no link"),
        (["up", "other-system"], "and that of the others 3c:ec:ef:00:03:e9"),
        (["up", "out-of-sync"], "does not agree"),
        (["up", "individual"], "its partner takes it for a port of its own"),
    ];
    each(cases, |(words, reason)| {
        let sim = Sim::start();
        far_ends(&sim, words);
        let before = sim.look();
        let answer = sim.run(&task(&json!({"wait_for_lacp": 1})));
        let what = format!("{words:?}: {}", answer.told());
        assert_eq!(answer.failure(), ("lacp_not_up", "rolled_back"), "{what}");
        let message = answer.result["msg"].as_str().unwrap();
        assert!(message.contains("Ethernet8/1 of Port-Channel1001") && message.contains(reason), "{what}");
        assert_eq!(message.contains("Ethernet7/1"), words[0] != "up", "{what}");
        assert_eq!(sim.look(), before, "{what}");
    });
}

#[test]
fn a_far_end_that_answers_late_but_in_time_has_the_change_confirmed() {
    let ends = Ends::of(&scenario());
    each(vec![60, 0], |confirm_within| {
        let sim = Sim::start();
        far_ends(&sim, ["silent", "up"]);
        let running = sim.begin(&task(&json!({"wait_for_lacp": 50, "confirm_within": confirm_within})));
        sim.wait_for(|line| line.starts_with("show lacp interface"));
        far_ends(&sim, ["up", "up"]);
        let answer = running.finish();
        ends.judge(&sim, &answer, &answer.told());
    });
}
