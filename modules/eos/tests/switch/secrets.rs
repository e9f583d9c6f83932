//! What must never be seen, where it is part of other things: of a description, a name, a message.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::{PASSWORD, STARTUP, Sim};
use crate::untouched::{Node, idle, with};

/// With quotes, a backslash and a key that a message has to write out.
const ODD: &str = "it's \"7\" \\ 8";

const PASSPHRASE: &str = "staple in the haystack";

/// How Ansible calls it: verbosely, for a log that is none, with a diff.
fn ways() -> [Value; 4] {
    [
        json!({}),
        json!({"_ansible_verbosity": 4, "_ansible_debug": true, "_ansible_inject_invocation": true, "_ansible_diff": true}),
        json!({"_ansible_no_log": true, "_ansible_diff": true}),
        json!({"_ansible_check_mode": true, "_ansible_diff": true, "_ansible_verbosity": 3}),
    ]
}

#[test]
fn a_secret_is_masked_wherever_it_is_repeated() {
    let sim = Sim::start_with(STARTUP, &["--user", &format!("odd:{ODD}:15")]);
    let node = Node::of(&sim).hiding(ODD);
    let odd = json!({"username": "odd", "password": ODD});
    for way in ways() {
        for (more, code) in [
            (json!({"description": format!("the password is {PASSWORD}"), "name": "po"}), "invalid_name"),
            (json!({"description": format!("{PASSWORD}\n")}), "invalid_text"),
            (json!({"name": PASSWORD}), "invalid_name"),
            (json!({"mode": PASSWORD}), "wrong_choice"),
            (json!({"access_vlan": PASSWORD}), "wrong_type"),
            (json!({"members": [{"interface": format!("et7/1 {PASSWORD}")}]}), "invalid_name"),
            (json!({"members": [PASSWORD]}), "wrong_type"),
            (json!({"host": format!("core {PASSWORD}")}), "invalid_access"),
            (json!({"known_hosts": format!("/none/{PASSWORD}")}), "known_hosts_unreadable"),
            (json!({"private_key": format!("/none/{PASSWORD}")}), "private_key_unusable"),
            (json!({PASSWORD: 1}), "unknown_option"),
            (with(odd.clone(), &json!({"description": format!("{ODD}\n")})), "invalid_text"),
            (with(odd.clone(), &json!({"name": ODD})), "invalid_name"),
            (with(odd.clone(), &json!({"name": {"a": ODD}})), "invalid_name"),
            (with(odd.clone(), &json!({"mode": ODD})), "wrong_choice"),
            (with(odd.clone(), &json!({"mode": [ODD]})), "wrong_choice"),
            (with(odd.clone(), &json!({"native_vlan": ODD})), "invalid_vlan"),
            // A name that is misspelled is not known to be that of a secret.
            (json!({"pasword": ODD}), "unknown_option"),
            (json!({"pasword": ODD, "password": null, "name": null}), "required_if"),
        ] {
            node.refused(&with(with(scenario(), &more), &way), code, &[]);
        }
    }
}

#[test]
fn a_secret_in_a_description_reaches_the_switch_and_nobody_else() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let text = format!("not {PASSWORD} again");
    for way in ways() {
        node.run(&with(with(scenario(), &json!({"description": text})), &way)).changed();
    }
    assert_eq!(sim.interface("Port-Channel1001")[1], format!("   description {text}"));
    // As the device shows it in an error.
    sim.control(&format!("refuse description with {PASSWORD} is wrong"));
    let answer = node.run(&with(scenario(), &json!({"description": format!("{PASSWORD} once more")})));
    assert_eq!(answer.failure(), ("line_refused", "unchanged"));
}

#[test]
fn a_dialog_that_fails_anywhere_shows_none_of_the_secrets_that_it_was_given() {
    let sim = Sim::start_with(STARTUP, &["--enable-secret", ODD]);
    let locked = sim.path("locked");
    fs::copy(sim.path("key"), &locked).unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-p", "-P", "", "-N", PASSPHRASE, "-f"])
        .arg(&locked)
        .stdout(Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let text = fs::read_to_string(&locked).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('-'));
    let node = lines.fold(Node::of(&sim).hiding(ODD).hiding(PASSPHRASE), Node::hiding);
    let given = json!({"private_key": text, "passphrase": PASSPHRASE, "enable_password": ODD, "timeout": 2});
    let task = with(with(scenario(), &given), &json!({"description": format!("{PASSPHRASE} of {ODD}")}));
    let rules = [
        "refuse-connections".to_owned(),
        "refuse-login".to_owned(),
        format!("refuse enable with {ODD} is no secret"),
        "drop-before 2".to_owned(),
        "drop-after 2".to_owned(),
        "hang-after 2".to_owned(),
        format!("refuse show running-config with {PASSPHRASE}"),
        format!("refuse configure with {ODD} {PASSWORD}"),
        format!("refuse description with {ODD}"),
        format!("refuse commit with {PASSPHRASE} {PASSWORD}"),
    ];
    for (rule, way) in rules.iter().zip(ways().iter().cycle()) {
        sim.control(rule);
        let answer = node.run(&with(task.clone(), way));
        sim.control("clear");
        assert_eq!(answer.status, 1, "{rule}: {}", answer.told());
    }
}

#[test]
fn a_password_that_is_in_every_prompt_is_masked_and_the_dialog_goes_on() {
    let sim = Sim::start_with(STARTUP, &["--user", "ann:core:15"]);
    let node = Node::of(&sim).hiding("core");
    let ann = json!({"username": "ann", "password": "core"});
    assert!(node.run(&with(scenario(), &ann)).changed());
    assert!(!node.run(&with(scenario(), &ann)).changed());
    sim.control("refuse show running-config with core is out of order");
    let answer = node.run(&with(scenario(), &ann));
    assert_eq!(answer.failure(), ("line_refused", "unchanged"));
    assert!(
        answer.result["msg"].as_str().unwrap().contains("% ******** is out of order"),
        "{}",
        answer.told()
    );
}

#[test]
fn a_key_as_text_is_hidden_line_by_line() {
    let sim = Sim::start();
    let text = fs::read_to_string(sim.path("key")).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('-')).collect();
    let node = lines.iter().fold(Node::of(&sim), |node, line| node.hiding(line));
    let by_key = json!({"private_key": text, "password": null});
    for way in ways() {
        assert!(!node.run(&with(with(idle(), &by_key), &way)).changed());
        node.refused(&with(with(idle(), &json!({"name": text})), &way), "invalid_name", &[]);
        node.refused(
            &with(with(idle(), &json!({"description": lines[0], "private_key": text, "name": 0})), &way),
            "invalid_name",
            &[],
        );
        node.refused(&with(with(idle(), &json!({"host": text})), &way), "invalid_access", &[]);
    }
}

#[test]
fn a_password_that_is_a_word_of_the_result_does_not_garble_it() {
    let sim = Sim::start_with(
        STARTUP,
        &["--user", "ann:failed:15", "--user", "bob:changed:15", "--user", "eve:e:15"],
    );
    for (user, password) in [("ann", "failed"), ("bob", "changed"), ("eve", "e")] {
        let arguments = with(idle(), &json!({"username": user, "password": password}));
        assert!(!sim.run(&arguments).changed());
        let refused = sim.run(&with(arguments, &json!({"name": "po"})));
        assert!(refused.status == 1 && refused.result["failed"] == true, "{:#}", refused.result);
        assert_eq!(refused.result["changed"], false);
    }
}
