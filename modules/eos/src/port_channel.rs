//! `eos_port_channel`: its arguments, and what the Port-Channels that they declare make of a switch together. No I/O.
//! A single one is `channel.rs`'s.

use std::collections::BTreeMap;

use ansible_module::context::Context;
use ansible_module::converge::Target;
use ansible_module::fault::Fault;
use ansible_module::outcome::Ended;
use ansible_module::presence::Presence;
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;
use vlan::VlanSet;

use crate::access::Access;
use crate::channel::{self, Channel};
use crate::config::Config;
use crate::member::{self, Member, Members};
use crate::names::Interface;
use crate::picture::{Picture, SaveWhen};
use crate::state::State;
use crate::switch::{self, Aim, Manner};
use crate::{discard, rules, specs, window};

/// The module.
pub struct PortChannel;

impl Module for PortChannel {
    const SPEC: &'static ArgumentSpec = &specs::port_channel::SPEC;
    type Params = Params;

    fn run(params: Params, context: &Context) -> Ended {
        if matches!(params.state, GivenState::Discarded) {
            let meant = || discard::meant(params);
            return switch::converge(Self::SPEC.module, context, meant, |(), picture| {
                Ok(discard::target(picture))
            });
        }
        switch::converge(
            Self::SPEC.module,
            context,
            || Desired::new(params),
            |desired, picture| desired.target(picture, context.check_mode),
        )
    }
}

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/eos_port_channel.yml, which decides what they are")]
pub struct Params {
    /// Several; otherwise `name` and its like stand beside it.
    pub config: Option<Vec<channel::Params>>,
    pub state: GivenState,
    pub save_when: SaveWhen,
    pub confirm: Aim,
    pub confirm_within: i64,
    pub check_on_box: bool,
    pub lock_timeout: i64,
    pub wait_for_lacp: i64,
    #[serde(flatten)]
    pub access: Access,
    #[serde(flatten)]
    pub single: Option<channel::Params>,
}

/// `state` as given.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GivenState {
    /// Nothing of ours waits to be confirmed.
    Discarded,
    /// The only Port-Channel is there, or is not.
    #[serde(untagged)]
    Of(Presence),
}

/// The arguments as meant: Port-Channels that do not contradict each other.
#[derive(Debug)]
pub struct Desired {
    channels: Vec<Channel>,
}

impl Desired {
    /// Checks the arguments; the switch is not looked at.
    pub fn new(params: Params) -> Result<(Self, Manner), Fault> {
        let Params {
            config,
            single,
            state,
            save_when,
            confirm,
            confirm_within,
            check_on_box,
            lock_timeout,
            wait_for_lacp,
            access,
        } = params;
        let single = single.map(|single| match state {
            GivenState::Of(state) => channel::Params { state, ..single },
            GivenState::Discarded => single,
        });
        let given = config.unwrap_or_else(|| single.into_iter().collect());
        let channels = given.into_iter().map(Channel::new).collect::<Result<Vec<_>, _>>()?;
        are_compatible(&channels)?;
        let confirm_within = match confirm_within {
            0 => None,
            time => Some(rules::seconds("confirm_within", time, window::SHORTEST)?),
        };
        if confirm == Aim::Provisional && confirm_within.is_none() {
            return Err(Fault::new(
                "invalid_combination",
                "`confirm: later`: with `confirm_within: 0` the switch waits for no confirmation; hint: give \
                 `confirm_within` the seconds that the confirming run may take to come, or `confirm: now`",
            ));
        }
        let lock_timeout = rules::seconds("lock_timeout", lock_timeout, 0)?;
        let wait_for_lacp = rules::seconds("wait_for_lacp", wait_for_lacp, 0)?;
        window::has_room(confirm_within, wait_for_lacp)?;
        if !wait_for_lacp.is_zero() {
            channels.iter().try_for_each(Channel::may_come_up)?;
        }
        let (login, enable_password) = access.login()?;
        let manner = Manner {
            aim: confirm,
            channels: channels.iter().map(|channel| channel.name.to_string()).collect(),
            confirm_within,
            check_on_box,
            lock_timeout,
            wait_for_lacp,
            // What may be undone is not saved.
            save_when: if confirm == Aim::Provisional { SaveWhen::Never } else { save_when },
            login,
            enable_password,
        };
        Ok((Self { channels }, manner))
    }

    /// What the switch looks like when the Port-Channels are as declared.
    pub fn target(&self, picture: &Picture, check_mode: bool) -> Result<Target<State>, Fault> {
        let running = &picture.running;
        let mut found = member::by_channel(running);
        let takers = self.takers();
        let mut warnings = Vec::new();
        let mut after = State::default();
        for channel in self.channels.iter().filter(|channel| channel.create_vlans) {
            after.declared_vlans.extend(channel.vlans().iter());
        }
        after.vlans.clone_from(&after.declared_vlans);
        for channel in &self.channels {
            warnings.extend(vlans_exist(channel, &after.vlans, running, check_mode)?);
            let mut found = found.remove(&channel.name).unwrap_or_default();
            found.retain(|member, _| takers.get(member).is_none_or(|taker| **taker == channel.name));
            let is_let_go =
                |other: &Interface, member: &Interface| channel.move_members || self.lets_go(other, member);
            let members = Members { channel: &channel.name, found, running, is_let_go: &is_let_go };
            let (ports, doubts) = channel.planned(members, running)?;
            after.interfaces.extend(ports);
            warnings.extend(doubts);
        }
        mlags_are_unique(&after, running)?;
        self.look_after_those_who_left(picture, &mut after);
        warnings.extend(picture.plan_saving(&mut after));
        Ok(Target { also_affected: Self::bereaved(&after, running), after, warnings })
    }

