//! Whether members of Port-Channels are bundled, and if not why: what the switch says of the bundle and of LACP, put
//! together, in its words and in ours. How that is read is `dialog.rs`'s, who waits for it `lacp_wait.rs`'s.

use std::collections::BTreeMap;
use std::fmt;

use crate::bundle::{Bundle, Standing};
use crate::lacp::{AGGREGATION, End, Negotiation, SYNCHRONIZATION};
use crate::link::Link;
use crate::names::Interface;

/// What is seen of Port-Channels and their members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Live {
    /// By Port-Channel.
    pub bundles: BTreeMap<Interface, Bundle>,
    /// By member, of those that speak LACP.
    pub negotiations: BTreeMap<Interface, Negotiation>,
}

/// Whether a Port-Channel uses a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// By LACP, where it speaks that.
    Bundled,
    /// Not, or by a fallback alone.
    Out {
        /// Why, in the words of EOS, where it has any.
        reason: Option<String>,
        /// The same in ours.
        cause: Cause,
    },
}

/// Why a member is not bundled. Shown as the rest of a sentence about the member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Somebody shut it down.
    ShutDown,
    /// Somebody shut its Port-Channel down.
    ChannelShutDown,
    /// The switch shut it down.
    ErrorDisabled,
    /// It has no carrier.
    NoLink,
    /// Too few others are there: `port-channel min-links`.
    TooFew,
    /// It carries traffic, and LACP has no part in that.
    Fallback,
    /// Nobody speaks LACP to it.
    Silence,
    /// Somebody else is at its other end than at that of the members that are bundled.
    Stranger {
        /// Whom it hears.
        heard: String,
        /// Whom the others hear.
        others: String,
    },
    /// Its partner takes it for a port of its own.
    Individual,
    /// Its partner does not want it in the bundle, or not yet.
    Unwanted {
        /// Whom it hears, where the release tells.
        heard: Option<String>,
    },
    /// The switch does not want it in the bundle, or not yet, for whatever reason it gives.
    LeftOut,
}

impl Live {
    /// Whether `channel` uses `member`. `link` is what is known of its cable.
    pub fn verdict(&self, channel: &Interface, member: &Interface, link: Option<&Link>) -> Verdict {
        let standing = self.bundles.get(channel).and_then(|bundle| bundle.members.get(member));
        let negotiation = self.negotiations.get(member);
        let is_negotiated = negotiation.and_then(Negotiation::is_bundled);
        let is_listed = standing.map(|standing| *standing == Standing::Active);
        // A fallback makes a member active that LACP did not bundle, `min-links` the other way round.
        if is_listed != Some(false) && is_negotiated.or(is_listed) == Some(true) {
            return Verdict::Bundled;
        }
        let said = match standing {
            Some(Standing::Inactive(reason)) => reason.as_deref(),
            _ => None,
        };
        let status = negotiation.and_then(|negotiation| negotiation.status.as_deref());
        let status = status.filter(|_| is_negotiated == Some(false));
        let reason = said.or(status).or_else(|| link?.fault()).map(str::to_owned);
        let cause = match (is_listed, &reason) {
            (Some(true), _) => Cause::Fallback,
            (_, reason) => self.cause(channel, member, reason.as_deref(), link),
        };
        Verdict::Out { reason, cause }
    }

    /// Whether `member` carries traffic of `channel` by fallback alone.
    pub fn is_fallback(&self, channel: &Interface, member: &Interface) -> bool {
        matches!(self.verdict(channel, member, None), Verdict::Out { cause: Cause::Fallback, .. })
    }

    fn cause(
        &self,
        channel: &Interface,
        member: &Interface,
        reason: Option<&str>,
        link: Option<&Link>,
    ) -> Cause {
        let reason = reason.unwrap_or_default().to_ascii_lowercase();
        let fault = link.and_then(Link::fault).unwrap_or_default();
        let negotiation = self.negotiations.get(member);
        let partner = negotiation.and_then(|negotiation| negotiation.partner.as_ref());
        let others = self.partner_of_others(channel, member).and_then(|end| end.system_id.as_ref());
        let heard = partner.and_then(|end| end.system_id.as_ref());
        match (heard.zip(others), partner) {
            _ if link.and_then(Link::is_shut_down) == Some(true) => Cause::ShutDown,
            _ if fault == "errdisabled" || reason.contains("err") && reason.contains("disabled") => {
                Cause::ErrorDisabled
            }
            _ if reason.contains("link down") || !fault.is_empty() => Cause::NoLink,
            _ if reason.contains("min") && reason.contains("link") => Cause::TooFew,
            (Some((heard, others)), _) if heard != others => {
                Cause::Stranger { heard: heard.clone(), others: others.clone() }
            }
            (_, Some(partner)) if partner.says_not(AGGREGATION) => Cause::Individual,
            (_, Some(partner)) if partner.says_not(SYNCHRONIZATION) => {
                Cause::Unwanted { heard: heard.cloned() }
            }
            (_, None) if negotiation.is_some() || reason.contains("lacp") => Cause::Silence,
            _ => Cause::LeftOut,
        }
    }

