//! What the simulated switch's ports do when time passes, or when too few answer: on its Open vSwitch, with real LACP,
//! as traffic between the nodes shows. Its clock stands still but for what a test lets pass.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::{Lab, wait_until};

/// One NIC of node1 that speaks no LACP, and node2 on an edge port of the same VLAN.
const PLAIN: &str =
    "ip link set ens20f0np0 up; ip link set ens20f1np1 up; ip address add 192.0.2.1/24 dev ens20f0np0";
/// Both NICs of node1 in a bond that speaks LACP.
const BOND: &str = "ip address flush dev ens20f0np0
    ovs-vsctl add-br vmbr0 -- set Bridge vmbr0 datapath_type=netdev \
        -- add-bond vmbr0 bond0 ens20f0np0 ens20f1np1 lacp=active other_config:lacp-time=fast \
        -- add-port vmbr0 host -- set Interface host type=internal
    ip link set ens20f0np0 up; ip link set ens20f1np1 up
    ip address add 192.0.2.1/24 dev host; ip link set host up";

/// The switch with node1 on the members of a Port-Channel that is set so, and node2 on an edge port.
fn cabled(node1: &str, channel: &[&str]) -> Result<Lab> {
    let lab = Lab::up_switch()?;
    lab.switch_control("stop-clock")?;
    let edge = ["configure", "interface Ethernet9/1", "switchport access vlan 10", "spanning-tree portfast"];
    let members = ["interface Ethernet7/1-8/1", "channel-group 1001 mode active"];
    let channel = [&["interface Port-Channel1001", "switchport access vlan 10"], channel].concat();
    lab.switch_cli(&[edge.as_slice(), &channel, &members].concat())?;
    lab.sh("node2", "ip link set ens20f0np0 up; ip address add 192.0.2.2/24 dev ens20f0np0")?;
    lab.sh("node1", node1)?;
    Ok(lab)
}

fn reaches(lab: &Lab, options: &[&str]) -> Result<bool> {
    let ping = [&["ping", "-c", "1", "-W", "1"], options, &["192.0.2.2"]].concat();
    Ok(lab.exec_command("node1", &ping).output()?.status.success())
}

fn wait_for_traffic(lab: &Lab) -> Result<()> {
    wait_until("an answer of node2", Duration::from_secs(60), || Ok(reaches(lab, &[])?.then_some(())))
}

/// Waits until a line of `show port-channel summary` has this.
fn wait_for_summary(lab: &Lab, wanted: &str) -> Result<()> {
    wait_until(&format!("`{wanted}` of the Port-Channel"), Duration::from_secs(60), || {
        Ok(lab.switch_show("show port-channel summary")?.contains(wanted).then_some(()))
    })
}

#[test]
fn a_static_fallback_carries_traffic_over_one_member_until_lacp_is_heard() -> Result<()> {
    let lab = cabled(PLAIN, &["port-channel lacp fallback static"])?;
    wait_for_summary(&lab, "Po1001(D)          LACP(af*)    Et7/1(D) Et8/1(D)")?;
    ensure!(!reaches(&lab, &[])?, "there was no fallback yet");
    lab.switch_control("advance 90")?;
    wait_for_summary(&lab, "Po1001(U)          LACP(aF*)    Et7/1(P) Et8/1(D)")?;
    wait_for_traffic(&lab)?;
    lab.sh("node1", BOND)?;
    wait_for_summary(&lab, "Po1001(U)          LACP(af*)    Et7/1(PG+) Et8/1(PG+)")?;
    wait_for_traffic(&lab)
}

