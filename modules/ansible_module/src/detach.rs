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
    pass_through(Command::new(SELF).arg(WORD), request)
}

fn pass_through(command: &mut Command, request: &[u8]) -> Result<(String, ExitCode), Box<Failure>> {
    let not_started = |error: io::Error| {
        let fault =
            Fault::new("not_detached", format!("starting a process that outlives this one failed: {error}"));
        Failure::untouched(Step::Request, fault)
    };
    let mut child = command
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

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, request: &[u8]) -> Result<(String, ExitCode), (&'static str, Outcome)> {
        pass_through(Command::new("sh").args(["-c", script]), request)
            .map_err(|failure| (failure.fault.code, failure.outcome))
    }

    #[test]
    fn the_request_goes_in_and_the_answer_comes_out_with_its_exit_status() {
        assert_eq!(shell("cat", b"{}\n"), Ok(("{}\n".to_owned(), ExitCode::SUCCESS)));
        assert_eq!(shell("cat; exit 1", b"{}\n"), Ok(("{}\n".to_owned(), ExitCode::FAILURE)));
        // More than fits into a pipe, either way.
        let long = "x".repeat(1 << 20);
        assert_eq!(shell("wc -c", long.as_bytes()), Ok((format!("{}\n", 1 << 20), ExitCode::SUCCESS)));
        let told = shell("head -c 1048576 /dev/zero | tr '\\0' x; echo", b"{}");
        assert_eq!(told, Ok((long.clone() + "\n", ExitCode::SUCCESS)));
        // Its input is none of what it answers without.
        assert_eq!(shell("echo {}", long.as_bytes()), Ok(("{}\n".to_owned(), ExitCode::SUCCESS)));
    }

    #[test]
    fn a_process_that_is_killed_or_says_half_is_lost_and_its_guard_goes_back() {
        for script in ["kill -KILL $$", "printf '{\"changed\"'; kill -KILL $$", "printf '\\377\\n'", "exit 0"]
        {
            let (code, outcome) = shell(script, b"{}").unwrap_err();
            assert_eq!(code, "run_lost", "{script}");
            assert!(matches!(outcome, Outcome::PendingRevert { .. }), "{script}: {outcome:?}");
        }
    }

    #[test]
    fn where_it_cannot_be_started_nothing_was_changed() {
        let failure = pass_through(&mut Command::new("/nonexistent"), b"{}").unwrap_err();
        assert_eq!((failure.fault.code, failure.outcome), ("not_detached", Outcome::Unchanged));
    }
}
