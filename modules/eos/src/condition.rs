//! What is asked of a switch beyond its configuration: that members of the task's Port-Channels are bundled. When that
//! is asked: `device.rs`.

use ansible_module::fault::Fault;

use crate::dialog::Dialog;
use crate::lacp_wait::{Awaited, Patience};
use crate::names::Interface;
use crate::state::State;
use crate::switch::{Progress, Switch};
use crate::window::Window;

impl Switch<'_> {
    /// Waits for LACP on the members that were declared, where that is asked for.
    pub(crate) fn wait_for_lacp(&mut self, after: &State) -> Result<(), Fault> {
        let Some(awaited) = self.awaited(after) else { return Ok(()) };
        if matches!(self.progress, Progress::Nothing) {
            // Nothing was changed, and others may be in a hurry.
            self.lock = None;
        }
        let (context, reach) = (self.context, &mut self.reach);
        let window_ends = match &self.progress {
            Progress::Committed(_, window) => window.as_ref().map(Window::last_attempt),
            _ => None,
        };
        let patience = Patience { limit: self.wait_for_lacp, window_ends };
        awaited
            .until_bundled(context, patience, &mut |deadline| reach.insist(deadline, context, Dialog::live))
    }

    /// Tells what a run would wait for, as it is now.
    pub(crate) fn foresee_lacp(&mut self, after: &State) -> Result<(), Fault> {
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
