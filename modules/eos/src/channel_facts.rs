//! What is told of Port-Channels: configuration and what is seen, by channel and member. Pure; how it is read is
//! `port_channel_info.rs`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde_json::{Map, Value, json};
use vlan::{Native, VlanSet};

use crate::aggregation::Fallback;
use crate::bundle::Peer;
use crate::claim::Claims;
use crate::config::Config;
use crate::lacp::End;
use crate::link::Link;
use crate::live::{Live, Verdict};
use crate::member::{self, ByChannel};
use crate::membership::LacpMode;
use crate::names::Interface;
use crate::port::Port;
use crate::sessions::Sessions;
use crate::switchport::{Mode, Switchport};
use crate::version::Version;

/// What was read of a switch.
pub struct Seen {
    /// The switch itself.
    pub version: Version,
    /// Its running-config.
    pub running: Config,
    /// Its startup-config; empty where there is none.
    pub startup: Config,
    /// Its configuration sessions.
    pub sessions: Sessions,
    /// Its interfaces.
    pub links: BTreeMap<Interface, Link>,
    /// Its Port-Channels' members.
    pub live: Live,
}

/// The Port-Channels that are asked for.
pub struct Selected {
    /// Those that the switch has.
    pub there: BTreeSet<Interface>,
    /// Those that it does not have.
    pub missing: Vec<Interface>,
}

/// A Port-Channel.
#[derive(Debug, PartialEq, Serialize)]
struct ChannelFacts {
    description: String,
    mode: String,
    access_vlan: u16,
    native_vlan: Native,
    trunk_vlans: VlanSet,
    carried_vlans: Option<VlanSet>,
    shutdown: bool,
    mtu: Option<u64>,
    min_links: u32,
    lacp_fallback: FallbackFacts,
    mlag: u32,
    saved: bool,
    up: bool,
    bandwidth: Option<u64>,
    members: BTreeMap<Interface, MemberFacts>,
    peer_members: BTreeMap<String, Peer>,
}

/// What members do that nobody answers, and whether they do.
#[derive(Debug, PartialEq, Serialize)]
struct FallbackFacts {
    mode: Fallback,
    active: bool,
    state: Option<String>,
}

/// A member.
#[derive(Debug, PartialEq, Serialize)]
struct MemberFacts {
    description: String,
    lacp_mode: LacpMode,
    shutdown: bool,
    link: bool,
    bandwidth: Option<u64>,
    bundled: bool,
    reason: Option<String>,
    cause: Option<String>,
    actor: Option<End>,
    partner: Option<End>,
}

impl Seen {
    /// Of those that are asked for, or of all of them.
    pub fn selected(&self, names: Option<&BTreeSet<Interface>>) -> Selected {
        let channels = self.running.interfaces().map(|(name, _)| name.clone());
        let channels = channels.filter(|name| matches!(name, Interface::PortChannel(_)));
        let there = channels.filter(|name| names.is_none_or(|names| names.contains(name))).collect();
        let missing = names.into_iter().flatten().filter(|name| !BTreeSet::contains(&there, name));
        Selected { missing: missing.cloned().collect(), there }
    }

    /// What is told. `claims` knows which sessions are of this user on this control node.
    pub fn facts(&self, selected: &Selected, claims: Option<&Claims>) -> Map<String, Value> {
        let [running, startup] = [&self.running, &self.startup].map(member::by_channel);
        let of = |members: &ByChannel, channel: &Interface| {
            members.get(channel).into_iter().flat_map(BTreeMap::keys).cloned().collect::<Vec<_>>()
        };
        let facts = |name: &Interface| self.channel(name, &of(&running, name), &of(&startup, name));
        let channels: BTreeMap<&Interface, ChannelFacts> =
            selected.there.iter().filter_map(|name| Some((name, facts(name)?))).collect();
        Map::from_iter([
            ("hostname".to_owned(), json!(self.running.hostname())),
            ("version".to_owned(), json!(self.version.release)),
            ("system_id".to_owned(), json!(self.version.system_id)),
            ("vlans".to_owned(), json!(self.running.vlans())),
            ("sessions".to_owned(), self.sessions(claims)),
            ("commit_timer".to_owned(), self.timer(claims, SystemTime::now())),
            ("missing".to_owned(), json!(selected.missing)),
            ("port_channels".to_owned(), json!(channels)),
        ])
    }

    fn sessions(&self, claims: Option<&Claims>) -> Value {
        let one = |name: &String| {
            let users = self.sessions.users.get(name).cloned().unwrap_or_default();
            json!({"name": name, "ours": is_ours(claims, name), "users": users})
        };
        self.sessions.pending.iter().map(one).collect()
    }

