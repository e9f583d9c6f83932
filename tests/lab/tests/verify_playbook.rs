//! `playbooks/verify.yml`: what does not fit is named, with the end to mend; what is configuration, `playbooks/lacp.yml`
//! repairs. And what that playbook refuses before anything is touched.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::link::MEMBERS;
use lab::{Lab, wait_until};

/// Of both playbooks, the task that compares both ends with the description.
const PROOF: &str = "The link is as described, at both ends";

/// `node1` with all that can be said of VLANs: an IntPort with a tag, and one without, which the native VLAN is for.
/// In capitals what a test wants otherwise.
const LINKS: &str = "\
nodes:
  hosts:
    node1:
      link:
        bridge: {name: vmbr0}
        bond: {name: bond0}
        intports:
          - {name: mgmt, tag: TAG, cidr: 10.10.0.2/24}
          - {name: plain, cidr: 10.20.0.2/24}
        switches:
          - name: core
            port_channel: 1001
            native_vlan: 20
            trunk_vlans: [10, 20]
            interfaces:
              - {interface: Ethernet7/1, nic: NIC1}
              - {interface: Ethernet8/1, nic: NIC2}
";

/// The inventory that lies over the others, for a tag of `mgmt` and the NICs behind Ethernet7/1 and 8/1.
fn links(lab: &Lab, tag: &str, nics: [&str; 2]) -> Result<String> {
    let text = LINKS.replace("TAG", tag).replace("NIC1", nics[0]).replace("NIC2", nics[1]);
    lab.private_file(&format!("links-{tag}-{}.yml", nics[0]), &text)
}

/// What somebody does to a link.
type Deed = fn(&Lab) -> Result<()>;

/// Something that is wrong at a node's link, how it becomes so, and what is said of it.
struct Wrong {
    node: &'static str,
    done: Deed,
    told: &'static str,
    mend: &'static str,
}

/// What lacp.yml repairs, in two rounds: something at each link, so that one run tells and repairs both.
const CONFIGURATION: [[Wrong; 2]; 2] = [
    [
        Wrong {
            node: "node1",
            done: |lab| at_switch(lab, "Port-Channel1001", "switchport trunk allowed vlan 20"),
            told: "core Port-Channel1001: does not let VLAN 10 through",
            mend: "mend the switch",
        },
        Wrong {
            node: "node2",
            done: |lab| at_node(lab, "node2", "ovs-vsctl set Port mgmt tag=20"),
            told: "node2 mgmt: is in VLAN 20, declared is VLAN 10",
            mend: "mend the node",
        },
    ],
    [
        Wrong {
            node: "node1",
            done: |lab| at_switch(lab, "Port-Channel1001", "switchport trunk native vlan 10"),
            told: "core Port-Channel1001: its native VLAN is 10, declared is 20",
            mend: "mend the switch",
        },
        Wrong {
            node: "node2",
            done: |lab| at_switch(lab, "Ethernet10/1", "no channel-group"),
            told: "core Ethernet10/1: is declared a member of Port-Channel1002, and is none",
            mend: "mend the switch",
        },
    ],
];

/// What only a person can mend, and how it is mended here.
const BY_HAND: [(Wrong, Deed); 2] = [
    (
        Wrong {
            node: "node1",
            done: |lab| at_node(lab, "node1", "ip link set ens20f1np1 mtu 9300"),
            told: "node1 bond0 ens20f1np1: its MTU is 9300, and core Port-Channel1001 passes 9214",
            mend: "mend the node",
        },
        |lab| at_node(lab, "node1", "ip link set ens20f1np1 mtu 1500"),
    ),
    (
        Wrong {
            node: "node2",
            done: |lab| lab.exec("switch", &["ip", "link", "set", "Et9_1", "down"]).map(drop),
            told: "node2 bond0 ens20f0np0: has no link",
            mend: "mend the cable",
        },
        |lab| lab.exec("switch", &["ip", "link", "set", "Et9_1", "up"]).map(drop),
    ),
];

fn at_switch(lab: &Lab, interface: &str, line: &str) -> Result<()> {
    lab.switch_cli(&["configure", &format!("interface {interface}"), line, "end"]).map(drop)
}

fn at_node(lab: &Lab, node: &str, command: &str) -> Result<()> {
    lab.sh(node, command).map(drop)
}

