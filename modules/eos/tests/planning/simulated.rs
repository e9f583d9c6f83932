//! A task planned without a connection, and its lines typed at the simulated switch.

use ansible_module::converge::Target;
use ansible_module::fault::Fault;
use eos::config::Config;
use eos::picture::Picture;
use eos::port_channel::{Desired, Params};
use eos::specs::port_channel::SPEC;
use eos::state::State;
use eos_sim::dataplane::NoPlane;
use eos_sim::switch::{Setup, Switch};
use eos_sim::terminal::Terminal;
use serde_json::{Value, json};

/// What a task makes of such a switch.
pub fn plan(
    task: &Value,
    running: &str,
    startup: &str,
    check_mode: bool,
) -> Result<(Target<State>, Picture), Fault> {
    let mut arguments = task.as_object().unwrap().clone();
    arguments.insert("host".to_owned(), json!("core"));
    arguments.insert("username".to_owned(), json!("admin"));
    let params = SPEC.validate(SPEC.module, arguments, false).unwrap().params;
    let params: Params = serde_json::from_value(params.into()).unwrap();
    let (desired, manner) = Desired::new(params)?;
    let picture = Picture {
        running: Config::parse(running),
        startup: Config::parse(startup),
        save_when: manner.save_when,
        unconfirmed: None,
    };
    Ok((desired.target(&picture, check_mode)?, picture))
}

/// A switch at whose prompt an admin sits.
pub struct Simulated(Terminal);

impl Simulated {
    /// With this startup-config.
    pub fn new(startup: &str) -> Self {
        let setup =
            Setup { startup: startup.to_owned(), plane: Box::new(NoPlane::default()), enable_secret: None };
        Self(Switch::new(setup).unwrap().terminal("admin", true, "192.0.2.1"))
    }

    /// What `show running-config` prints.
    pub fn running(&mut self) -> String {
        self.0.line("show running-config").text
    }

    /// What the switch warns of, a line each.
    pub fn commit(&mut self, lines: &[String]) -> Vec<String> {
        let mut warnings = Vec::new();
        if lines.is_empty() {
            return warnings;
        }
        self.0.line("configure session test");
        for line in lines {
            let said = self.0.line(line).text;
            assert!(said.is_empty() || said.starts_with("! "), "`{line}`: {said}");
            warnings.extend((!said.is_empty()).then_some(said));
        }
        self.0.line("commit");
        assert!(!self.0.prompt().contains("config"), "{}", self.0.prompt());
        warnings
    }

    /// Types lines in configuration mode, whatever the switch says of them.
    pub fn configure(&mut self, lines: &[String]) {
        self.0.line("configure");
        for line in lines {
            self.0.line(line);
        }
        self.0.line("end");
    }
}
