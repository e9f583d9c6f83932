//! The switch against the description: what is not there, not so, or shut down.

use crate::description::{Cable, LacpMode, Switch};
use crate::finding::{End, Finding};
use crate::switch_report::{Member, PortChannel, SwitchReport};
use crate::vlans::numbers;
use crate::wire::PortMode;

/// What differs, and the Port-Channel where it is there.
pub fn findings<'a>(switch: &Switch, report: &'a SwitchReport) -> (Vec<Finding>, Option<&'a PortChannel>) {
    let place = format!("{} {}", switch.name, switch.port_channel);
    let Some(channel) = report.port_channels.get(&switch.port_channel) else {
        let fact = "the switch has no such Port-Channel";
        return (
            vec![Finding::error("channel_missing", End::Switch, &place, fact, "run the playbook")],
            None,
        );
    };
    let mut found = Vec::new();
    if channel.shutdown {
        let remedy = "`no shutdown` on it, once it is known who shut it down and why";
        found.push(Finding::error("channel_shutdown", End::Switch, &place, "is shut down", remedy));
    }
    found.extend(vlans(&place, switch, channel));
    found.extend(description(&place, switch.description.as_deref(), channel.description.as_deref()));
    for cable in &switch.cables {
        found.extend(member(switch, report, cable, channel.members.get(&cable.interface)));
    }
    for interface in channel.members.keys() {
        if !switch.cables.iter().any(|cable| cable.interface == *interface) {
            found.push(Finding::error(
                "interface_undeclared",
                End::Switch,
                &format!("{} {interface}", switch.name),
                &format!("is a member of {}, and not declared", switch.port_channel),
                "run the playbook, or declare it with its NIC of the node",
            ));
        }
    }
    found.extend(lasting(&place, switch, report, channel));
    (found, Some(channel))
}

/// What is as it is only for now.
fn lasting(place: &str, switch: &Switch, report: &SwitchReport, channel: &PortChannel) -> Vec<Finding> {
    let unsaved = (channel.saved == Some(false)).then(|| {
        let fact = "the startup-config does not have it and its members like this: a restart of the switch takes that back";
        Finding::note("not_saved", End::Switch, place, fact)
    });
    let provisional = report.commit_timer.as_ref().map(|timer| {
        let until = timer.reverts_at.as_ref().map(|at| format!(" until {at}")).unwrap_or_default();
        let session = &timer.session;
        let fact =
            format!("a change of it, in session {session}, has to be confirmed{until}, or it undoes that");
        Finding::note("change_unconfirmed", End::Switch, &switch.name, &fact)
    });
    unsaved.into_iter().chain(provisional).collect()
}

fn vlans(place: &str, switch: &Switch, channel: &PortChannel) -> Vec<Finding> {
    let declared = &switch.vlans;
    let differs = |code, what: &str, is: &str, wanted: &str| {
        let fact = format!("{what} is {is}, declared is {wanted}");
        Finding::error(code, End::Switch, place, &fact, "run the playbook")
    };
    let mode = declared.mode.to_string();
    if channel.mode != mode {
        // The other settings have no effect in another mode.
        return vec![differs("channel_mode", "its mode", &channel.mode, &mode)];
    }
    if declared.mode != PortMode::Trunk {
        let wanted = declared.access.filter(|wanted| *wanted != channel.access);
        let finding = wanted.map(|wanted| {
            differs("access_vlan", "its access VLAN", &channel.access.to_string(), &wanted.to_string())
        });
        return finding.into_iter().collect();
    }
    let mut found = Vec::new();
    if let Some(wanted) = declared.native.filter(|wanted| *wanted != channel.native) {
        found.push(differs(
            "native_vlan",
            "its native VLAN",
            &channel.native.to_string(),
            &wanted.to_string(),
        ));
    }
    if let Some(wanted) = &declared.allowed {
        let missing = wanted.without(&channel.allowed);
        if !missing.is_empty() {
            let fact = format!(
                "does not let {} through: allowed are {}, declared are {wanted}",
                numbers(&missing),
                channel.allowed
            );
            found.push(Finding::error("trunk_vlans", End::Switch, place, &fact, "run the playbook"));
        } else if channel.allowed != *wanted {
            let fact =
                format!("lets more VLANs through than declared: {}, declared are {wanted}", channel.allowed);
            found.push(Finding::note("trunk_vlans_more", End::Switch, place, &fact));
        }
    }
    found
}

fn description(place: &str, declared: Option<&str>, found: Option<&str>) -> Option<Finding> {
    let found = found.unwrap_or_default();
    let declared = declared.filter(|declared| *declared != found)?;
    let fact = format!("its description is \"{found}\", declared is \"{declared}\"");
    Some(Finding::note("description", End::Switch, place, &fact))
}

fn member(switch: &Switch, report: &SwitchReport, cable: &Cable, found: Option<&Member>) -> Vec<Finding> {
    let place = format!("{} {}", switch.name, cable.interface);
    let error = |code, fact: &str, remedy| Finding::error(code, End::Switch, &place, fact, remedy);
    let Some(live) = found else {
        let channel = &switch.port_channel;
        return vec![match report.channel_of(&cable.interface) {
            Some(other) => error(
                "other_channel",
                &format!("is a member of {other}, declared is {channel}"),
                "take it out there if that is wrong, then run the playbook",
            ),
            None => error(
                "interface_missing",
                &format!("is declared a member of {channel}, and is none"),
                "run the playbook",
            ),
        }];
    };
    let mut found: Vec<Finding> =
        description(&place, cable.description.as_deref(), live.description.as_deref()).into_iter().collect();
    if live.shutdown {
        let remedy = "`no shutdown` on it, once it is known who shut it down and why";
        found.push(error("interface_shutdown", "is shut down", remedy));
    }
    let declared = match cable.lacp_mode {
        LacpMode::Active => "active",
        LacpMode::Passive => "passive",
        LacpMode::On => "on",
    };
    if live.lacp_mode == "on" {
        let fact = format!("its LACP mode is on, which speaks none; declared is {declared}");
        found.push(error("lacp_mode_on", &fact, "run the playbook"));
    } else if live.lacp_mode != declared {
        let fact = format!("its LACP mode is {}, declared is {declared}", live.lacp_mode);
        found.push(Finding::note("lacp_mode", End::Switch, &place, &fact));
    }
    found
}
