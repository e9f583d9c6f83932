//! Lines that change a configuration, the running one or a session's.

use std::collections::BTreeSet;

use crate::commands::{Act, Keep, Setting};
use crate::grammar::Matched;
use crate::names::{Kind, Name, Names};
use crate::setting::Form;
use crate::shell::{Answer, At, Mode, Shell};
use crate::state::State;
use crate::vlans::{LAST, Vlans};

const NO_SUCH_INTERFACE: &str =
    "! Interface does not exist. The configuration will not take effect until the module is inserted.";
const INVALID: &str = "% Invalid input";

impl Shell {
    /// `interface X`, `no interface X`, `default interface X`.
    ///
    /// # Errors
    /// The error line.
    pub fn interface(
        &mut self,
        state: &mut State,
        found: &Matched<Act>,
        form: Form,
    ) -> Result<Answer, String> {
        let typed = found.args.first().and_then(|names| Names::parse(names)).ok_or(INVALID)?;
        let ports = state.ports.clone();
        let config = self.config(state);
        let existing: BTreeSet<Name> = config.interfaces.keys().chain(&ports).cloned().collect();
        let names = typed.expand(&existing);
        let last_channel = state.platform.last_channel();
        if names.is_empty() || !names.iter().all(|name| is_possible(name, last_channel)) {
            return Err(INVALID.to_owned());
        }
        let config = self.config(state);
        if form == Form::Plain {
            config.enter(&names);
        } else {
            config.reset(&names, form, |name| ports.contains(name));
            self.go(At::Top);
            return Ok(self.changed(state, ""));
        }
        let is_missing = |name: &Name| name.is_ethernet() && !ports.contains(name);
        let answer = if names.iter().any(is_missing) { NO_SUCH_INTERFACE } else { "" };
        self.go(At::Interfaces(typed, names));
        Ok(self.changed(state, answer))
    }

    /// `vlan LIST`, `no vlan LIST`. VLAN 1 is always there.
    ///
    /// # Errors
    /// The error line.
    pub fn vlan(&mut self, state: &mut State, found: &Matched<Act>, form: Form) -> Result<Answer, String> {
        let vlans = found.args.first().and_then(|vlans| Vlans::parse(vlans)).ok_or(INVALID)?;
        let config = self.config(state);
        for id in vlans.0.iter().filter(|id| **id != 1) {
            if form == Form::Plain {
                config.vlans.entry(*id).or_default();
            } else {
                config.vlans.remove(id);
            }
        }
        self.go(if form == Form::Plain { At::Vlans(vlans) } else { At::Top });
        Ok(self.changed(state, ""))
    }

    /// `name X` of VLANs.
    pub fn vlan_name(&mut self, state: &mut State, found: &Matched<Act>, form: Form) -> Answer {
        let Mode::Configure { at: At::Vlans(vlans), .. } = &self.mode else { return Answer::text("") };
        let name = found.args.first().filter(|_| form == Form::Plain);
        let vlans = vlans.clone();
        let config = self.config(state);
        for (_, vlan) in config.vlans.iter_mut().filter(|(id, _)| vlans.0.contains(id)) {
            vlan.name = name.cloned();
        }
        self.changed(state, "")
    }

    /// A line of interfaces.
    ///
    /// # Errors
    /// The error line.
    pub fn setting(
        &mut self,
        state: &mut State,
        setting: Setting,
        found: &Matched<Act>,
        form: Form,
    ) -> Result<Answer, String> {
        let Mode::Configure { at: At::Interfaces(_, names), .. } = &self.mode else {
            return Ok(Answer::text(""));
        };
        let number = found.args.first().and_then(|number| number.parse::<u32>().ok());
        let too_high = number.is_some_and(|number| number > state.platform.last_channel());
        if setting == Setting::ChannelGroup && too_high {
            return Err(INVALID.to_owned());
        }
        let names = names.clone();
        let warnings = self.config(state).set(&names, setting, found, form);
        // What a range could do before it was refused is done.
        let answer = self.changed(state, &warnings?.join("\n"));
        Ok(answer)
    }

    /// A line outside of interfaces and VLANs.
    ///
    /// # Errors
    /// The error line.
    pub fn global(
        &mut self,
        state: &mut State,
        keep: Keep,
        found: &Matched<Act>,
        form: Form,
    ) -> Result<Answer, String> {
        let is_name = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if found.words == ["hostname"] && !found.args.iter().all(|name| is_name(name)) {
            return Err(INVALID.to_owned());
        }
        self.config(state).set_global(found, keep, form);
        self.go(At::Top);
        Ok(self.changed(state, ""))
    }

    fn changed(&self, state: &mut State, warnings: &str) -> Answer {
        if self.session().is_none() {
            state.make_real();
        }
        if warnings.is_empty() { Answer::text("") } else { Answer::line(warnings) }
    }
}

fn is_possible(name: &Name, last_channel: u32) -> bool {
    let first = name.path.first().copied().unwrap_or_default();
    match name.kind {
        Kind::PortChannel => (1..=last_channel).contains(&first),
        Kind::Ethernet => first > 0,
        Kind::Vlan => (1..=u32::from(LAST)).contains(&first),
        Kind::Loopback | Kind::Management | Kind::Tunnel | Kind::Vxlan => true,
    }
}
