//! Whether the switch is the one that is known: its host key against files of known hosts.

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::sim::Sim;
use crate::untouched::{Node, idle, stores, with};

/// The line of the switch's own key; that of another one, of the same type.
fn lines(sim: &Sim) -> (String, String) {
    let known = fs::read_to_string(sim.path("known_hosts")).unwrap();
    let made = Command::new("ssh-keygen")
        .args(["-q", "-N", "", "-t", "ed25519", "-f"])
        .arg(sim.path("other"))
        .status();
    assert!(made.unwrap().success());
    let other = fs::read_to_string(sim.path("other.pub")).unwrap();
    (known, format!("[127.0.0.1]:{} {other}", sim.port()))
}

#[test]
fn only_a_key_that_is_known_is_talked_to() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let before = stores(&sim);
    let (known, other) = lines(&sim);
    let here = format!("[127.0.0.1]:{}", sim.port());
    let elsewhere = known.replace(&here, "127.0.0.1");
    let broken = format!("{here} ssh-ed25519 !!\n");
    let print = String::from_utf8(
        Command::new("ssh-keygen").arg("-lf").arg(sim.path("known_hosts")).output().unwrap().stdout,
    )
    .unwrap();
    let print = print.split(' ').nth(1).unwrap();
    let file = sim.path("tried");
    for (text, code, says) in [
        (String::new(), "host_key_unknown", vec!["is not known", print, "ssh-keyscan -p"]),
        (elsewhere, "host_key_unknown", vec!["is not known", print]),
        (
            broken.clone(),
            "host_key_unknown",
            vec!["is not known", "tried:1 was skipped: its key cannot be read"],
        ),
        (other.clone(), "host_key_changed", vec!["has changed", print, "tried:1", "remove the line"]),
        (format!("{broken}{other}"), "host_key_changed", vec!["has changed", "tried:2"]),
        (
            format!("{known}@revoked {known}"),
            "host_key_revoked",
            vec!["is revoked", "tried:2", "needs a new key"],
        ),
        (
            format!("@revoked * {}", known.split_once(' ').unwrap().1),
            "host_key_revoked",
            vec!["is revoked", "tried:1"],
        ),
    ] {
        fs::write(&file, &text).unwrap();
        let logins = sim.logins().len();
        node.refused(&with(idle(), &json!({"known_hosts": file})), code, &says);
        assert_eq!(sim.logins().len(), logins, "{text}");
        assert_eq!(fs::read_to_string(&file).unwrap(), text);
    }
    let nowhere = sim.path("nowhere");
    let connections = sim.connections();
    let says = [&*format!("`{}`", nowhere.display()), "give a file that is there"];
    node.refused(&with(idle(), &json!({"known_hosts": nowhere})), "known_hosts_unreadable", &says);
    assert_eq!(sim.connections(), connections);
    // Where no file is given, none has to be there.
    node.refused(
        &with(idle(), &json!({"known_hosts": null})),
        "host_key_unknown",
        &["home/.ssh/known_hosts"],
    );
    assert_eq!(stores(&sim), before);
}

#[test]
fn hashed_names_broken_lines_and_the_user_s_own_file_do_as_well() {
    let sim = Sim::start();
    let node = Node::of(&sim);
    let (known, other) = lines(&sim);
    let file = sim.path("tried");
    fs::write(&file, &known).unwrap();
    assert!(Command::new("ssh-keygen").args(["-q", "-H", "-f"]).arg(&file).status().unwrap().success());
    let hashed = fs::read_to_string(&file).unwrap();
    assert!(hashed.starts_with("|1|"), "{hashed}");
    let here = known.split_once(' ').unwrap().0;
    for (text, skipped) in [
        (hashed.clone(), 0),
        (format!("|1|broken\n{here} ssh-ed25519 !!\nnonsense\n\n# comment\n{hashed}"), 2),
        (format!("{other}{hashed}"), 0),
        (known.clone(), 0),
    ] {
        fs::write(&file, &text).unwrap();
        let answer = node.run(&with(idle(), &json!({"known_hosts": file})));
        assert!(!answer.changed());
        let warnings = answer.result["warnings"].as_array().unwrap();
        assert_eq!(warnings.len(), skipped, "{text}: {warnings:?}");
    }
    fs::write(&file, other).unwrap();
    assert!(!node.run(&with(idle(), &json!({"known_hosts": file, "host_key_checking": false}))).changed());

    fs::create_dir_all(sim.path("home/.ssh")).unwrap();
    fs::write(sim.path("home/.ssh/known_hosts"), hashed).unwrap();
    for name in [json!(null), json!("~/.ssh/known_hosts"), json!("$HOME/.ssh/known_hosts")] {
        assert!(!node.run(&with(idle(), &json!({"known_hosts": name}))).changed(), "{name}");
    }
}
