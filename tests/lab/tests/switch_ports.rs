//! The simulated switch's ports: what its configuration comes to in the switch's own Open vSwitch.

use std::time::Duration;

use anyhow::Result;
use lab::{Lab, wait_until};

/// What the switch's Open vSwitch has in a column.
fn column(lab: &Lab, table: &str, row: &str, column: &str) -> Result<String> {
    lab.vsctl("switch", &["get", table, row, column])
}

#[test]
fn only_what_differs_reaches_the_ports() -> Result<()> {
    let lab = Lab::up_switch()?;
    lab.switch_cli(&[
        "configure",
        "interface Port-Channel1001",
        "switchport mode trunk",
        "interface Ethernet7/1-8/1",
        "channel-group 1001 mode active",
    ])?;
    let interface = column(&lab, "Interface", "Et7_1", "_uuid")?;
    let transactions = || column(&lab, "Open_vSwitch", ".", "next_cfg");
    let before = transactions()?;
    lab.switch_cli(&["configure", "interface Port-Channel1001", "description PVE-N1-LACP"])?;
    assert_eq!(transactions()?, before);
    lab.switch_cli(&["configure", "interface Ethernet8/1", "no channel-group"])?;
    assert_ne!(transactions()?, before);
    assert_eq!(column(&lab, "Interface", "Et7_1", "_uuid")?, interface);
    assert_eq!(column(&lab, "Port", "Et8_1", "tag")?, "1");
    Ok(())
}

#[test]
fn a_vlan_that_does_not_exist_carries_nothing() -> Result<()> {
    let lab = Lab::up_switch()?;
    lab.switch_cli(&[
        "configure",
        "interface Ethernet7/1",
        "switchport mode trunk",
        "switchport trunk allowed vlan 10,20,30",
        "interface Ethernet8/1",
        "switchport access vlan 30",
    ])?;
    assert_eq!(column(&lab, "Port", "Et7_1", "trunks")?, "[10, 20]");
    assert_eq!(column(&lab, "Port", "Et8_1", "trunks")?, "[4095]");
    lab.switch_cli(&["configure", "vlan 30"])?;
    assert_eq!(column(&lab, "Port", "Et7_1", "trunks")?, "[10, 20, 30]");
    assert_eq!(column(&lab, "Port", "Et8_1", "tag")?, "30");
    Ok(())
}

#[test]
fn a_port_that_is_shut_down_takes_the_carrier_from_the_node() -> Result<()> {
    let lab = Lab::up_switch()?;
    lab.exec("node1", &["ip", "link", "set", "ens20f0np0", "up"])?;
    let carrier_is = |wanted: &str| {
        wait_until(&format!("carrier {wanted}"), Duration::from_secs(10), || {
            let file = ["cat", "/sys/class/net/ens20f0np0/carrier"];
            Ok((lab.exec("node1", &file)?.trim() == wanted).then_some(()))
        })
    };
    carrier_is("1")?;
    lab.switch_cli(&["configure", "interface Ethernet7/1", "shutdown"])?;
    carrier_is("0")?;
    assert!(
        lab.switch_show("show interfaces Ethernet7/1")?.starts_with("Ethernet7/1 is administratively down")
    );
    lab.switch_cli(&["configure", "interface Ethernet7/1", "no shutdown"])?;
    carrier_is("1")
}

#[test]
fn a_channel_of_one_member_stays_down_until_lacp_is_answered() -> Result<()> {
    let lab = Lab::up_switch()?;
    lab.exec("node1", &["ip", "link", "set", "ens20f0np0", "up"])?;
    lab.switch_cli(&["configure", "interface Ethernet7/1", "channel-group 1001 mode active"])?;
    let shown = lab.switch_show("show interfaces Port-Channel 1001")?;
    assert!(shown.starts_with("Port-Channel1001 is down"), "{shown}");
    assert_eq!(column(&lab, "Port", "Po1001", "lacp")?, "active");
    wait_until("a member that waits", Duration::from_secs(10), || {
        let bond = lab.exec("switch", &["ovs-appctl", "bond/show", "Po1001"])?;
        Ok(bond.contains("\nmember Et7_1: disabled\n").then_some(()))
    })
}
