//! What is asked of a switch beyond its configuration: that members of the task's Port-Channels are bundled. When that
//! is asked: `device.rs`.

use ansible_module::fault::Fault;

use crate::dialog::Dialog;
use crate::lacp_wait::{Awaited, Patience};
use crate::names::Interface;
use crate::note::Note;
use crate::state::State;
use crate::switch::{Progress, Switch};
use crate::window::Window;

impl Switch<'_> {
    /// Waits for LACP on the members that were declared, where that is asked for.
    pub(crate) fn wait_for_lacp(&mut self, after: &State) -> Result<(), Fault> {
        if let Some(fault) = self.half_inherited() {
            return Err(fault);
        }
        let Some(awaited) = self.awaited(after) else { return Ok(()) };
        if matches!(self.progress, Progress::Nothing) {
            // Nothing was changed, and others may be in a hurry.
            self.lock = None;
        }
        let window_ends = self.timer().and_then(|(_, window)| window).map(Window::last_attempt);
        let (context, reach) = (self.context, &mut self.reach);
        let patience = Patience { limit: self.wait_for_lacp, window_ends };
        awaited
            .until_bundled(context, patience, &mut |deadline| reach.insist(deadline, context, Dialog::live))
    }

    /// That some of what is declared is there only as long as nobody confirms or undoes an earlier run's change, which is
    /// not the task's: the switch would undo it behind its back.
    fn half_inherited(&self) -> Option<Fault> {
        let Progress::Inherited { session, note: Note { channels: theirs, .. }, .. } = &self.progress else {
            return None;
        };
        if theirs.is_empty() {
            return Some(Fault::new(
                "unconfirmed_change",
                format!(
                    "reading the Port-Channel: it is as declared, and an earlier run's change waits to be confirmed of which the note on \
                     this control node is lost, so that it may be undone with it; hint: `configure session {session} commit` on the \
                     switch keeps that change, `configure session {session} abort` undoes it; then run this task again"
                ),
            ));
        }
        let both = theirs.intersection(&self.channels).next().filter(|_| *theirs != self.channels)?;
        Some(Fault::new(
            "unconfirmed_change",
            format!(
                "reading {both}: it is as declared by an unconfirmed change of an earlier run, of {}, which the switch undoes unless it is \
                 confirmed; hint: run that task again, or `configure session {session} abort` on the switch and this one",
                theirs.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
            ),
        ))
    }

    /// Tells what a run would wait for, as it is now.
    pub(crate) fn foresee_lacp(&mut self, after: &State) -> Result<(), Fault> {
        if let Some(fault) = self.half_inherited() {
            return Err(fault);
        }
        let Some(awaited) = self.awaited(after) else { return Ok(()) };
        let live = self.reach.with(Dialog::live)?;
        self.notices.extend(
            awaited
                .complaint(&live)
                .map(|complaint| format!("`wait_for_lacp` would have to wait: {complaint}")),
        );
        Ok(())
    }

    /// Who is waited for; none where nobody is.
    fn awaited(&mut self, after: &State) -> Option<Awaited> {
        if self.wait_for_lacp.is_zero() {
            return None;
        }
        let there = after.interfaces.iter().filter(|(_, port)| port.is_some()).map(|(name, _)| name);
        let channels = there.filter(|name| matches!(name, Interface::PortChannel(_)));
        let awaited = Awaited::of(channels, &self.running);
        self.notices.extend(awaited.idle.iter().map(|channel| {
            format!("`wait_for_lacp`: no member of {channel} speaks LACP and is not shut down, so none was waited for")
        }));
        awaited.has_any().then_some(awaited)
    }
}