#[test]
fn in_an_individual_fallback_members_stand_alone_until_lacp_is_heard() -> Result<()> {
    let lab = cabled(PLAIN, &["port-channel lacp fallback individual"])?;
    lab.switch_cli(&["configure", "interface Ethernet7/1", "switchport access vlan 20"])?;
    lab.switch_control("advance 90")?;
    wait_for_summary(&lab, "Po1001(D)          LACP(aF^)    Et7/1(I) Et8/1(I)")?;
    ensure!(!reaches(&lab, &[])?, "Ethernet7/1 is in another VLAN than its Port-Channel");
    lab.switch_cli(&["configure", "interface Ethernet7/1", "switchport access vlan 10"])?;
    wait_for_traffic(&lab)?;
    lab.sh("node1", BOND)?;
    wait_for_summary(&lab, "Po1001(U)          LACP(af^)    Et7/1(PG+) Et8/1(PG+)")?;
    wait_for_traffic(&lab)
}

#[test]
fn with_fewer_members_than_min_links_nothing_passes() -> Result<()> {
    let lab = cabled(BOND, &["port-channel min-links 2"])?;
    wait_for_summary(&lab, "Et7/1(PG+) Et8/1(PG+)")?;
    wait_for_traffic(&lab)?;
    lab.sh("node1", "ip link set ens20f1np1 down")?;
    wait_for_summary(&lab, "Po1001(D)          LACP(a)      Et7/1(D) Et8/1(D)")?;
    let shown = lab.switch_show("show interfaces Port-Channel1001")?;
    ensure!(shown.starts_with("Port-Channel1001 is down, line protocol is lowerlayerdown"), "{shown}");
    wait_until("silence", Duration::from_secs(30), || Ok((!reaches(&lab, &[])?).then_some(())))?;
    lab.sh("node1", "ip link set ens20f1np1 up")?;
    wait_for_summary(&lab, "Et7/1(PG+) Et8/1(PG+)")?;
    wait_for_traffic(&lab)
}

#[test]
fn without_portfast_only_lacp_passes_until_the_forward_delay_is_over() -> Result<()> {
    let lab = cabled("true", &[])?;
    lab.switch_control("forward-delay 30")?;
    lab.sh("node1", BOND)?;
    wait_for_summary(&lab, "Et7/1(PG+) Et8/1(PG+)")?;
    ensure!(!reaches(&lab, &[])?, "the forward delay is not over");
    lab.switch_control("advance 30")?;
    wait_for_traffic(&lab)?;
    // It begins again when the Port-Channel comes up again, but for portfast.
    for (portfast, reached) in [("no spanning-tree portfast", false), ("spanning-tree portfast", true)] {
        lab.switch_cli(&["configure", "interface Port-Channel1001", portfast, "shutdown"])?;
        wait_for_summary(&lab, "Po1001(D)")?;
        lab.switch_cli(&["configure", "interface Port-Channel1001", "no shutdown"])?;
        wait_for_summary(&lab, "Et7/1(PG+) Et8/1(PG+)")?;
        if reached {
            wait_for_traffic(&lab)?;
        } else {
            ensure!(!reaches(&lab, &[])?, "the forward delay is not over again");
        }
    }
    Ok(())
}

#[test]
fn what_is_larger_than_the_l2_mtu_is_dropped() -> Result<()> {
    const LARGE: [&str; 4] = ["-M", "do", "-s", "8000"];
    let lab = cabled("true", &["l2 mtu 2000"])?;
    lab.switch_cli(&["configure", "interface Ethernet8/1", "no channel-group", "switchport access vlan 10"])?;
    lab.switch_cli(&["configure", "interface Ethernet7/1", "channel-group 1001 mode on"])?;
    lab.sh("node2", "ip link set ens20f0np0 mtu 9000")?;
    for (nic, passes) in [("ens20f0np0", false), ("ens20f1np1", true)] {
        let moved = "ip address flush to 192.0.2.1; ip address add 192.0.2.1/24 dev";
        lab.sh("node1", &format!("ip link set {nic} mtu 9000 up; {moved} {nic}"))?;
        wait_for_traffic(&lab)?;
        assert_eq!(reaches(&lab, &LARGE)?, passes, "{nic}");
    }
    Ok(())
}
