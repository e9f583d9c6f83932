//! `ifreload -a`: run, waited for, and believed only as far as what it says goes. Whether it did what it had to is
//! read back by the flow.

use std::time::Duration;

use ansible_module::fault::Fault;

use crate::apply::touch;
use crate::node::Node;
use crate::spawn::{self, Finished};

/// ifupdown2's status when another instance of it is at work.
const BUSY: i32 = 89;
const BUSY_PAUSE: Duration = Duration::from_secs(2);

impl Node<'_> {
    /// Runs `ifreload -a`. Another one that is at work, such as one that an interrupted run left behind, is waited
    /// for: until it ends, nothing that is read is final.
    pub(crate) fn reload(&mut self) -> Result<(), Fault> {
        touch(&mut self.checkpoint)?;
        let command = self.paths.ifreload.join(" ");
        let limit = self.paths.limits.ifreload;
        let deadline = self.context.clock.now() + limit;
        let mut has_stumbled = false;
        self.commands.push(command.clone());
        loop {
            let finished = spawn::run(&self.paths.ifreload, limit, self.paths.limits.grace)
                .map_err(|error| Fault::from_error("reload_failed", &error))?;
            let status = finished.status.and_then(|status| status.code());
            self.is_busy = status == Some(BUSY);
            if finished.timed_out {
                return Err(Fault::new(
                    "reload_timed_out",
                    format!(
                        "running `{command}` failed: it did not end within {limit:?} and was stopped; hint: run it by hand and see what it waits for"
                    ),
                ));
            }
            match status {
                Some(0) => return Ok(()),
                Some(BUSY) if self.context.clock.now() < deadline => self.context.clock.sleep(BUSY_PAUSE),
                Some(BUSY) => return Err(busy()),
                _ => {
                    let errors = errors(&finished);
                    if errors.iter().all(|line| is_harmless(line)) && !errors.is_empty() {
                        return Ok(());
                    }
                    if has_stumbled || !errors.iter().any(|line| is_stumble(line)) {
                        return Err(reload_failed(&command, status, &finished));
                    }
                    has_stumbled = true;
                }
            }
        }
    }
}

/// While it is so, nothing that is read is final.
pub(crate) fn busy() -> Fault {
    Fault::new(
        "reload_busy",
        "running `ifreload -a` failed: another ifupdown2 is at work and does not end; hint: see with `ps` what it is, then run again",
    )
}

fn errors(finished: &Finished) -> Vec<&str> {
    let lines = finished.stderr.lines().chain(finished.stdout.lines());
    lines.filter(|line| line.starts_with("error")).collect()
}

fn reload_failed(command: &str, status: Option<i32>, finished: &Finished) -> Fault {
    let status = status.map_or("a signal".to_owned(), |status| format!("status {status}"));
    let errors = errors(finished);
    let last =
        || finished.stderr.lines().chain(finished.stdout.lines()).last().unwrap_or("no word").to_owned();
    let told = if errors.is_empty() { last() } else { errors.join("; ") };
    Fault::new(
        "reload_failed",
        format!(
            "running `{command}` failed: it ended with {status} and said: {told}; hint: mend what it names, then run again"
        ),
    )
}

/// What ifupdown2 says of a bond when the datapath gives the kernel no interface of its name; all is applied then.
fn is_harmless(line: &str) -> bool {
    line.contains("ifname ") && line.ends_with("not present in cache")
}

/// On a busy node ifupdown2 now and then stumbles over a netlink message that has nothing to do with what it was
/// asked for: `error: recv() error: [Errno 22] Invalid argument`. The next time it does not.
fn is_stumble(line: &str) -> bool {
    line.contains("recv() error: [Errno ")
}
