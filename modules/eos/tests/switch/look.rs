//! What the switch has, as somebody else sees it who is logged in with OpenSSH's client: never with our own code.

use serde_json::Value;

use crate::sim::Sim;

/// One look, over one connection.
#[derive(Debug, PartialEq, Eq)]
pub struct Look {
    /// The running-config without its header.
    pub running: String,
    /// Whether the startup-config is what runs.
    pub is_saved: bool,
    /// Names of the sessions that are pending or wait to be confirmed.
    pub open_sessions: Vec<String>,
    /// Name of the session whose commit waits to be confirmed.
    pub timer: Option<String>,
}

impl Sim {
    /// What there is now, on the switch of the scenario.
    pub fn look(&self) -> Look {
        let said = self.admin(&[
            "show running-config",
            "show startup-config",
            "show configuration sessions detail | json",
        ]);
        // What follows each prompt; before the first one is the greeting.
        let shown: Vec<&str> = said.split("core#").collect();
        let [_, running, startup, sessions, ..] = shown.as_slice() else { panic!("{said}") };
        // The line end that was typed comes first.
        let (running, startup) = (without_header(running.trim_start()), without_header(startup.trim_start()));
        let sessions: Value = serde_json::from_str(sessions).unwrap();
        let timer = timer(&sessions);
        let pending =
            states(&sessions).filter(|(_, state)| *state == "pending").map(|(name, _)| name.to_owned());
        let open_sessions = pending.chain(timer.clone()).collect();
        Look { is_saved: running == startup, running, open_sessions, timer }
    }

    /// The running-config without its header.
    pub fn running(&self) -> String {
        without_header(&self.show("show running-config"))
    }

    /// The lines of an interface in the running-config; empty where there is none of this name.
    pub fn interface(&self, name: &str) -> Vec<String> {
        let running = self.running();
        let block =
            running.split("!\n").find(|block| block.lines().next() == Some(&format!("interface {name}")));
        block.map(|block| block.lines().map(str::to_owned).collect()).unwrap_or_default()
    }

    /// Names of the sessions that are pending or wait to be confirmed.
    pub fn open_sessions(&self) -> Vec<String> {
        self.look().open_sessions
    }

    /// Name of the session whose commit waits to be confirmed.
    pub fn timer(&self) -> Option<String> {
        self.look().timer
    }

    /// Whether the startup-config is what runs.
    pub fn is_saved(&self) -> bool {
        self.look().is_saved
    }
}

fn without_header(config: &str) -> String {
    config.lines().filter(|line| !line.starts_with("! ")).collect::<Vec<_>>().join("\n")
}

/// Names and states.
fn states(sessions: &Value) -> impl Iterator<Item = (&str, &str)> {
    let sessions = sessions["sessions"].as_object().unwrap();
    sessions.iter().map(|(name, session)| (name.as_str(), session["state"].as_str().unwrap()))
}

/// EOS tells it by the session's state, and from 4.32 on by a key of its own.
fn timer(sessions: &Value) -> Option<String> {
    let named = sessions["commitTimerSessionName"].as_str().filter(|name| !name.is_empty());
    let by_state =
        || states(sessions).find(|(_, state)| *state == "pendingCommitTimer").map(|(name, _)| name);
    named.or_else(by_state).map(str::to_owned)
}
