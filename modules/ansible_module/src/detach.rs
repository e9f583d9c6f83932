//! A run in a process of its own, which goes on when the caller is killed, its connection is cut or its folder is gone.
//! The caller only hands on the request and passes the answer through.

use std::io::{self, Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::time::SystemTime;

use nix::unistd::setsid;

use crate::fault::{Fault, Step};
use crate::outcome::{Failure, Outcome};

/// The argument by which the process knows what it is.
pub const WORD: &str = "--detached";

/// The running binary, also where its file was deleted.
const SELF: &str = "/proc/self/exe";

/// Leaves the caller's session, so that its end (SIGHUP) is none of ours.
pub fn leave_session() {
    // It fails where the process leads a group, and then it is nobody's child in a session that could end.
    let _ = setsid();
}

/// Runs `request` detached: the one line that it printed, and its exit status.
pub fn run(request: &[u8]) -> Result<(String, ExitCode), Box<Failure>> {
    let not_started = |error: io::Error| {
        let fault =
            Fault::new("not_detached", format!("starting a process that outlives this one failed: {error}"));
        Failure::untouched(Step::Request, fault)
    };
    let mut child = Command::new(SELF)
        .arg(WORD)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(not_started)?;
    // One that can't be written to is dead; its answer says so.
    let _ = child.stdin.take().map(|mut input| input.write_all(request));
    let mut answer = String::new();
    let read = child.stdout.take().map(|mut output| output.read_to_string(&mut answer));
    let status = child.wait();
    if !matches!(read, Some(Ok(_))) || !answer.ends_with('\n') {
        return Err(lost());
    }
    let succeeded = status.is_ok_and(|status| status.success());
    Ok((answer, if succeeded { ExitCode::SUCCESS } else { ExitCode::FAILURE }))
}

/// It was killed: what it left is undone by its guard, as soon as that notices.
fn lost() -> Box<Failure> {
    let reverts_at = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let fault = Fault::new(
        "run_lost",
        "the process that made the change ended without an answer; hint: its guard goes back from what it left; ask \
         `pve_ovs_info` what became of it",
    );
    Box::new(Failure {
        outcome: Outcome::PendingRevert { reverts_at },
        ..*Failure::untouched(Step::Apply, fault)
    })
}
