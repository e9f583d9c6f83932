//! `playbooks/migrate.yml` by real Ansible, over the very link that it changes: from both old states, undone at both ends where
//! it fails, and finished by the next run where it was interrupted. What each single fault leads to is the fault matrix's business.

use anyhow::{Context, Result};
use lab::Lab;
use lab::begun::Begun;
use lab::playbook::Play;
use lab::uplink::{GUEST, MANAGEMENT, OldState};
use serde_json::{Value, json};

const NODE: &str = "node1";
/// So that a machine that is busy with other tests is in time, too.
const UNHURRIED: [&str; 2] = ["-e", "confirm_within=900"];
/// As somebody may have it in his configuration of Ansible.
const SHARED_CONNECTION: &str = "-o ControlMaster=auto -o ControlPersist=60s -o ControlPath=/tmp/%C";
/// The task that fails where the migration does, and says what became of both ends.
const FAILURE: &str = "What became of both ends";

#[test]
fn a_node_with_one_plain_uplink_gets_its_link_and_a_second_run_is_idle() -> Result<()> {
    for old in OldState::ALL {
        let lab = Lab::up_uplink(old)?;
        let before = both_ends(&lab)?;
        let checked = migrate(&lab, &["--check", "--diff"])?;
        for line in ["+iface bond0 inet manual", "+   port-channel lacp fallback individual"] {
            assert!(checked.text.contains(line), "{old:?}: `{line}` is not in {}", checked.text);
        }
        assert_eq!(both_ends(&lab)?, before, "{old:?}");

        // Nothing on the node is asked of Python.
        let arguments = [&UNHURRIED[..], &["-vvv", "-e", "ansible_python_interpreter=/nonexistent"]].concat();
        let mut command = lab.uplink_playbook("migrate.yml", &arguments)?;
        let done = Play::of(command.env("ANSIBLE_SSH_ARGS", SHARED_CONNECTION))?;
        is_confirmed_over_a_new_connection(&done)?;
        is_new_at_both_ends(&lab, old)?;

        let commits = commits(&lab)?;
        let again = migrate(&lab, &[])?;
        assert_eq!(again.count("changed"), [0], "{old:?}: {}", again.text);
        assert_eq!(self::commits(&lab)?, commits, "{old:?}: a second run changes the switch");
    }
    Ok(())
}

/// The cable of the second NIC is said to be in a port where it is not.
#[test]
fn without_lacp_on_every_member_both_ends_go_back() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Vmbr0)?;
    let before = both_ends(&lab)?;
    let mut link = lab::uplink::link();
    link["switches"][0]["interfaces"][1]["interface"] = "Ethernet15/1".into();
    let inventory = inventory(&lab, &link)?;
    let arguments = [&UNHURRIED[..], &["-i", &inventory]].concat();
    let failed = Play::failing(&mut lab.uplink_playbook("migrate.yml", &arguments)?)?;
    let message = failed.message(NODE, FAILURE)?;
    for words in ["Ethernet15/1", "switch is undone", "node1 is back on what it was"] {
        assert!(message.contains(words), "`{words}` is not in: {message}");
    }
    all_answer(&lab, OldState::Vmbr0)?;
    assert_eq!(both_ends(&lab)?, before);
    Ok(())
}

#[test]
fn what_would_be_lost_is_refused_before_anything_is_touched() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Vmbr0)?;
    let before = both_ends(&lab)?;
    let refused = |arguments: &[&str], words: &str| -> Result<()> {
        let play = Play::failing(&mut lab.uplink_playbook("migrate.yml", arguments)?)?;
        assert!(play.text.contains(words), "`{words}` is not in {}", play.text);
        Ok(())
    };
    refused(&["-e", "confirm_within=60"], "hint: 130 or more")?;
    let mut link = lab::uplink::link();
    link["intports"][0].as_object_mut().context("no IntPort")?.remove("gateway");
    let without_gateway = inventory(&lab, &link)?;
    refused(
        &["-i", &without_gateway],
        "the default route leads through vmbr0 to 10.10.0.1, which no IntPort",
    )?;
    lab.sh(NODE, "ip address add 10.99.9.2/24 dev vmbr0")?;
    refused(&[], "vmbr0 has 10.99.9.2/24, which is the address of none")?;
    lab.sh(NODE, "ip address del 10.99.9.2/24 dev vmbr0")?;
    assert_eq!(both_ends(&lab)?, before);
    Ok(())
}