    /// Interfaces that are members in the startup-config alone: that they left was not saved.
    fn look_after_those_who_left(&self, picture: &Picture, after: &mut State) {
        let saved = member::by_channel(&picture.startup);
        let decided = |channel: &&Channel| channel.members.is_some() || channel.state == Presence::Absent;
        let members = self.channels.iter().filter(decided).filter_map(|channel| saved.get(&channel.name));
        for name in members.flat_map(BTreeMap::keys) {
            if let Some(port) = picture.running.port(name) {
                after.interfaces.entry(name.clone()).or_insert(Some(port));
            }
        }
    }

    /// Whether the task takes `member` out of `channel`.
    fn lets_go(&self, channel: &Interface, member: &Interface) -> bool {
        let is_without = |members: &Vec<Member>| members.iter().all(|listed| listed.name != *member);
        self.channels
            .iter()
            .filter(|other| other.name == *channel)
            .any(|other| other.state == Presence::Absent || other.members.as_ref().is_some_and(is_without))
    }

    /// The Port-Channel that each declared member is to be in.
    fn takers(&self) -> BTreeMap<&Interface, &Interface> {
        let mut takers = BTreeMap::new();
        for channel in &self.channels {
            takers.extend(channel.members.iter().flatten().map(|member| (&member.name, &channel.name)));
        }
        takers
    }

    /// Port-Channels that are not of the task and lose members to it.
    fn bereaved(after: &State, running: &Config) -> Vec<String> {
        let moved = after.interfaces.iter().filter_map(|(name, port)| {
            let from = running.port(name)?.membership?.channel();
            let to = port.as_ref()?.membership.as_ref()?.channel();
            let is_others = from != to && !after.interfaces.contains_key(&from);
            is_others.then(|| format!("{from} loses its member {name} to {to}"))
        });
        moved.collect()
    }
}

/// Refuses Port-Channels, and members, that are declared twice.
fn are_compatible(channels: &[Channel]) -> Result<(), Fault> {
    let mut names: BTreeMap<&Interface, &Interface> = BTreeMap::new();
    let invalid = |fact: String, hint: &str| {
        Err(Fault::new("invalid_config", format!("`config`: {fact}; hint: {hint}")))
    };
    if channels.is_empty() {
        return invalid("it has no Port-Channel in it".to_owned(), "list at least one");
    }
    for channel in channels {
        if names.insert(&channel.name, &channel.name).is_some() {
            return invalid(format!("{} is listed twice", channel.name), "say all of it in one place");
        }
        for member in channel.members.iter().flatten() {
            if let Some(other) = names.insert(&member.name, &channel.name) {
                return invalid(
                    format!("{} is a member of both {other} and {}", member.name, channel.name),
                    "list each interface once",
                );
            }
        }
    }
    Ok(())
}

/// LACP is green and no packet passes where the switch does not have the VLAN. Those in `made` are made by the task.
fn vlans_exist(
    channel: &Channel,
    made: &VlanSet,
    running: &Config,
    check_mode: bool,
) -> Result<Option<String>, Fault> {
    let missing = channel.vlans().without(&running.vlans()).without(made);
    if missing.is_empty() {
        return Ok(None);
    }
    let fact = format!("planning {}: the switch does not have the VLAN {missing}", channel.name);
    if check_mode {
        return Ok(Some(format!("{fact}; assumed to come from an earlier task")));
    }
    Err(Fault::new(
        "vlan_not_found",
        format!(
            "{fact}, so none of its traffic would pass; hint: `create_vlans: true`, or make it with `vlan {missing}`"
        ),
    ))
}

/// EOS takes an MLAG's id once.
fn mlags_are_unique(after: &State, running: &Config) -> Result<(), Fault> {
    let mlag = |name: &Interface| match after.interfaces.get(name) {
        Some(port) => port.as_ref()?.aggregation.as_ref().map(|aggregation| aggregation.mlag),
        None => running.port(name)?.aggregation.map(|aggregation| aggregation.mlag),
    };
    let names = running.interfaces().map(|(name, _)| name).chain(after.interfaces.keys());
    let mut found: BTreeMap<u32, &Interface> = BTreeMap::new();
    for name in names {
        let Some(id @ 1..) = mlag(name) else { continue };
        let Some(other) = found.insert(id, name).filter(|other| *other != name) else { continue };
        let (ours, other) = if after.interfaces.contains_key(name) { (name, other) } else { (other, name) };
        return Err(Fault::new(
            "mlag_in_use",
            format!(
                "planning {ours}: `mlag`: {id} is that of {other}; hint: another one, or take it away there"
            ),
        ));
    }
    Ok(())
}
