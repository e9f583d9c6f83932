//! The way in through the switch, which a migration changes under its own feet.

use std::time::Duration;

use anyhow::Result;
use lab::uplink::{CARRYING_PORT, GUEST, MANAGEMENT, OldState};
use lab::{Lab, wait_until};

#[test]
fn control_comes_in_over_the_cable_and_no_other_way_in_both_old_states() -> Result<()> {
    for old in OldState::ALL {
        let lab = Lab::up_uplink(old)?;
        let config = lab.lab("ssh-config", &[])?;
        let told = ["ssh", "-F", config.trim(), "node1", "printenv SSH_CONNECTION"];
        let ends = lab.exec("control", &told)?;
        assert_eq!(ends.split(' ').nth(2), Some(MANAGEMENT), "{old:?}: {ends}");

        lab.set_cable(CARRYING_PORT, false)?;
        assert!(!lab.logs_in()?, "{old:?}");
        lab.set_cable(CARRYING_PORT, true)?;
        let limit = Duration::from_secs(60);
        wait_until("a login after the repair", limit, || Ok(lab.logs_in()?.then_some(())))?;
    }
    Ok(())
}

#[test]
fn the_guest_of_the_linux_bridge_answers_through_the_switch_and_no_packet_is_answered_twice() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Vmbr0)?;
    for address in [MANAGEMENT, GUEST] {
        let told = lab.exec("control", &["ping", "-c", "20", "-i", "0.05", "-W", "5", address])?;
        assert!(told.contains("20 packets transmitted, 20 received, 0% packet loss"), "{told}");
    }
    Ok(())
}

/// The kernel sees every frame of a port of Open vSwitch, too, and would answer for the address of an IntPort that has the
/// NIC's MAC.
#[test]
fn only_open_vswitch_answers_for_an_intport_with_the_mac_of_its_nic() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Nic)?;
    lab.sh(
        "node1",
        "mac=$(cat /sys/class/net/ens20f0np0/address)
         ovs-vsctl --timeout=10 add-br vmbr0 -- set Bridge vmbr0 datapath_type=netdev -- add-port vmbr0 ens20f0np0 -- \\
           add-port vmbr0 mgmt -- set Interface mgmt type=internal \"mac=\\\"$mac\\\"\"
         ip address flush dev ens20f0np0
         ip address add 10.10.0.2/24 dev mgmt
         ip link set mgmt up",
    )?;
    let ping = |count: &str| {
        lab.exec_command("control", &["ping", "-c", count, "-i", "0.05", "-W", "5", MANAGEMENT]).output()
    };
    wait_until("an answer of the IntPort", Duration::from_secs(60), || {
        Ok(ping("1")?.status.success().then_some(()))
    })?;
    let told = String::from_utf8(ping("20")?.stdout)?;
    assert!(told.contains("20 received, 0% packet loss"), "{told}");
    // Not by the way that nobody means to be there.
    lab.exec("node1", &["ovs-vsctl", "--timeout=10", "set", "Port", "ens20f0np0", "tag=20"])?;
    assert!(!ping("3")?.status.success());
    Ok(())
}
