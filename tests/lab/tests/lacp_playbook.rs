//! `playbooks/lacp.yml` by real Ansible: what its check mode predicts, both ends from nothing, a second run that is
//! idle, and what it says of secrets. What is there when it is interrupted is `interrupted_playbook.rs`'s.

use std::fs;

use anyhow::{Context, Result};
use lab::Lab;
use lab::link::MEMBERS;
use lab::playbook::Play;

const NODES: [&str; 2] = ["node1", "node2"];

/// What the switch shows of both links.
const SWITCH_ENDS: [&str; 6] = [
    "interface Port-Channel1001\n   description PVE-N1-LACP\n   switchport mode trunk\n!\n",
    "interface Port-Channel1002\n   description PVE-N2-LACP\n   switchport mode trunk\n!\n",
    "interface Ethernet7/1\n   description PVE-N1-P0(R)\n   switchport mode trunk\n   channel-group 1001 mode active\n!\n",
    "interface Ethernet8/1\n   description PVE-N1-P1(L)\n   switchport mode trunk\n   channel-group 1001 mode active\n!\n",
    "interface Ethernet9/1\n   description PVE-N2-P0(R)\n   switchport mode trunk\n   channel-group 1002 mode active\n!\n",
    "interface Ethernet10/1\n   description PVE-N2-P1(L)\n   switchport mode trunk\n   channel-group 1002 mode active\n!\n",
];

#[test]
fn both_ends_are_made_as_predicted_and_a_second_run_is_idle() -> Result<()> {
    let lab = Lab::up_switch()?;
    let predicted = touching_nothing(&lab, "lacp.yml", &["--check", "--diff", "-vvv"])?;
    for line in ["+iface bond0 inet manual", "+   channel-group 1002 mode active"] {
        assert!(predicted.text.contains(line), "`{line}` is not in the diff: {}", predicted.text);
    }
    // Nothing on a node is asked of Python, which `node1` and `node2` would have.
    let without_python = ["-e", "ansible_python_interpreter=/nonexistent"];
    let done = lab.playbook("lacp.yml", &[&["--diff", "-vvv"], &without_python[..]].concat())?;
    // Bridge, bond, IntPort, Port-Channel.
    assert_eq!(done.count("changed"), [4, 4], "{}", done.text);
    as_predicted(&predicted, &done)?;
    both_ends_are_up(&lab)?;
    for config in ["running-config", "startup-config"] {
        let shown = lab.switch_show(&format!("show {config}"))?;
        for lines in SWITCH_ENDS {
            assert!(shown.contains(lines), "{lines} is not in the {config}: {shown}");
        }
    }

    let again = lab.playbook("lacp.yml", &[])?;
    assert_eq!(again.count("changed"), [0, 0], "{}", again.text);
    let checked = touching_nothing(&lab, "lacp.yml", &["--check", "--diff"])?;
    assert_eq!(checked.count("changed"), [0, 0], "{}", checked.text);
    let proved = touching_nothing(&lab, "verify.yml", &["-vvv"])?;
    assert_eq!(proved.count("changed"), [0, 0], "{}", proved.text);

    let password = lab.switch_password()?;
    for play in [predicted, done, again, checked, proved] {
        assert!(!play.text.contains(&password), "{}", play.text.replace(&password, "PASSWORD"));
    }
    Ok(())
}

/// Ansible hands every module whose name begins with `eos_` to the plugin of the collection arista.eos where that is
/// installed, and the settings of a user have nothing of ansible.cfg.
#[test]
fn another_collection_for_the_same_switch_does_not_get_in_the_way() -> Result<()> {
    let lab = Lab::up_switch()?;
    let collections = lab.file("collections");
    let plugins = collections.join("ansible_collections/arista/eos/plugins/action");
    fs::create_dir_all(&plugins)?;
    let plugin = "\
from ansible.errors import AnsibleError
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    def run(self, tmp=None, task_vars=None):
        raise AnsibleError('the plugin of the other collection')
";
    fs::write(plugins.join("eos.py"), plugin)?;
    let nothing_set = lab.private_file("ansible.cfg", "")?;
    let collections = collections.to_str().context("the project's path is not UTF-8")?;
    let environment = [
        ("ANSIBLE_CONFIG", nothing_set.as_str()),
        ("ANSIBLE_LIBRARY", "library"),
        ("ANSIBLE_COLLECTIONS_PATH", collections),
    ];

    let mut alone = lab.exec_command("control", &["ansible", "localhost", "-m", "eos_port_channel_info"]);
    let output = alone.current_dir(Lab::project()).envs(environment).output()?;
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("the plugin of the other collection"), "{text}");

    for (playbook, changed) in [("lacp.yml", 4), ("verify.yml", 0)] {
        let mut command = lab.playbook_command(playbook, &["--limit", "node1"])?;
        let done = Play::of(command.envs(environment))?;
        assert_eq!(done.count("changed"), [changed], "{}", done.text);
    }
    Ok(())
}

/// Runs a playbook that must leave all three devices as they are.
fn touching_nothing(lab: &Lab, name: &str, arguments: &[&str]) -> Result<Play> {
    let before = lab.snapshots()?;
    let play = lab.playbook(name, arguments)?;
    for (before, after) in before.iter().zip(&lab.snapshots()?) {
        assert_eq!(before, after, "{name} {arguments:?}");
    }
    Ok(play)
}

/// Each of our tasks changed what its check in the chain had said.
fn as_predicted(predicted: &Play, done: &Play) -> Result<()> {
    let tasks = (1001..).zip(NODES).flat_map(|(number, node)| {
        let switch_end = format!("The switch's end core Port-Channel{number}");
        ["Bridge", "Bond", "IntPorts mgmt", &switch_end].map(|task| format!("{node} {task}"))
    });
    predicted.came_true_in(done, tasks)
}

/// What each end itself says, with nothing of ours in between.
fn both_ends_are_up(lab: &Lab) -> Result<()> {
    for (number, node) in (1001..).zip(NODES) {
        for member in MEMBERS {
            assert_eq!(
                lab.vsctl(node, &["get", "Interface", member, "lacp_current"])?,
                "true",
                "{node} {member}"
            );
        }
        let text = lab.switch_show(&format!("show interfaces Port-Channel {number}"))?;
        let is_up = text.starts_with(&format!("Port-Channel{number} is up, line protocol is up"));
        assert!(is_up && text.contains("Active members in this channel: 2"), "{text}");
    }
    // The playbook has the other direction as `reach`.
    lab.exec("node1", &["ping", "-c", "3", "-W", "2", "-I", "mgmt", "10.10.0.3"]).map(drop)
}