#[test]
#[ignore = "takes minutes: `make faults` runs it"]
fn a_run_that_was_interrupted_before_it_confirmed_is_undone_by_hand_or_by_itself() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Nic)?;
    let before = both_ends(&lab)?;
    begin(&lab)?.until("The node's end is confirmed")?.power_fails()?;
    // Somebody else's run could be at work.
    let refused = Play::failing(&mut lab.uplink_playbook("migrate.yml", &[])?)?;
    assert!(refused.text.contains("provisional_change"), "{}", refused.text);
    all_answer(&lab, OldState::Nic)?;

    let undone = Play::of(&mut lab.uplink_playbook("rollback.yml", &[])?)?;
    assert_eq!(undone.count("changed"), [2], "{}", undone.text);
    assert_eq!(both_ends(&lab)?, before);
    all_answer(&lab, OldState::Nic)?;
    let again = Play::of(&mut lab.uplink_playbook("rollback.yml", &[])?)?;
    assert_eq!(again.count("changed"), [0], "{}", again.text);

    migrate(&lab, &[])?;
    is_new_at_both_ends(&lab, OldState::Nic)
}

#[test]
#[ignore = "takes minutes: `make faults` runs it"]
fn what_was_confirmed_at_the_node_alone_is_finished_by_the_next_run() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Vmbr0)?;
    begin(&lab)?.until("The switch's end is confirmed")?.power_fails()?;
    // The switch still waits.
    assert!(!lab.switch_control("timer")?.is_empty());
    migrate(&lab, &[])?;
    is_new_at_both_ends(&lab, OldState::Vmbr0)?;

    // It went back.
    lab.switch_cli(&[
        "configure",
        "no interface Port-Channel1001",
        "interface Ethernet7/1-8/1",
        "no channel-group",
        "no switchport mode",
        "switchport access vlan 10",
        "copy running-config startup-config",
    ])?;
    all_answer(&lab, OldState::Vmbr0)?;
    let finished = migrate(&lab, &[])?;
    let said = &finished.results["node1 An earlier run ended half-way"]["msg"];
    let said = said.as_str().context("nothing was said")?;
    assert!(said.starts_with("node1 is already as described, and its switch is not yet"), "{said}");
    is_new_at_both_ends(&lab, OldState::Vmbr0)
}

#[test]
#[ignore = "takes minutes: `make faults` runs it"]
fn what_somebody_else_staged_does_not_go_live_along() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Nic)?;
    // Killed after it staged, and before anything went live.
    begin(&lab)?.until("The switch takes what it is to become")?.power_fails()?;
    lab.sh(NODE, "cp /etc/network/interfaces.new /root; echo '# mine' >>/etc/network/interfaces.new")?;
    let before = both_ends(&lab)?;
    let refused = Play::failing(&mut lab.uplink_playbook("migrate.yml", &[])?)?;
    assert!(refused.text.contains("+# mine"), "{}", refused.text);
    assert_eq!(both_ends(&lab)?, before);
    let undone = Play::of(&mut lab.uplink_playbook("rollback.yml", &[])?)?;
    assert!(undone.text.contains("what somebody else staged there was left alone"), "{}", undone.text);
    assert_eq!(both_ends(&lab)?, before);

    lab.sh(NODE, "cp /root/interfaces.new /etc/network/interfaces.new")?;
    migrate(&lab, &[])?;
    is_new_at_both_ends(&lab, OldState::Nic)
}

