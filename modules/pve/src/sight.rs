//! How a node is read while it is changed, and while Open vSwitch is away.

use std::time::Duration;

use ansible_module::fault::Fault;

use crate::change::Change;
use crate::node::{Node, Way, differences};
use crate::picture::Picture;
use crate::state::State;

/// How long a database server that crashed is waited for.
const RESTART: Duration = Duration::from_secs(3);
const PAUSE: Duration = Duration::from_millis(50);

/// Whether Open vSwitch is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// Its database answers.
    Runs,
    /// Nobody listens on its socket.
    Away,
    /// Its database did not answer on the way back.
    Hangs,
}

impl Node<'_> {
    /// Reads the node. A database server that crashed leaves its socket behind, and `ovs-ctl` or systemd starts it again: on the
    /// way forward that is waited for. On the way back nothing is, for what is the kernel's does not need it; and one that
    /// hangs is asked once, for each question costs all the time that an answer may take.
    pub(crate) fn picture(&mut self) -> Result<Picture, Fault> {
        let picture = if self.way == Way::Back { self.look_back() } else { self.look_forward() }?;
        self.ovs.clone_from(&picture.ovs);
        if self.presence != Presence::Hangs {
            self.presence = if picture.ovs_runs { Presence::Runs } else { Presence::Away };
        }
        Ok(picture)
    }

    fn look_forward(&self) -> Result<Picture, Fault> {
        let clock = &self.context.clock;
        let restarted_by = clock.now() + RESTART;
        loop {
            let picture = Picture::read(&self.paths, self.aim())?;
            let has_crashed = !picture.ovs_runs && self.paths.ovsdb.exists();
            if !has_crashed || clock.now() >= restarted_by {
                return Ok(picture);
            }
            clock.sleep(PAUSE);
        }
    }

    fn look_back(&mut self) -> Result<Picture, Fault> {
        if self.presence != Presence::Hangs {
            match Picture::read(&self.paths, self.aim()) {
                Err(fault) if fault.code == "ovsdb_failed" => {
                    self.context.log.line(&format!("going back without Open vSwitch: {fault}"));
                    self.presence = Presence::Hangs;
                }
                read => return read,
            }
        }
        Picture::without_ovs(&self.paths, self.aim())
    }

    /// What still differs from `wanted`.
    pub(crate) fn left(&mut self, wanted: &State) -> Result<Vec<Change>, Fault> {
        let picture = self.picture()?;
        Ok(differences(&self.paths, &State::found(&picture, wanted), wanted))
    }
}