    /// Whom a member of `channel` that is bundled hears.
    fn partner_of_others(&self, channel: &Interface, member: &Interface) -> Option<&End> {
        let others = self.bundles.get(channel)?.members.keys().filter(|other| *other != member);
        let negotiations = others.filter_map(|other| self.negotiations.get(other));
        negotiations.filter(|other| other.is_bundled() == Some(true)).find_map(|other| other.partner.as_ref())
    }
}

impl Cause {
    /// What helps.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::ShutDown | Self::ChannelShutDown => {
                "`no shutdown` on it, once it is known who shut it down and why"
            }
            Self::ErrorDisabled => "`show interfaces status errdisabled` tells why",
            Self::NoLink => "is the cable in at both ends, and the port at its other end up?",
            Self::TooFew => "mend the other members, or ask for fewer with `port-channel min-links`",
            Self::Fallback | Self::Silence => {
                "is the port at its other end in a bond that speaks LACP, and one of the two ends active?"
            }
            Self::Stranger { .. } => {
                "all of its cables have to lead to one system: is one in the wrong port?"
            }
            Self::Individual | Self::Unwanted { .. } => {
                "is the port at its other end in one bond with those of the other members?"
            }
            Self::LeftOut => "`show port-channel detailed` and `show lacp peer` tell more",
        }
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ShutDown => f.write_str("it is shut down"),
            Self::ChannelShutDown => f.write_str("its Port-Channel is shut down"),
            Self::ErrorDisabled => f.write_str("the switch disabled it for an error"),
            Self::NoLink => f.write_str("it has no link"),
            Self::TooFew => f.write_str("too few members are up"),
            Self::Fallback => f.write_str("it carries traffic by fallback alone, without LACP"),
            Self::Silence => f.write_str("nobody answers it in LACP"),
            Self::Stranger { heard, others } => {
                write!(f, "its partner is {heard}, and that of the others {others}")
            }
            Self::Individual => f.write_str("its partner takes it for a port of its own"),
            Self::Unwanted { heard: Some(heard) } => write!(f, "its partner {heard} does not agree"),
            Self::Unwanted { heard: None } => f.write_str("its partner does not agree"),
            Self::LeftOut => f.write_str("the switch leaves it out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const CHANNEL: Interface = Interface::PortChannel(10);

    fn name(text: &str) -> Interface {
        Interface::from_config(text).unwrap()
    }

    fn live(bundle: &Value, lacp: &Value) -> Live {
        Live {
            bundles: Bundle::read_all(&json!({"portChannels": {"Port-Channel10": bundle}})),
            negotiations: Negotiation::read_all(
                &json!({"portChannels": {"Port-Channel10": {"interfaces": lacp}}}),
            ),
        }
    }

    /// The verdict of Ethernet1/1, which EOS lists like this, and of which LACP and the cable say that.
    fn verdict(listed: &str, reason: Option<&str>, lacp: Option<&Value>, status: Option<&str>) -> Verdict {
        let lacp = lacp.map_or_else(|| json!({}), |lacp| json!({"Ethernet1/1": lacp}));
        let live = live(&json!({listed: {"Ethernet1/1": {"reasonUnconfigured": reason}}}), &lacp);
        let links = Link::read_all(&json!({"interfaces": {"Ethernet1/1": {"interfaceStatus": status}}}));
        live.verdict(&CHANNEL, &name("Ethernet1/1"), links.values().next().filter(|_| status.is_some()))
    }

    fn out(reason: &str, cause: Cause) -> Verdict {
        Verdict::Out { reason: Some(reason.to_owned()), cause }
    }

    #[test]
    fn a_member_is_bundled_where_nothing_speaks_against_it() {
        let bundled = json!({"actorPortStatus": "bundled"});
        assert_eq!(verdict("activePorts", None, Some(&bundled), None), Verdict::Bundled);
        // Without LACP, and where a release does not list it.
        assert_eq!(verdict("activePorts", None, None, Some("connected")), Verdict::Bundled);
        assert_eq!(verdict("rxPorts", None, Some(&bundled), None), Verdict::Bundled);
    }

    #[test]
    fn one_that_is_not_has_a_reason_of_the_switch_and_a_cause_of_ours() {
        let status = |status: &str| json!({"actorPortStatus": status});
        let waiting = Some("waiting for LACP response");
        assert_eq!(
            verdict("inactivePorts", waiting, Some(&status("noAgg")), None),
            out("waiting for LACP response", Cause::Silence)
        );
        assert_eq!(
            verdict("inactivePorts", waiting, None, None),
            out("waiting for LACP response", Cause::Silence)
        );
        assert_eq!(verdict("activePorts", None, Some(&status("noAgg")), None), out("noAgg", Cause::Fallback));
        assert_eq!(
            verdict("inactivePorts", Some("minimum links not met"), Some(&status("bundled")), None),
            out("minimum links not met", Cause::TooFew)
        );
        assert_eq!(
            verdict("inactivePorts", Some("Link Down"), Some(&status("down")), None),
            out("Link Down", Cause::NoLink)
        );
        assert_eq!(verdict("rxPorts", None, None, Some("notconnect")), out("notconnect", Cause::NoLink));
        assert_eq!(
            verdict("rxPorts", None, None, Some("errdisabled")),
            out("errdisabled", Cause::ErrorDisabled)
        );
        assert_eq!(
            verdict("inactivePorts", None, Some(&status("bundled")), Some("disabled")),
            out("disabled", Cause::ShutDown)
        );
        let nothing = Verdict::Out { reason: None, cause: Cause::LeftOut };
        assert_eq!(verdict("inactivePorts", None, None, None), nothing);
        assert_eq!(verdict("rxPorts", None, None, None), nothing);
        let agreed = json!({"actorPortStatus": "negotiation", "partnerPortState": {"aggregation": true, "synchronization": true}});
        assert_eq!(verdict("inactivePorts", None, Some(&agreed), None), out("negotiation", Cause::LeftOut));
    }

    #[test]
    fn a_release_that_tells_states_alone_is_judged_by_them() {
        // As `show lacp interface detailed` has it: no system, no port, no key.
        let shown = |synchronization: bool| {
            json!({"actorPortStatus": "negotiation", "actorPortState": {"activity": true, "synchronization": true},
                   "partnerPortState": {"aggregation": true, "defaulted": false, "synchronization": synchronization},
                   "details": {"partnerChurnState": "churnMonitor"}})
        };
        assert_eq!(
            verdict("inactivePorts", None, Some(&shown(false)), None),
            out("negotiation", Cause::Unwanted { heard: None })
        );
        assert_eq!(
            verdict("inactivePorts", None, Some(&shown(true)), None),
            out("negotiation", Cause::LeftOut)
        );
        let alone = json!({"actorPortStatus": "noAgg", "partnerPortState": {"activity": true}});
        assert_eq!(verdict("inactivePorts", None, Some(&alone), None), out("noAgg", Cause::Individual));
        // Nothing is concluded from what is not told.
        let untold = json!({"actorPortStatus": "noAgg", "partnerSystemId": "8000,3c-ec-ef-00-00-02"});
        assert_eq!(verdict("inactivePorts", None, Some(&untold), None), out("noAgg", Cause::LeftOut));
        let silent = json!({"actorPortStatus": "noAgg", "partnerPortState": {"defaulted": true}});
        assert_eq!(verdict("inactivePorts", None, Some(&silent), None), out("noAgg", Cause::Silence));
    }

    #[test]
    fn a_partner_that_does_not_agree_and_one_that_is_not_that_of_the_others_are_told_apart() {
        let heard = |system: &str, status: &str| {
            json!({"actorPortStatus": status, "partnerSystemId": format!("8000,{system}"),
                   "partnerPortState": {"aggregation": true, "synchronization": status == "bundled"}})
        };
        let ours = "3c-ec-ef-00-00-01";
        let judge = |system: &str| {
            let lacp =
                json!({"Ethernet1/1": heard(system, "negotiation"), "Ethernet2/1": heard(ours, "bundled")});
            let bundle = json!({"activePorts": {"Ethernet2/1": {}}, "inactivePorts": {"Ethernet1/1": {}}});
            live(&bundle, &lacp).verdict(&CHANNEL, &name("Ethernet1/1"), None)
        };
        let agree = Cause::Unwanted { heard: Some("3c:ec:ef:00:00:01".to_owned()) };
        assert_eq!(judge(ours), out("negotiation", agree));
        let (heard, others) = ("3c:ec:ef:00:00:02".to_owned(), "3c:ec:ef:00:00:01".to_owned());
        assert_eq!(judge("3c-ec-ef-00-00-02"), out("negotiation", Cause::Stranger { heard, others }));
    }
}