/// The inventory that lies over the others, with another link for the node.
fn inventory(lab: &Lab, link: &Value) -> Result<String> {
    lab.private_file("link.json", &json!({"nodes": {"hosts": {NODE: {"link": link}}}}).to_string())
}

fn begin(lab: &Lab) -> Result<Begun<'_>> {
    Begun::start(lab, &mut lab.uplink_playbook("migrate.yml", &UNHURRIED)?)
}

fn migrate(lab: &Lab, arguments: &[&str]) -> Result<Play> {
    Play::of(&mut lab.uplink_playbook("migrate.yml", &[&UNHURRIED, arguments].concat())?)
}

/// What both are set to, without the records of what became of earlier changes.
fn both_ends(lab: &Lab) -> Result<String> {
    let node = lab.configuration(NODE)?;
    let is_record = |line: &&str| {
        ["verdict.json", "previous", "undone"]
            .iter()
            .any(|name| line.starts_with(&format!("/var/lib/bothends/{name}")))
    };
    let node: Vec<&str> = node.lines().filter(|line| !is_record(line)).collect();
    let bridges = lab.sh(NODE, "ls -d /sys/class/net/*/brif/* 2>/dev/null || true")?;
    Ok(node.join("\n") + &bridges + &lab.switch_snapshot()?)
}

/// How often a session was committed on the switch.
fn commits(lab: &Lab) -> Result<usize> {
    Ok(lab.switch_control("lines")?.matches("commit").count())
}

/// What each end itself says.
fn is_new_at_both_ends(lab: &Lab, old: OldState) -> Result<()> {
    all_answer(lab, old)?;
    assert_eq!(lab.vsctl(NODE, &["get", "Port", "bond0", "bond_mode", "lacp"])?, "balance-tcp\nactive");
    for member in lab::link::MEMBERS {
        assert_eq!(lab.vsctl(NODE, &["get", "Interface", member, "lacp_current"])?, "true", "{member}");
    }
    let addresses = lab.sh(NODE, "ip -4 -oneline address show to 10.10.0.2 | cut -d ' ' -f 2")?;
    assert_eq!(addresses.trim(), "mgmt");
    let file = lab.read(NODE, "/etc/network/interfaces")?;
    assert!(file.contains("iface mgmt inet static\n\taddress 10.10.0.2/24\n"), "{file}");
    assert_eq!(lab.switch_control("timer")?, "");
    for config in ["running-config", "startup-config"] {
        let shown = lab.switch_show(&format!("show {config}"))?;
        let port = "channel-group 1001 mode active\n   spanning-tree portfast\n";
        assert_eq!(shown.matches(port).count(), 2, "{config}: {shown}");
        for line in ["port-channel lacp fallback individual", "port-channel lacp fallback timeout 5"] {
            assert!(shown.contains(line), "`{line}` is not in the {config}: {shown}");
        }
    }
    Ok(())
}

fn all_answer(lab: &Lab, old: OldState) -> Result<()> {
    let guest = (old == OldState::Vmbr0).then_some(GUEST);
    [MANAGEMENT].into_iter().chain(guest).try_for_each(|address| lab.wait_for_answer("control", &[], address))
}

/// By what `-vvv` tells of the ssh that ran it.
fn is_confirmed_over_a_new_connection(play: &Play) -> Result<()> {
    let task = "TASK [The node's end is confirmed]";
    let (_, told) = play.text.split_once(task).context("it was not confirmed")?;
    let told = told.split("\nTASK [").next().unwrap_or_default();
    let ssh: Vec<&str> = told.lines().filter(|line| line.contains("SSH: EXEC")).collect();
    assert!(!ssh.is_empty(), "{told}");
    for line in ssh {
        // ssh takes the first.
        let path = line.split("ControlPath=").nth(1).context("a connection that may be shared")?;
        assert!(path.starts_with("none"), "{line}");
        // What configuration and inventory say of the way to the node is kept.
        assert!(line.contains("ControlPersist=60s") && line.contains("ssh_config"), "{line}");
    }
    Ok(())
}
