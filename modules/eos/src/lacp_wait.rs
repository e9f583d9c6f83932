//! Waiting until members of Port-Channels are bundled: for whom, for how long, and what is said where it was in vain.
//! Whether a member is bundled is `live.rs`'s; how that is looked at, and what becomes of the change, the caller's.

use std::collections::BTreeSet;
use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::fault::Fault;

use crate::config::Config;
use crate::live::{Cause, Live, Verdict};
use crate::names::Interface;

/// How often it is looked.
const PAUSE: Duration = Duration::from_millis(500);
/// So many members are named in an error.
const SHOWN: usize = 8;

/// The members that are waited for.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Awaited {
    members: Vec<Member>,
    /// The Port-Channels without any.
    pub idle: Vec<Interface>,
}

/// A member that speaks LACP.
#[derive(Debug, PartialEq, Eq)]
struct Member {
    name: Interface,
    channel: Interface,
    /// Whether somebody shut its Port-Channel down.
    is_held_down: bool,
}

/// For how long it is waited.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// As was asked for.
    pub limit: Duration,
    /// Of the run's clock, when the switch is about to undo the change.
    pub window_ends: Option<Duration>,
}

impl Awaited {
    /// Every member of `channels` that speaks LACP and is not shut down.
    pub fn of<'a>(channels: impl IntoIterator<Item = &'a Interface>, running: &Config) -> Self {
        let channels: BTreeSet<&Interface> = channels.into_iter().collect();
        let is_held_down = |channel: &Interface| {
            let aggregation = running.port(channel).and_then(|port| port.aggregation);
            aggregation.is_some_and(|aggregation| aggregation.shutdown)
        };
        let of_one = |name: &Interface| {
            let membership = running.port(name)?.membership.filter(|it| it.lacp_mode.is_lacp())?;
            let channel = membership.channel();
            if !channels.contains(&channel) || running.is_shut_down(name) {
                return None;
            }
            Some(Member { name: name.clone(), is_held_down: is_held_down(&channel), channel })
        };
        let members: Vec<Member> = running.interfaces().filter_map(|(name, _)| of_one(name)).collect();
        let busy: BTreeSet<&Interface> = members.iter().map(|member| &member.channel).collect();
        let idle = channels.difference(&busy).map(|channel| (*channel).clone()).collect();
        Self { members, idle }
    }

    /// Whether there is anybody to wait for.
    pub fn has_any(&self) -> bool {
        !self.members.is_empty()
    }

    /// What stands against each of them that is not bundled, and what helps.
    fn missing(&self, live: &Live) -> (Vec<String>, BTreeSet<&'static str>) {
        let (mut told, mut remedies) = (Vec::new(), BTreeSet::new());
        for Member { name, channel, is_held_down } in &self.members {
            let (reason, cause) = match live.verdict(channel, name, None) {
                Verdict::Out { reason, cause } => (reason, cause),
                Verdict::Bundled if live.negotiations.contains_key(name) => continue,
                // Whatever bundles it, nobody at its other end agreed to that.
                Verdict::Bundled => (None, Cause::Silence),
            };
            let cause = if *is_held_down { Cause::ChannelShutDown } else { cause };
            let reason = reason.map(|reason| format!("{reason:?}: ")).unwrap_or_default();
            told.push(format!("{name} of {channel} ({reason}{cause})"));
            remedies.insert(cause.remedy());
        }
        (told, remedies)
    }

    /// What is to be said of what is seen now, in one sentence; none where all of them are bundled.
    pub fn complaint(&self, live: &Live) -> Option<String> {
        let (told, remedies) = self.missing(live);
        if told.is_empty() {
            return None;
        }
        let more = told.len().saturating_sub(SHOWN);
        let more = if more == 0 { String::new() } else { format!("; and {more} more") };
        let told: Vec<String> = told.into_iter().take(SHOWN).collect();
        let remedies: Vec<&str> = remedies.into_iter().collect();
        Some(format!("not bundled: {}{more}; hint: {}", told.join("; "), remedies.join("; ")))
    }

    /// Looks until all of them are bundled, and as long as `patience` lasts; `look` is told until when.
    pub fn until_bundled(
        &self,
        context: &Context,
        patience: Patience,
        look: &mut dyn FnMut(Duration) -> Result<Live, Fault>,
    ) -> Result<(), Fault> {
        let begun = context.clock.now();
        let Patience { limit, window_ends } = patience;
        let deadline = window_ends.map_or(begun + limit, |ends| ends.min(begun + limit));
        loop {
            let Some(complaint) = self.complaint(&look(deadline)?) else { return Ok(()) };
            context.stop_if_interrupted().map_err(|stop| stop.context("waiting for LACP"))?;
            let now = context.clock.now();
            if now >= deadline {
                return Err(in_vain(limit, now.saturating_sub(begun), &complaint));
            }
            context.clock.sleep(PAUSE.min(deadline.saturating_sub(now)));
        }
    }
}

