//! Ansible with its collection `arista.eos`, which most people drive EOS with, and our module beside it: what the one
//! configured, the other finds nothing to do in. What is asked of both stands in `arista_eos.yml`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::process::{Process, text};
use crate::python::{beside, project};

const SCENARIO: &str = "\
interface Port-Channel1001
   description PVE-N1-LACP
   switchport trunk allowed vlan 10,20-21
   switchport mode trunk
interface Ethernet7/1
   description PVE-N1-P0(R)
   switchport trunk allowed vlan 10,20-21
   switchport mode trunk
   channel-group 1001 mode active
interface Ethernet8/1
   description PVE-N1-P1(L)
   switchport trunk allowed vlan 10,20-21
   switchport mode trunk
   channel-group 1001 mode active
";

#[test]
fn what_arista_eos_configured_is_left_alone_by_ours_and_the_other_way_round() {
    judge(&[("theirs_first", "libssh"), ("ours_first", "paramiko")]);
}

#[test]
#[ignore = "minutes of processor time for the other ways to connect; `make soak` runs it"]
fn the_same_holds_however_arista_eos_connects() {
    judge(&[("theirs_first", "paramiko"), ("ours_first", "libssh")]);
}

/// Plays the playbook against one switch for each group and library of SSH.
fn judge(plays: &[(&str, &str)]) {
    let startup = include_str!("../../../lab/core.cfg");
    let startup = startup.replace("   name guests\n", "   name guests\n!\nvlan 21\n");
    let options = ["--enable-secret", "enable me", "--write-startup"];
    let switches: Vec<Process> = plays.iter().map(|_| Process::start_with(&startup, &options)).collect();
    let folder = tempfile::tempdir().unwrap();
    play(folder.path(), &inventory(plays, &switches));
    for ((first, _), switch) in plays.iter().zip(&switches) {
        let shown = switch.show("show running-config | section Channel1001|channel-group 1001");
        if *first == "ours_first" {
            assert_eq!(shown, SCENARIO);
            assert_eq!(switch.show("show running-config diffs").trim(), "");
        } else {
            assert!(shown.contains("\n   description replaced\n"), "{shown}");
        }
        assert!(switch.pending().is_empty());
    }
}

fn inventory(plays: &[(&str, &str)], switches: &[Process]) -> Value {
    let mut groups = json!({});
    for ((group, ssh), switch) in plays.iter().zip(switches) {
        groups[group]["hosts"][format!("{group}_{ssh}")] = json!({
            "ansible_port": switch.port().parse::<u16>().unwrap(),
            "ansible_network_cli_ssh_type": ssh,
            "known_hosts": switch.known_hosts(),
        });
    }
    let common = json!({
        "ansible_host": "127.0.0.1",
        "ansible_user": "ann",
        "ansible_password": "pass:word",
        "ansible_become": true,
        "ansible_become_method": "enable",
        "ansible_become_password": "enable me",
        "ansible_connection": "ansible.netcommon.network_cli",
        "ansible_network_os": "arista.eos.eos",
    });
    json!({ "all": { "children": { "switches": { "children": groups, "vars": common } } } })
}

/// As a user would, in a folder of its own.
fn play(folder: &Path, inventory: &Value) {
    let library = folder.join("library");
    std::fs::create_dir(&library).unwrap();
    std::os::unix::fs::symlink(our_module(), library.join("eos_port_channel")).unwrap();
    std::fs::write(folder.join("inventory.json"), inventory.to_string()).unwrap();
    let output = Command::new(project(".lab/clients").join("bin/ansible-playbook"))
        .args(["-i", "inventory.json"])
        .arg(beside("arista_eos.yml"))
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", folder)
        .env("ANSIBLE_COLLECTIONS_PATH", project(".lab/collections"))
        .env("ANSIBLE_ACTION_PLUGINS", project("playbooks/action_plugins"))
        .env("ANSIBLE_LIBRARY", library)
        .env("ANSIBLE_HOST_KEY_CHECKING", "false")
        // For machines that are busy.
        .env("ANSIBLE_PERSISTENT_CONNECT_TIMEOUT", "120")
        .env("ANSIBLE_PERSISTENT_COMMAND_TIMEOUT", "120")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

/// The module, as it was built beside the switch.
fn our_module() -> PathBuf {
    let module = Path::new(env!("CARGO_BIN_EXE_eos_sim")).with_file_name("eos_port_channel");
    assert!(module.exists(), "{} is not there; hint: `cargo build -p eos` beside this", module.display());
    module
}
