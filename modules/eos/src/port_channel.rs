//! `eos_port_channel`: what its arguments mean, and what they make of a switch. No I/O.

use ansible_module::context::Context;
use ansible_module::converge::Target;
use ansible_module::fault::Fault;
use ansible_module::outcome::Ended;
use ansible_module::presence::Presence;
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;
use vlan::{Native, VlanSet};

use crate::access::Access;
use crate::member::{self, Member, Members};
use crate::names::Interface;
use crate::picture::{Picture, SaveWhen};
use crate::port::{Mode, Port, Switchport};
use crate::state::State;
use crate::switch::{self, Manner};
use crate::{rules, specs};

/// A window that is shorter leaves no time to log in and read back.
const SHORTEST_WINDOW: u64 = 10;

/// The module.
pub struct PortChannel;

impl Module for PortChannel {
    const SPEC: &'static ArgumentSpec = &specs::port_channel::SPEC;
    type Params = Params;

    fn run(params: Params, context: &Context) -> Ended {
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
    pub name: String,
    pub state: Presence,
    pub description: Option<String>,
    pub mode: Option<Mode>,
    pub access_vlan: Option<i64>,
    pub native_vlan: Option<String>,
    pub trunk_vlans: Option<Vec<String>>,
    pub members: Option<Vec<member::Params>>,
    pub member_switchport: Option<bool>,
    pub save_when: SaveWhen,
    pub confirm_within: i64,
    pub check_on_box: bool,
    pub lock_timeout: i64,
    #[serde(flatten)]
    pub access: Access,
}

/// The arguments as meant: each valid by itself.
#[derive(Debug)]
pub struct Desired {
    name: Interface,
    state: Presence,
    description: Option<String>,
    mode: Option<Mode>,
    access_vlan: Option<u16>,
    native_vlan: Option<Native>,
    trunk_vlans: Option<VlanSet>,
    members: Option<Vec<Member>>,
    member_switchport: Option<bool>,
}

impl Desired {
    /// Checks the arguments; the switch is not looked at.
    pub fn new(params: Params) -> Result<(Self, Manner), Fault> {
        let Params {
            name,
            state,
            description,
            mode,
            access_vlan,
            native_vlan,
            trunk_vlans,
            members,
            member_switchport,
            save_when,
            confirm_within,
            check_on_box,
            lock_timeout,
            access,
        } = params;
        let desired = Self {
            name: Interface::port_channel("name", &name)?,
            state,
            description: description.map(|text| rules::description("description", &text)).transpose()?,
            mode,
            access_vlan: access_vlan.map(|vlan| rules::access_vlan("access_vlan", vlan)).transpose()?,
            native_vlan: native_vlan.map(|vlan| rules::native_vlan("native_vlan", &vlan)).transpose()?,
            trunk_vlans: trunk_vlans.map(|list| rules::trunk_vlans("trunk_vlans", &list)).transpose()?,
            members: members.map(Member::list).transpose()?,
            member_switchport,
        };
        let confirm_within = match confirm_within {
            0 => None,
            time => Some(rules::seconds("confirm_within", time, SHORTEST_WINDOW)?),
        };
        let lock_timeout = rules::seconds("lock_timeout", lock_timeout, 0)?;
        let (login, enable_password) = access.login()?;
        let manner = Manner { confirm_within, check_on_box, lock_timeout, save_when, login, enable_password };
        Ok((desired, manner))
    }

    /// What the switch looks like when the Port-Channel is as declared.
    pub fn target(&self, picture: &Picture, check_mode: bool) -> Result<Target<State>, Fault> {
        let mut warnings = Vec::new();
        let found = picture.running.port(&self.name);
        let members = Members::of(&self.name, &picture.running);
        let mut after = State::default();
        match self.state {
            Presence::Absent => {
                after.interfaces.insert(self.name.clone(), None);
                after.interfaces.extend(members.dissolved());
            }
            Presence::Present => {
                warnings.extend(self.vlans_exist(picture, check_mode)?);
                let mirrored = self.member_switchport.or(found.is_none().then_some(true));
                let default = Port::default_of(picture.running.is_switchport_by_default());
                let from = found.unwrap_or(default);
                let port = self.port(from.clone());
                let members =
                    members.with(self.members.as_deref(), &from.switchport, &port.switchport, mirrored)?;
                after.interfaces.insert(self.name.clone(), Some(port));
                after.interfaces.extend(members);
            }
        }
        warnings.extend(picture.plan_saving(&mut after));
        Ok(Target { after, also_affected: Vec::new(), warnings })
    }

    fn port(&self, found: Port) -> Port {
        let Self { description, mode, access_vlan, native_vlan, trunk_vlans, .. } = self;
        let Port { description: old_description, switchport: old, membership } = found;
        Port {
            description: description.clone().unwrap_or(old_description),
            switchport: Switchport {
                enabled: mode.is_some() || old.enabled,
                mode: mode.clone().unwrap_or(old.mode),
                access_vlan: access_vlan.unwrap_or(old.access_vlan),
                native_vlan: native_vlan.unwrap_or(old.native_vlan),
                trunk_vlans: trunk_vlans.clone().unwrap_or(old.trunk_vlans),
            },
            membership,
        }
    }

    /// LACP is green and no packet passes where the switch does not have the VLAN.
    fn vlans_exist(&self, picture: &Picture, check_mode: bool) -> Result<Option<String>, Fault> {
        let mut wanted = self.trunk_vlans.clone().filter(|vlans| !vlans.is_all()).unwrap_or_default();
        wanted.extend(self.access_vlan);
        if let Some(Native::Vlan(vlan)) = self.native_vlan {
            wanted.extend([vlan]);
        }
        let wanted = wanted.without(&picture.running.vlans());
        if wanted.is_empty() {
            return Ok(None);
        }
        let fact = format!("planning {}: the switch does not have the VLAN {wanted}", self.name);
        if check_mode {
            return Ok(Some(format!("{fact}; assumed to come from an earlier task")));
        }
        Err(Fault::new(
            "vlan_not_found",
            format!("{fact}, so none of its traffic would pass; hint: make it first, with `vlan {wanted}`"),
        ))
    }
}