fn in_vain(limit: Duration, waited: Duration, complaint: &str) -> Fault {
    let waited = if waited < limit {
        let waited = Duration::from_secs(waited.as_secs());
        format!("{waited:?} of {limit:?}, as the switch was about to undo the change,")
    } else {
        format!("{limit:?}")
    };
    Fault::new("lacp_not_up", format!("waiting {waited} for LACP: {complaint}"))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering;

    use serde_json::{Value, json};

    use stopped_clock::context;

    use super::*;
    use crate::bundle::Bundle;
    use crate::lacp::Negotiation;

    const RUNNING: &str = "interface Port-Channel10\n!\ninterface Port-Channel11\n   shutdown\n!\n\
        interface Port-Channel12\n!\ninterface Ethernet1\n   channel-group 10 mode active\n!\n\
        interface Ethernet2\n   channel-group 10 mode passive\n!\n\
        interface Ethernet3\n   shutdown\n   channel-group 10 mode active\n!\n\
        interface Ethernet4\n   channel-group 11 mode active\n!\n\
        interface Ethernet5\n   channel-group 12 mode on\n!\ninterface Ethernet6\n!\nend\n";

    fn awaited(numbers: &[u32]) -> Awaited {
        let channels: Vec<Interface> = numbers.iter().map(|number| Interface::PortChannel(*number)).collect();
        Awaited::of(&channels, &Config::parse(RUNNING))
    }

    /// Members of Port-Channel10 that are bundled, and those that hear this partner.
    fn live(bundled: &[&str], others: &[(&str, Option<&str>)]) -> Live {
        let ports = |names: Vec<&str>, port: &Value| -> Value {
            names
                .into_iter()
                .map(|name| (name.to_owned(), port.clone()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        };
        let reason = json!({"reasonUnconfigured": "waiting for LACP response"});
        let bundle = json!({
            "activePorts": ports(bundled.to_vec(), &json!({})),
            "inactivePorts": ports(others.iter().map(|(name, _)| *name).collect(), &reason),
        });
        let mut lacp = ports(bundled.to_vec(), &json!({"actorPortStatus": "bundled"}));
        for (name, system) in others {
            lacp[name] = json!({"actorPortStatus": "noAgg", "partnerSystemId": system,
                                "partnerPortState": {"aggregation": system.is_some()}});
        }
        Live {
            bundles: Bundle::read_all(&json!({"portChannels": {"Port-Channel10": bundle}})),
            negotiations: Negotiation::read_all(
                &json!({"portChannels": {"Port-Channel10": {"interfaces": lacp}}}),
            ),
        }
    }

    fn seconds(limit: u64) -> Patience {
        Patience { limit: Duration::from_secs(limit), window_ends: None }
    }

    #[test]
    fn those_that_speak_lacp_and_are_not_shut_down_are_waited_for() {
        let both = awaited(&[10]);
        let names: Vec<String> = both.members.iter().map(|member| member.name.to_string()).collect();
        assert_eq!((names, both.idle), (vec!["Ethernet1".to_owned(), "Ethernet2".to_owned()], vec![]));
        // Without LACP there is nothing to wait for, nor where nobody is a member.
        let idle = [Interface::PortChannel(12), Interface::PortChannel(13)];
        assert_eq!(awaited(&[13, 12]), Awaited { members: vec![], idle: idle.into() });
        let complaint = awaited(&[11]).complaint(&Live::default()).unwrap();
        assert!(
            complaint.starts_with(
                "not bundled: Ethernet4 of Port-Channel11 (its Port-Channel is shut down); hint: "
            ),
            "{complaint}"
        );
    }

    #[test]
    fn it_ends_as_soon_as_all_are_bundled() {
        let (context, time) = context();
        let mut looks =
            vec![live(&["Ethernet1", "Ethernet2"], &[]), live(&["Ethernet1"], &[("Ethernet2", None)])];
        let mut look = |_| Ok(looks.pop().unwrap());
        assert_eq!(awaited(&[10]).until_bundled(&context, seconds(20), &mut look), Ok(()));
        assert_eq!(time.get(), PAUSE);
    }

    #[test]
    fn every_member_is_named_with_what_both_of_us_say_of_it() {
        let (context, time) = context();
        let system = "8000,3c-ec-ef-00-00-02";
        let mut look = |_| Ok(live(&[], &[("Ethernet1", None), ("Ethernet2", Some(system))]));
        let fault = awaited(&[10]).until_bundled(&context, seconds(20), &mut look).unwrap_err();
        assert_eq!((fault.code, time.get()), ("lacp_not_up", Duration::from_secs(20)));
        let silence = "\"waiting for LACP response\": nobody answers it in LACP";
        let unwanted = "\"waiting for LACP response\": its partner 3c:ec:ef:00:00:02 does not agree";
        let expected = format!(
            "waiting 20s for LACP: not bundled: Ethernet1 of Port-Channel10 ({silence}); \
             Ethernet2 of Port-Channel10 ({unwanted}); hint: is the port at its other end in "
        );
        assert!(fault.message.starts_with(&expected), "{fault}");
    }

    #[test]
    fn one_that_is_bundled_without_lacp_is_not_what_is_waited_for() {
        let mut live = live(&["Ethernet1", "Ethernet2"], &[]);
        live.negotiations.clear();
        let complaint = awaited(&[10]).complaint(&live).unwrap();
        let silent =
            "Ethernet1 of Port-Channel10 (nobody answers it in LACP); Ethernet2 of Port-Channel10 (nobody";
        assert!(complaint.starts_with(&format!("not bundled: {silent}")), "{complaint}");
    }

    #[test]
    fn it_ends_before_the_switch_undoes_the_change_and_says_so() {
        let (context, time) = context();
        let mut look = |_| Ok(live(&["Ethernet1"], &[("Ethernet2", None)]));
        let patience = Patience { window_ends: Some(Duration::from_secs(7)), ..seconds(20) };
        let fault = awaited(&[10]).until_bundled(&context, patience, &mut look).unwrap_err();
        assert_eq!(time.get(), Duration::from_secs(7));
        assert!(fault.message.contains("waiting 7s of 20s, as the switch was about to undo"), "{fault}");
    }

    #[test]
    fn what_cannot_be_looked_at_and_a_signal_end_it() {
        let (context, time) = context();
        let failed = Fault::new("unexpected_answer", "no JSON");
        let mut look = |_| Err(failed.clone());
        assert_eq!(awaited(&[10]).until_bundled(&context, seconds(20), &mut look), Err(failed.clone()));
        context.interrupted.store(true, Ordering::Relaxed);
        let mut look = |_| Ok(live(&[], &[("Ethernet1", None)]));
        let stopped = awaited(&[10]).until_bundled(&context, seconds(20), &mut look).unwrap_err();
        assert_eq!((stopped.code, time.get()), ("interrupted", Duration::ZERO));
    }
}