#[test]
fn what_is_wrong_is_named_with_the_end_to_mend_and_mended() -> Result<()> {
    let lab = Lab::up_switch()?;
    let links = links(&lab, "10", MEMBERS)?;
    let inventory = ["-i", links.as_str()];
    lab.playbook("lacp.yml", &inventory)?;

    for wrongs in &CONFIGURATION {
        for wrong in wrongs {
            (wrong.done)(&lab)?;
        }
        all_named(&lab, &inventory, wrongs.each_ref())?;
        let repaired = lab.playbook("lacp.yml", &inventory)?;
        assert_eq!(repaired.count("changed"), [1, 1], "{}", repaired.text);
        both_ends_negotiated(&lab)?;
        lab.playbook("verify.yml", &inventory)?;
    }

    for (wrong, _) in &BY_HAND {
        (wrong.done)(&lab)?;
    }
    // Open vSwitch is told of it by the kernel, in its own time.
    wait_until("the cut cable", Duration::from_secs(10), || {
        let state = lab.vsctl("node2", &["get", "Interface", "ens20f0np0", "link_state"])?;
        Ok((state == "down").then_some(()))
    })?;
    all_named(&lab, &inventory, BY_HAND.each_ref().map(|(wrong, _)| wrong))?;
    for (_, mend) in &BY_HAND {
        mend(&lab)?;
    }
    // The member that comes back is waited for.
    lab.playbook("verify.yml", &inventory)?;
    Ok(())
}

/// One end is done with LACP a moment before the other.
fn both_ends_negotiated(lab: &Lab) -> Result<()> {
    for node in ["node1", "node2"] {
        lab.wait_for_lacp(node, &MEMBERS)?;
    }
    for channel in ["1001", "1002"] {
        wait_until(&format!("two active members of Port-Channel{channel}"), Duration::from_secs(60), || {
            let text = lab.switch_show(&format!("show interfaces Port-Channel {channel}"))?;
            Ok(text.contains("Active members in this channel: 2").then_some(()))
        })?;
    }
    Ok(())
}

/// verify.yml fails for both links, each with its sentence and no other, and touches nothing.
fn all_named(lab: &Lab, inventory: &[&str], wrongs: [&Wrong; 2]) -> Result<()> {
    let before = lab.snapshots()?;
    let play = lab.failing_playbook("verify.yml", inventory)?;
    for wrong in wrongs {
        let message = play.message(wrong.node, PROOF)?;
        for part in [wrong.told, wrong.mend] {
            ensure!(message.contains(part), "`{part}` is not told: {message}");
        }
        ensure!(message.matches("; mend ").count() == 1, "more is told than is wrong: {message}");
    }
    assert_eq!(lab.snapshots()?, before);
    Ok(())
}

#[test]
fn crossed_cables_are_named_and_a_pair_that_cannot_work_is_refused() -> Result<()> {
    let lab = Lab::up_switch()?;
    let untouched = lab.snapshots()?;
    let impossible = links(&lab, "30", MEMBERS)?;
    let refused = lab.failing_playbook("lacp.yml", &["-i", &impossible])?;
    let message = refused.message("node1", "Both ends of the description fit together")?;
    assert!(
        message.contains("core Port-Channel1001: does not let traffic of VLAN 30 (IntPort `mgmt`) through"),
        "{message}"
    );
    assert_eq!(lab.snapshots()?, untouched);

    cross(&lab)?;
    // All that is configuration is done, LACP is negotiated, and yet it is not the link that was described.
    let declared = links(&lab, "10", MEMBERS)?;
    for playbook in ["lacp.yml", "verify.yml"] {
        let play = lab.failing_playbook(playbook, &["-i", &declared, "--limit", "node1"])?;
        let message = play.message("node1", PROOF)?;
        assert!(
            message.contains("node1 bond0: its cables are crossed: `ens20f0np0` is in Ethernet8/1"),
            "{message}"
        );
        assert!(message.contains("mend the cable"), "{message}");
    }
    let corrected = links(&lab, "10", [MEMBERS[1], MEMBERS[0]])?;
    lab.playbook("verify.yml", &["-i", &corrected, "--limit", "node1"])?;
    Ok(())
}

/// Exchanges the switch's ends of `node1`'s cables: what is at its other end makes an interface the switch's Ethernet7/1
/// or 8/1.
fn cross(lab: &Lab) -> Result<()> {
    lab.lab("stop-switch", &[])?;
    lab.sh(
        "switch",
        "for names in 'Et7_1 crossed' 'Et8_1 Et7_1' 'crossed Et8_1'; do
           set -- $names
           ip link set \"$1\" down
           ip link set \"$1\" name \"$2\"
         done",
    )?;
    lab.lab("start-switch", &[]).map(drop)
}
