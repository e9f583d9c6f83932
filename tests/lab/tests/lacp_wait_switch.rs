//! `wait_for_lacp` of `eos_port_channel` with real LACP: a far end that is silent has the switch go back by itself, one
//! that answers late but in time has the change confirmed.

use std::time::Duration;

use anyhow::{Result, ensure};
use lab::link::{MEMBERS, node_end};
use lab::{Lab, answer, wait_until};
use serde_json::{Value, json};

/// The switch's end of the link to node1, with so many seconds for LACP.
fn switch_end(wait_for_lacp: u64) -> Value {
    json!({
        "name": 1001, "mode": "trunk", "wait_for_lacp": wait_for_lacp,
        "members": [{"interface": "Ethernet7/1"}, {"interface": "Ethernet8/1"}],
    })
}

#[test]
fn where_nobody_answers_in_lacp_the_switch_goes_back_and_each_member_is_named() -> Result<()> {
    let lab = Lab::up_switch()?;
    for nic in MEMBERS {
        lab.exec("node1", &["ip", "link", "set", nic, "up"])?;
    }
    let before = lab.switch_snapshot()?;
    let failed = lab.eos(&switch_end(4))?;
    assert_eq!(failed.failure()?, ("lacp_not_up", "rolled_back"), "{:#}", failed.result);
    for interface in ["Ethernet7/1", "Ethernet8/1"] {
        let told = format!(
            "{interface} of Port-Channel1001 (\"waiting for LACP response\": nobody answers it in LACP)"
        );
        ensure!(failed.message().contains(&told), "{}", failed.message());
    }
    assert_eq!(lab.switch_snapshot()?, before);
    let typed = lab.switch_control("lines")?;
    let is_confirmation = |line: &str| line.contains("configure session") && line.ends_with(" commit");
    ensure!(!typed.lines().any(is_confirmation), "it was confirmed: {typed}");

    // What is there and was never up is not what was asked for, though nothing is to be changed.
    assert!(lab.eos(&switch_end(0))?.changed()?);
    assert!(!lab.eos(&switch_end(0))?.changed()?);
    assert_eq!(lab.eos(&switch_end(2))?.failure()?, ("lacp_not_up", "unchanged"));
    let info = lab.eos_arguments(&json!({"names": [1001], "wait_for_lacp": 2}))?;
    let told = lab.module("control", "eos_port_channel_info", &info)?;
    assert_eq!(told.failure()?, ("lacp_not_up", "unchanged"));
    let member = &told.result["port_channels"]["Port-Channel1001"]["members"]["Ethernet7/1"];
    assert_eq!((&member["link"], &member["cause"]), (&json!(true), &json!("nobody answers it in LACP")));
    Ok(())
}

#[test]
fn a_far_end_that_answers_late_but_in_time_has_the_change_confirmed() -> Result<()> {
    let lab = Lab::up_switch()?;
    let arguments = lab.eos_arguments(&switch_end(50))?;
    let running = lab.start_module("control", &[], "eos_port_channel", &arguments)?;
    wait_until("the first look for LACP", Duration::from_secs(60), || {
        let typed = lab.switch_control("lines")?;
        Ok(typed.contains("show lacp interface all-ports | json").then_some(()))
    })?;
    ensure!(!lab.switch_control("timer")?.is_empty(), "nothing waits to be confirmed");
    lab.run("node1", &node_end("node1"))?;
    let done = answer(&running.wait_with_output()?)?;
    assert!(done.changed()?);
    ensure!(lab.switch_control("timer")?.is_empty(), "it still waits to be confirmed");
    ensure!(lab.switch_show("show running-config")?.contains("channel-group 1001 mode active"));
    lab.wait_for_lacp("node1", &MEMBERS)?;
    assert!(!lab.eos(&switch_end(50))?.changed()?);
    let info = lab.eos_arguments(&json!({"names": [1001], "wait_for_lacp": 30}))?;
    let told = lab.module("control", "eos_port_channel_info", &info)?;
    assert!(!told.changed()?);
    let channel = &told.result["port_channels"]["Port-Channel1001"];
    assert_eq!((&channel["up"], &channel["saved"]), (&json!(true), &json!(true)));
    Ok(())
}