    /// `now` is the machine's clock; what it is compared with is the switch's.
    fn timer(&self, claims: Option<&Claims>, now: SystemTime) -> Value {
        let Some(timer) = &self.sessions.timer else { return Value::Null };
        let left = timer.expiry.and_then(|expiry| expiry.left(self.version.uptime));
        let at = left.map(|left| humantime::format_rfc3339_seconds(now + left).to_string());
        let left = left.as_ref().map(Duration::as_secs);
        json!({"session": timer.session, "ours": is_ours(claims, &timer.session), "seconds_left": left, "reverts_at": at})
    }

    /// With its members, and those that it has after the next reboot.
    fn channel(
        &self,
        name: &Interface,
        members: &[Interface],
        saved_members: &[Interface],
    ) -> Option<ChannelFacts> {
        let Port { description, switchport, aggregation, .. } = self.running.port(name)?;
        let aggregation = aggregation.unwrap_or_default();
        let carried_vlans = self.carried(&switchport);
        let Switchport { enabled, mode, access_vlan, native_vlan, trunk_vlans, trunk_groups: _ } = switchport;
        let link = self.links.get(name);
        let bundle = self.live.bundles.get(name).cloned().unwrap_or_default();
        let facts = |member: &Interface| Some((member.clone(), self.member(name, member)?));
        let members: BTreeMap<Interface, MemberFacts> = members.iter().filter_map(facts).collect();
        let is_saved = |name: &Interface| self.running.port(name) == self.startup.port(name);
        Some(ChannelFacts {
            description,
            mode: mode.word(enabled).to_owned(),
            access_vlan,
            native_vlan,
            trunk_vlans,
            carried_vlans,
            shutdown: self.is_shut_down(name),
            mtu: link.and_then(|link| link.mtu),
            min_links: aggregation.min_links,
            lacp_fallback: FallbackFacts {
                mode: aggregation.lacp_fallback,
                active: bundle.says_fallback()
                    || members.keys().any(|member| self.live.is_fallback(name, member)),
                state: bundle.fallback_state.clone(),
            },
            mlag: aggregation.mlag,
            saved: is_saved(name) && members.keys().chain(saved_members).all(is_saved),
            up: link.is_some_and(Link::is_up),
            bandwidth: link.and_then(|link| link.bandwidth),
            members,
            peer_members: bundle
                .peers
                .iter()
                .map(|(name, standing)| (name.clone(), standing.peer()))
                .collect(),
        })
    }

    fn member(&self, channel: &Interface, name: &Interface) -> Option<MemberFacts> {
        let port = self.running.port(name)?;
        let link = self.links.get(name);
        let (bundled, reason, cause) = match self.live.verdict(channel, name, link) {
            Verdict::Bundled => (true, None, None),
            Verdict::Out { reason, cause } => (false, reason, Some(cause.to_string())),
        };
        let negotiation = self.live.negotiations.get(name).cloned().unwrap_or_default();
        Some(MemberFacts {
            description: port.description,
            lacp_mode: port.membership?.lacp_mode,
            shutdown: self.is_shut_down(name),
            link: link.is_some_and(Link::is_up),
            bandwidth: link.and_then(|link| link.bandwidth),
            bundled,
            reason,
            cause,
            actor: negotiation.actor,
            partner: negotiation.partner,
        })
    }

    /// The VLANs whose frames pass: those that are let through and that the switch has. None where the mode is none of
    /// those that are known.
    fn carried(&self, switchport: &Switchport) -> Option<VlanSet> {
        let have = self.running.vlans();
        let of = |some: &VlanSet| have.without(&have.without(some));
        Some(match switchport.mode {
            _ if !switchport.enabled => VlanSet::default(),
            Mode::Trunk => of(&switchport.trunk_vlans),
            Mode::Access | Mode::Dot1qTunnel => of(&VlanSet::from_iter([switchport.access_vlan])),
            Mode::Other(_) => return None,
        })
    }

    /// As the switch says; of what it does not show, as its lines say.
    fn is_shut_down(&self, name: &Interface) -> bool {
        let seen = self.links.get(name).and_then(Link::is_shut_down);
        let said = || match self.running.port(name).and_then(|port| port.aggregation) {
            Some(aggregation) => aggregation.shutdown,
            None => self.running.is_shut_down(name),
        };
        seen.unwrap_or_else(said)
    }
}

