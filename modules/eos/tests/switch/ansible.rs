//! Real Ansible, with the modules as a collection: a play names the switch once, and whatever Ansible is told to say
//! and fails at, no secret is in it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::scenario::scenario;
use crate::sim::{PASSWORD, STARTUP, Sim, USER};
use crate::untouched::{Node, with};

const ENABLE: &str = "open? sesame!";
const WRONG: &str = "hunter2 of netops";

fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a play with these tasks, for which `defaults` say where the switch is and who we are.
fn play(sim: &Sim, defaults: &Value, tasks: &[Value], options: &[&str]) -> Output {
    let binaries = Path::new(env!("CARGO_BIN_EXE_eos_port_channel")).parent().unwrap();
    let laid_out = Command::new(project().join("collection/lay_out"))
        .arg(binaries)
        .arg(sim.path("collections"))
        .status();
    assert!(laid_out.unwrap().success());
    // JSON is YAML. The secrets come from a file of variables, as from a vault.
    let secrets = json!({"password": PASSWORD, "enable": ENABLE, "wrong": WRONG});
    fs::write(sim.path("secrets.yml"), secrets.to_string()).unwrap();
    let play = json!([{
        "hosts": "localhost", "gather_facts": false, "vars_files": [sim.path("secrets.yml")],
        "module_defaults": {"group/bothends.lacp.eos": defaults}, "tasks": tasks,
    }]);
    fs::write(sim.path("play.yml"), play.to_string()).unwrap();
    let python =
        env::var_os("BOTHENDS_PYTHON").map_or_else(|| project().join(".venv/bin/python"), PathBuf::from);
    let ansible = python.with_file_name("ansible-playbook");
    assert!(ansible.exists(), "no `{}`; hint: `make venv`", ansible.display());
    fs::create_dir_all(sim.path("home")).unwrap();
    Command::new(ansible)
        .args(["-i", "localhost,", "-c", "local"])
        .args(options)
        .arg(sim.path("play.yml"))
        .current_dir(sim.path("home"))
        .env_clear()
        .envs([("HOME", sim.path("home")), ("ANSIBLE_COLLECTIONS_PATH", sim.path("collections"))])
        .envs([
            ("PATH", env::var_os("PATH").unwrap()),
            ("LC_ALL", "C.UTF-8".into()),
            ("ANSIBLE_DEBUG", "1".into()),
        ])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The connection to the switch, with secrets that are variables.
fn access(sim: &Sim) -> Value {
    json!({
        "host": "127.0.0.1", "port": sim.port(), "username": USER, "password": "{{ password }}",
        "enable_password": "{{ enable }}", "known_hosts": sim.path("known_hosts"),
    })
}

fn task(module: &str, arguments: &Value, more: &Value) -> Value {
    with(json!({format!("bothends.lacp.{module}"): arguments}), more)
}

#[test]
fn a_play_names_the_switch_once_for_all_modules_of_the_collection() {
    let sim = Sim::start_with(STARTUP, &["--enable-secret", ENABLE]);
    let tasks = [
        task("eos_port_channel", &scenario(), &json!({"register": "made"})),
        task("eos_port_channel", &scenario(), &json!({"register": "again"})),
        task("eos_port_channel_info", &json!({"names": 1001}), &json!({"register": "info"})),
        json!({"ansible.builtin.assert": {"that": [
            "made.changed", "not again.changed", "info.port_channels['Port-Channel1001'].description == 'PVE-N1-LACP'",
        ]}}),
    ];
    let done = play(&sim, &access(&sim), &tasks, &[]);
    let said = String::from_utf8_lossy(&done.stdout);
    assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert_eq!(sim.interface("Port-Channel1001")[1], "   description PVE-N1-LACP");
}

#[test]
fn whatever_fails_and_however_much_ansible_says_no_secret_is_in_it() {
    let sim = Sim::start_with(STARTUP, &["--enable-secret", ENABLE]);
    let node = Node::of(&sim).hiding(ENABLE).hiding(WRONG);
    let tries: Vec<Value> = [
        json!({"password": "{{ wrong }}"}),
        json!({"enable_password": "{{ wrong }}"}),
        json!({"description": "it is {{ password }}"}),
        json!({"name": "{{ password }}"}),
        json!({"mode": "{{ enable }}"}),
        json!({"private_key": "/none/{{ password }}"}),
        json!({"private_key": "-----BEGIN OPENSSH PRIVATE KEY-----\n{{ wrong }}\n"}),
        json!({"pasword": "{{ wrong }}"}),
        json!({"host": "{{ password }}"}),
        json!({"proxy_command": "exit 1"}),
        json!({"port": 1}),
    ]
    .iter()
    .map(|more| task("eos_port_channel", &with(scenario(), more), &json!({"ignore_errors": true})))
    .collect();
    sim.control(&format!("refuse description it is with {PASSWORD} and {ENABLE} are wrong"));
    for options in [&["-vvvv", "--diff"][..], &["-vvvv", "--check", "--diff"]] {
        let done = play(&sim, &access(&sim), &tries, options);
        let said =
            [done.stdout, done.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).join("\n");
        assert!(done.status.success() && said.contains(&format!("ignored={}", tries.len())), "{said}");
        // Ansible's own debugger shows the arguments of every task. The rest is what the module told.
        let is_ours = |line: &&str| !line.contains(" done with _execute_module (");
        node.assert_hidden(&said.lines().filter(is_ours).collect::<Vec<_>>().join("\n"));
        node.assert_nothing_kept();
    }
}
