//! `eos_port_channel_info`: what Port-Channels and their members are set to, and how they are. Reads the switch and
//! never configures it, so it takes no lock.

use std::collections::{BTreeMap, BTreeSet};

use ansible_module::context::Context;
use ansible_module::fault::{Fault, Step};
use ansible_module::outcome::{Ended, Failure, Report};
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use vlan::{Native, VlanSet};

use crate::access::Access;
use crate::bundle::Standing;
use crate::config::Config;
use crate::dialog::{Dialog, Error};
use crate::lacp::{End, Negotiation};
use crate::link::Link;
use crate::login::{Login, Secret};
use crate::membership::LacpMode;
use crate::names::Interface;
use crate::port::Port;
use crate::reach::Reach;
use crate::specs;
use crate::switchport::Switchport;
use crate::version::Version;

/// The module.
pub struct PortChannelInfo;

impl Module for PortChannelInfo {
    const SPEC: &'static ArgumentSpec = &specs::port_channel_info::SPEC;
    type Params = Params;

    fn run(params: Params, _: &Context) -> Ended {
        let (names, login, enable_password) =
            params.meant().map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
        let mut reach = Reach::new(login, enable_password);
        let seen = reach.with(Seen::read).map_err(|error| Failure::untouched(Step::Read, error.into()))?;
        Ok(Report::facts(seen.facts(names.as_ref()), reach.notices().to_vec()))
    }
}

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(
    missing_docs,
    reason = "documented in library/eos_port_channel_info.yml, which decides what they are"
)]
pub struct Params {
    pub names: Option<Vec<String>>,
    #[serde(flatten)]
    pub access: Access,
}

/// Which Port-Channels are asked for; all of them where there is none.
type Names = Option<BTreeSet<Interface>>;

impl Params {
    fn meant(self) -> Result<(Names, Login, Option<Secret>), Fault> {
        let Self { names, access } = self;
        let parse = |names: Vec<String>| -> Result<_, Fault> {
            names.iter().map(|name| Interface::port_channel("names", name)).collect()
        };
        let names = names.map(parse).transpose()?;
        let (login, enable_password) = access.login()?;
        Ok((names, login, enable_password))
    }
}

/// What was read of the switch.
struct Seen {
    version: Version,
    running: Config,
    links: BTreeMap<Interface, Link>,
    standings: BTreeMap<Interface, Standing>,
    negotiations: BTreeMap<Interface, Negotiation>,
}

/// A Port-Channel.
#[derive(Debug, PartialEq, Serialize)]
struct ChannelFacts {
    description: String,
    mode: String,
    access_vlan: u16,
    native_vlan: Native,
    trunk_vlans: VlanSet,
    shutdown: bool,
    mtu: Option<u64>,
    up: bool,
    members: BTreeMap<Interface, MemberFacts>,
}

/// A member.
#[derive(Debug, PartialEq, Serialize)]
struct MemberFacts {
    description: String,
    lacp_mode: LacpMode,
    shutdown: bool,
    link: bool,
    bundled: bool,
    reason: Option<String>,
    actor: Option<End>,
    partner: Option<End>,
}

impl Seen {
    fn read(dialog: &mut Dialog) -> Result<Self, Error> {
        Ok(Self {
            version: dialog.version()?,
            running: Config::parse(&dialog.running()?),
            links: dialog.links()?,
            standings: dialog.standings()?,
            negotiations: dialog.negotiations()?,
        })
    }

    fn facts(&self, names: Option<&BTreeSet<Interface>>) -> Map<String, Value> {
        let channels: BTreeMap<Interface, ChannelFacts> = self
            .running
            .interfaces()
            .filter(|(name, _)| matches!(name, Interface::PortChannel(_)))
            .filter(|(name, _)| names.is_none_or(|names| names.contains(name)))
            .filter_map(|(name, _)| Some((name.clone(), self.channel(name)?)))
            .collect();
        Map::from_iter([
            ("hostname".to_owned(), json!(self.running.hostname())),
            ("version".to_owned(), json!(self.version.release)),
            ("system_id".to_owned(), json!(self.version.system_id)),
            ("vlans".to_owned(), json!(self.running.vlans())),
            ("port_channels".to_owned(), json!(channels)),
        ])
    }