fn is_ours(claims: Option<&Claims>, session: &str) -> bool {
    claims.is_some_and(|claims| claims.is_ours(session))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::Bundle;
    use crate::lacp::Negotiation;

    const RUNNING: &str = "hostname core\n!\nvlan 10,20\n!\n\
        interface Port-Channel10\n   description node1\n   switchport trunk native vlan tag\n   \
        switchport trunk allowed vlan 10,30\n   switchport mode trunk\n   port-channel min-links 2\n   \
        port-channel lacp fallback individual\n   mlag 7\n!\n\
        interface Port-Channel11\n   shutdown\n   no switchport\n!\n\
        interface Ethernet1/1\n   description left\n   channel-group 10 mode active\n!\n\
        interface Ethernet2/1\n   channel-group 10 mode passive\n!\n\
        interface Ethernet3/1\n   shutdown\n   channel-group 10 mode active\n!\n\
        interface Ethernet4/1\n   channel-group 11 mode on\n!\ninterface Ethernet5/1\n!\nend\n";

    fn seen(links: &Value, channels: &Value, lacp: &Value) -> Seen {
        Seen {
            version: Version::read(
                &json!({"version": "4.28.3M", "systemMacAddress": "00:1c:73:00:00:01", "uptime": 40.0}),
            ),
            running: Config::parse(RUNNING),
            // Two members came later, and a text.
            startup: Config::parse(&RUNNING.replace("channel-group 10", "description x")),
            sessions: Sessions::default(),
            links: Link::read_all(&json!({"interfaces": links})),
            live: Live {
                bundles: Bundle::read_all(&json!({"portChannels": channels})),
                negotiations: Negotiation::read_all(&json!({"portChannels": lacp})),
            },
        }
    }

    fn facts(seen: &Seen, names: Option<&[u32]>) -> Map<String, Value> {
        let names = names.map(|names| names.iter().copied().map(Interface::PortChannel).collect());
        seen.facts(&seen.selected(names.as_ref()), None)
    }

    #[test]
    fn configuration_and_what_is_seen_come_together() {
        let seen = seen(
            &json!({
                "Port-Channel10": {"interfaceStatus": "connected", "lineProtocolStatus": "up", "mtu": 9214,
                                   "bandwidth": 10_000_000_000_u64, "fallbackEnabledType": "fallbackIndividual"},
                "Port-Channel11": {"interfaceStatus": "disabled", "lineProtocolStatus": "lowerLayerDown", "mtu": 1500},
                "Ethernet1/1": {"interfaceStatus": "connected", "bandwidth": 10_000_000_000_u64},
                "Ethernet2/1": {"interfaceStatus": "notconnect"}, "Ethernet3/1": {"interfaceStatus": "disabled"},
            }),
            &json!({"Port-Channel10": {
                "fallbackState": "configured", "activePorts": {"Ethernet1/1": {}, "PeerEthernet2/1": {}},
                "inactivePorts": {"Ethernet2/1": {"reasonUnconfigured": "link down"},
                                  "PeerEthernet3/1": {"reasonUnconfigured": "waiting for LACP response"}},
            }}),
            &json!({"Port-Channel10": {"interfaces": {"Ethernet1/1": {
                "actorPortStatus": "bundled", "actorSystemId": "8000,00-1c-73-00-00-01", "actorOperKey": "0x000a",
                "actorPortId": 1, "actorPortPriority": 32768, "partnerSystemId": "8000,3c-ec-ef-00-00-02",
                "partnerOperKey": "0x0001", "partnerPortId": 2, "partnerPortState": {"activity": true},
            }}}}),
        );
        let mut told = facts(&seen, None);
        let mut channels = told.remove("port_channels").unwrap();
        assert_eq!(
            Value::Object(told),
            json!({"hostname": "core", "version": "4.28.3M", "system_id": "00:1c:73:00:00:01", "vlans": "1,10,20",
                   "sessions": [], "commit_timer": null, "missing": []})
        );
        let mut members = channels["Port-Channel10"].as_object_mut().unwrap().remove("members").unwrap();
        assert_eq!(
            channels["Port-Channel10"],
            json!({
                "description": "node1", "mode": "trunk", "access_vlan": 1, "native_vlan": "tag",
                "trunk_vlans": "10,30", "carried_vlans": "10", "shutdown": false, "mtu": 9214, "min_links": 2,
                "lacp_fallback": {"mode": "individual", "active": false, "state": "configured"}, "mlag": 7,
                "saved": false, "up": true, "bandwidth": 10_000_000_000_u64,
                "peer_members": {"PeerEthernet2/1": {"active": true, "reason": null},
                                 "PeerEthernet3/1": {"active": false, "reason": "waiting for LACP response"}},
            })
        );
        let actor = json!({"system_id": "00:1c:73:00:00:01", "key": 10, "port_id": 1, "port_priority": 32768, "state": []});
        let partner = json!({"system_id": "3c:ec:ef:00:00:02", "key": 1, "port_id": 2, "port_priority": null,
                             "state": ["activity"]});
        assert_eq!(
            members["Ethernet1/1"].take(),
            json!({"description": "left", "lacp_mode": "active", "shutdown": false, "link": true,
                   "bandwidth": 10_000_000_000_u64, "bundled": true, "reason": null, "cause": null,
                   "actor": actor, "partner": partner})
        );
        assert_eq!(
            members["Ethernet2/1"].take(),
            json!({"description": "", "lacp_mode": "passive", "shutdown": false, "link": false, "bandwidth": null,
                   "bundled": false, "reason": "link down", "cause": "it has no link", "actor": null, "partner": null})
        );
        let third = &members["Ethernet3/1"];
        assert_eq!((&third["reason"], &third["cause"]), (&json!("disabled"), &json!("it is shut down")));
        let routed = &channels["Port-Channel11"];
        assert_eq!((&routed["mode"], &routed["carried_vlans"]), (&json!("routed"), &json!("none")));
        assert_eq!((&routed["shutdown"], &routed["saved"]), (&json!(true), &json!(true)));
        assert_eq!(routed["lacp_fallback"], json!({"mode": "none", "active": false, "state": null}));
    }

    #[test]
    fn fallback_is_active_where_the_switch_says_so_or_a_member_carries_without_lacp() {
        let told = |state: &str, status: &str| {
            let bundle =
                json!({"Port-Channel10": {"fallbackState": state, "activePorts": {"Ethernet1/1": {}}}});
            let lacp =
                json!({"Port-Channel10": {"interfaces": {"Ethernet1/1": {"actorPortStatus": status}}}});
            let facts = facts(&seen(&json!({}), &bundle, &lacp), Some(&[10]));
            facts["port_channels"]["Port-Channel10"]["lacp_fallback"]["active"].clone()
        };
        assert_eq!(told("configured", "bundled"), false);
        assert_eq!(told("configured", "noAgg"), true);
        assert_eq!(told("Enabled", "bundled"), true);
    }

    #[test]
    fn only_what_is_asked_for_is_told_and_what_is_not_there_is_named() {
        let nothing = seen(&json!({}), &json!({}), &json!({}));
        let told = |numbers: &[u32]| {
            let facts = facts(&nothing, Some(numbers));
            let there: Vec<String> = facts["port_channels"].as_object().unwrap().keys().cloned().collect();
            (there, facts["missing"].clone())
        };
        assert_eq!(told(&[11, 1001]), (vec!["Port-Channel11".to_owned()], json!(["Port-Channel1001"])));
        assert_eq!(told(&[]), (vec![], json!([])));
    }

    #[test]
    fn sessions_are_told_with_who_is_in_them_and_a_timer_with_when_it_ends() {
        let mut seen = seen(&json!({}), &json!({}), &json!({}));
        seen.sessions = Sessions::parse(
            r#"{"commitTimerSessionName": "night", "commitTimerExpireTime": 100.0, "sessions": {
                "night": {"state": "committed"}, "noon": {"state": "pending", "instances": {"7": {"user": "ann"}}}}}"#,
        )
        .unwrap();
        assert_eq!(
            facts(&seen, None)["sessions"],
            json!([{"name": "noon", "ours": false, "users": ["ann"]}])
        );
        let timer = seen.timer(None, SystemTime::UNIX_EPOCH);
        let expected = json!({"session": "night", "ours": false, "seconds_left": 60, "reverts_at": "1970-01-01T00:01:00Z"});
        assert_eq!(timer, expected);
        seen.version.uptime = None;
        assert_eq!(seen.timer(None, SystemTime::UNIX_EPOCH)["reverts_at"], Value::Null);
    }

    #[test]
    fn what_is_not_shown_is_taken_from_the_lines() {
        let seen = seen(&json!({}), &json!({}), &json!({}));
        let is_shut_down = |name: &str| seen.is_shut_down(&Interface::from_config(name).unwrap());
        assert!(is_shut_down("Port-Channel11") && is_shut_down("Ethernet3/1"));
        assert!(!is_shut_down("Port-Channel10") && !is_shut_down("Ethernet6/1"));
    }
}