    fn channel(&self, name: &Interface) -> Option<ChannelFacts> {
        let Port { description, switchport, .. } = self.running.port(name)?;
        let Switchport { enabled, mode, access_vlan, native_vlan, trunk_vlans, trunk_groups: _ } = switchport;
        let link = self.links.get(name);
        let members = self.running.interfaces().filter_map(|(member, _)| {
            let port = self.running.port(member)?;
            let membership = port.membership.filter(|membership| membership.channel() == *name)?;
            Some((member.clone(), self.member(member, port.description, membership.lacp_mode)))
        });
        Some(ChannelFacts {
            description,
            mode: mode.word(enabled).to_owned(),
            access_vlan,
            native_vlan,
            trunk_vlans,
            shutdown: self.is_shut_down(name),
            mtu: link.and_then(|link| link.mtu),
            up: link.is_some_and(Link::is_up),
            members: members.collect(),
        })
    }

    fn member(&self, name: &Interface, description: String, lacp_mode: LacpMode) -> MemberFacts {
        let (link, standing) = (self.links.get(name), self.standings.get(name));
        let negotiation = self.negotiations.get(name).cloned().unwrap_or_default();
        let is_listed = standing.map(|standing| *standing == Standing::Active);
        // A fallback makes a member active that LACP did not bundle, `min-links` the other way round.
        let bundled = is_listed != Some(false) && negotiation.is_bundled().or(is_listed).unwrap_or(false);
        let reason = || {
            let said = match standing {
                Some(Standing::Inactive(reason)) => reason.as_deref(),
                _ => None,
            };
            let status = negotiation.status.as_deref().filter(|_| negotiation.is_bundled() == Some(false));
            said.or(status).or_else(|| link?.fault()).map(str::to_owned)
        };
        MemberFacts {
            description,
            lacp_mode,
            shutdown: self.is_shut_down(name),
            link: link.is_some_and(Link::is_up),
            bundled,
            reason: if bundled { None } else { reason() },
            actor: negotiation.actor,
            partner: negotiation.partner,
        }
    }

    /// As the switch says; of what it does not show, as its lines say.
    fn is_shut_down(&self, name: &Interface) -> bool {
        let has_line = || {
            let block = self.running.interface(name);
            block.is_some_and(|block| block.lines.iter().any(|line| line == "shutdown"))
        };
        self.links.get(name).and_then(Link::is_shut_down).unwrap_or_else(has_line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUNNING: &str = "hostname core\n!\nvlan 10,20\n!\n\
        interface Port-Channel10\n   description node1\n   switchport trunk native vlan tag\n   \
        switchport trunk allowed vlan 10,20\n   switchport mode trunk\n!\n\
        interface Port-Channel11\n   shutdown\n   no switchport\n!\n\
        interface Ethernet1/1\n   description left\n   channel-group 10 mode active\n!\n\
        interface Ethernet2/1\n   channel-group 10 mode passive\n!\n\
        interface Ethernet3/1\n   shutdown\n   channel-group 10 mode active\n!\n\
        interface Ethernet4/1\n   channel-group 11 mode on\n!\ninterface Ethernet5/1\n!\nend\n";

    fn seen(links: &Value, channels: &Value, lacp: &Value) -> Seen {
        Seen {
            version: Version::read(&json!({"version": "4.28.3M", "systemMacAddress": "00:1c:73:00:00:01"})),
            running: Config::parse(RUNNING),
            links: Link::read_all(&json!({"interfaces": links})),
            standings: Standing::read_all(&json!({"portChannels": channels})),
            negotiations: Negotiation::read_all(&json!({"portChannels": lacp})),
        }
    }

    /// What is told of Ethernet1/1 that EOS lists like this, and of which LACP says that.
    fn verdict(listed: &str, port: &Value, status: Option<&str>) -> (bool, Option<String>) {
        let seen = seen(
            &json!({"Ethernet1/1": {"interfaceStatus": "errdisabled"}}),
            &json!({"Port-Channel10": {listed: {"Ethernet1/1": port}}}),
            &json!({"Port-Channel10": {"interfaces": {"Ethernet1/1": {"actorPortStatus": status}}}}),
        );
        let name = Interface::from_config("Ethernet1/1").unwrap();
        let MemberFacts { bundled, reason, .. } = seen.member(&name, String::new(), LacpMode::Active);
        (bundled, reason)
    }

    #[test]
    fn configuration_and_what_is_seen_come_together() {
        let seen = seen(
            &json!({
                "Port-Channel10": {"interfaceStatus": "connected", "lineProtocolStatus": "up", "mtu": 9214},
                "Port-Channel11": {"interfaceStatus": "disabled", "lineProtocolStatus": "lowerLayerDown", "mtu": 1500},
                "Ethernet1/1": {"interfaceStatus": "connected"}, "Ethernet2/1": {"interfaceStatus": "notconnect"},
                "Ethernet3/1": {"interfaceStatus": "disabled"},
            }),
            &json!({"Port-Channel10": {
                "activePorts": {"Ethernet1/1": {}, "PeerEthernet2/1": {}},
                "inactivePorts": {"Ethernet2/1": {"reasonUnconfigured": "link down"}},
            }}),
            &json!({"Port-Channel10": {"interfaces": {"Ethernet1/1": {
                "actorPortStatus": "bundled", "actorSystemId": "8000,00-1c-73-00-00-01", "actorOperKey": "0x000a",
                "actorPortId": 1, "partnerSystemId": "8000,3c-ec-ef-00-00-02", "partnerOperKey": "0x0001",
                "partnerPortId": 2, "partnerPortState": {"activity": true},
            }}}}),
        );
        let actor = json!({"system_id": "00:1c:73:00:00:01", "key": 10, "port_id": 1, "state": []});
        let partner =
            json!({"system_id": "3c:ec:ef:00:00:02", "key": 1, "port_id": 2, "state": ["activity"]});
        let expected = json!({
            "hostname": "core", "version": "4.28.3M", "system_id": "00:1c:73:00:00:01", "vlans": "1,10,20",
            "port_channels": {
                "Port-Channel10": {
                    "description": "node1", "mode": "trunk", "access_vlan": 1, "native_vlan": "tag",
                    "trunk_vlans": "10,20", "shutdown": false, "mtu": 9214, "up": true,
                    "members": {
                        "Ethernet1/1": {
                            "description": "left", "lacp_mode": "active", "shutdown": false, "link": true,
                            "bundled": true, "reason": null, "actor": actor, "partner": partner,
                        },
                        "Ethernet2/1": {
                            "description": "", "lacp_mode": "passive", "shutdown": false, "link": false,
                            "bundled": false, "reason": "link down", "actor": null, "partner": null,
                        },
                        "Ethernet3/1": {
                            "description": "", "lacp_mode": "active", "shutdown": true, "link": false,
                            "bundled": false, "reason": "disabled", "actor": null, "partner": null,
                        },
                    },
                },
                "Port-Channel11": {
                    "description": "", "mode": "routed", "access_vlan": 1, "native_vlan": "1", "trunk_vlans": "all",
                    "shutdown": true, "mtu": 1500, "up": false,
                    "members": {"Ethernet4/1": {
                        "description": "", "lacp_mode": "on", "shutdown": false, "link": false, "bundled": false,
                        "reason": null, "actor": null, "partner": null,
                    }},
                },
            },
        });
        assert_eq!(Value::Object(seen.facts(None)), expected);
    }

    #[test]
    fn only_what_is_asked_for_is_told() {
        let nothing = seen(&json!({}), &json!({}), &json!({}));
        let named = |numbers: &[u32]| {
            let names = numbers.iter().map(|number| Interface::PortChannel(*number)).collect();
            let facts = nothing.facts(Some(&names));
            facts["port_channels"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(named(&[11, 1001]), ["Port-Channel11"]);
        assert!(named(&[]).is_empty());
    }

    #[test]
    fn a_member_is_bundled_where_nothing_speaks_against_it_and_otherwise_there_is_a_reason() {
        let because = |reason: &str| (false, Some(reason.to_owned()));
        let waiting = json!({"reasonUnconfigured": "waiting for LACP response"});
        assert_eq!(verdict("activePorts", &json!({}), Some("bundled")), (true, None));
        assert_eq!(verdict("activePorts", &json!({}), None), (true, None));
        assert_eq!(verdict("rxPorts", &json!({}), Some("bundled")), (true, None));
        // LACP fallback, and `port-channel min-links`.
        assert_eq!(verdict("activePorts", &json!({}), Some("noAgg")), because("noAgg"));
        let too_few = json!({"reasonUnconfigured": "minimum links not met"});
        assert_eq!(verdict("inactivePorts", &too_few, Some("bundled")), because("minimum links not met"));
        assert_eq!(verdict("inactivePorts", &waiting, Some("noAgg")), because("waiting for LACP response"));
        assert_eq!(verdict("inactivePorts", &json!({}), Some("negotiation")), because("negotiation"));
        assert_eq!(verdict("inactivePorts", &json!({}), Some("bundled")), because("errdisabled"));
        assert_eq!(verdict("rxPorts", &json!({}), None), because("errdisabled"));
    }

    #[test]
    fn what_is_not_shown_is_taken_from_the_lines() {
        let seen = seen(&json!({}), &json!({}), &json!({}));
        let is_shut_down = |name: &str| seen.is_shut_down(&Interface::from_config(name).unwrap());
        assert!(is_shut_down("Port-Channel11") && is_shut_down("Ethernet3/1"));
        assert!(!is_shut_down("Port-Channel10") && !is_shut_down("Ethernet6/1"));
    }
}
