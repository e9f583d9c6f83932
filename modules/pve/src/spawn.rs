//! The one place that starts a process.
//!
//! It starts no shell, hands on nothing of our own environment, and is over when its limit says so, whatever the
//! process and its descendants do. What a status or an output means is for the caller to say.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// What is kept of each output stream; the rest is read and dropped, so that the process never blocks on it.
const OUTPUT_LIMIT: usize = 64 << 10;
/// The end of a process wakes nobody who waits for its output, so both are looked at in turn.
const INTERVAL: Duration = Duration::from_millis(10);
/// How long after its end the output of a process is still read: a descendant that it left behind may hold the
/// pipes open for ever.
const LINGER: Duration = Duration::from_millis(200);

/// Starts `command`, which goes on when we end, and does not wait for it. Of our environment it gets `variables`.
pub fn start(command: &[String], variables: &[(String, OsString)]) -> Result<(), Error> {
    let (program, arguments) = command.split_first().ok_or(Error::Empty)?;
    let started = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    started.map(drop).map_err(|source| Error::Start { command: command.join(" "), source })
}

/// A process that could not be started or followed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command has no words.
    #[error("starting a command: it is empty")]
    Empty,
    /// The program could not be started.
    #[error("starting `{command}`")]
    Start {
        /// The command line.
        command: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Its output or its end could not be waited for. It may still be running.
    #[error("waiting for `{command}`")]
    Wait {
        /// The command line.
        command: String,
        /// What the kernel said.
        source: io::Error,
    },
}

/// A process that is over, or that was given up.
#[derive(Debug)]
pub struct Finished {
    /// How it ended. `None`: not even KILL ended it, so it is stuck in the kernel.
    pub status: Option<ExitStatus>,
    /// Whether its limit passed, so that it was told to end.
    pub timed_out: bool,
    /// What it wrote to standard output: at most 64 KiB from the beginning, bytes that are not UTF-8 replaced.
    pub stdout: String,
    /// The same of standard error.
    pub stderr: String,
    /// From its start to its end.
    pub duration: Duration,
}

impl Finished {
    /// Whether it ended by itself with status 0.
    pub fn success(&self) -> bool {
        !self.timed_out && self.status.is_some_and(|status| status.success())
    }
}

/// Runs `command`, the program and its arguments, and waits for its end.
///
/// After `limit` its process group is sent TERM, and `grace` later KILL. Descendants that the process leaves
/// behind when it ends in time are left alone: starting them may have been its purpose.
pub fn run(command: &[String], limit: Duration, grace: Duration) -> Result<Finished, Error> {
    let (program, arguments) = command.split_first().ok_or(Error::Empty)?;
    let start = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", PATH)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|source| Error::Start { command: command.join(" "), source })?;

    let mut output = Output {
        stdout: Stream::of(child.stdout.take().map(OwnedFd::from)),
        stderr: Stream::of(child.stderr.take().map(OwnedFd::from)),
    };
    let (status, timed_out) = follow(&mut child, &mut output, start, limit, grace)
        .map_err(|source| Error::Wait { command: command.join(" "), source })?;
    Ok(Finished {
        status,
        timed_out,
        stdout: output.stdout.text(),
        stderr: output.stderr.text(),
        duration: start.elapsed(),
    })
}

fn follow(
    child: &mut Child,
    output: &mut Output,
    start: Instant,
    limit: Duration,
    grace: Duration,
) -> io::Result<(Option<ExitStatus>, bool)> {
    let leader = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
    output.read_until(start + limit, |_| ended(leader))?;
    let timed_out = !ended(leader)?;
    if timed_out {
        // The group is the leader's id, and nobody else can get that before the leader is reaped below.
        signal(leader, Signal::SIGTERM)?;
        // The leader's end does not tell whether its children have ended; closed pipes do.
        output.read_until(Instant::now() + grace, |closed| Ok(closed && ended(leader)?))?;
        signal(leader, Signal::SIGKILL)?;
        output.read_until(Instant::now() + grace, |_| ended(leader))?;
    }
    output.read_until(Instant::now() + LINGER, Ok)?;
    Ok((child.try_wait()?, timed_out))
}

/// Whether the process has ended. It is not reaped.
fn ended(process: Pid) -> io::Result<bool> {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    Ok(waitid(Id::Pid(process), flags)? != WaitStatus::StillAlive)
}

fn signal(group: Pid, signal: Signal) -> io::Result<()> {
    match killpg(group, signal) {
        Ok(()) | Err(Errno::ESRCH) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

struct Output {
    stdout: Stream,
    stderr: Stream,
}

impl Output {
    /// Reads both streams until `done`, which is told whether both are closed, or until `deadline`.
    fn read_until(
        &mut self,
        deadline: Instant,
        mut done: impl FnMut(bool) -> io::Result<bool>,
    ) -> io::Result<()> {
        loop {
            let closed = self.stdout.pipe.is_none() && self.stderr.pipe.is_none();
            let left = deadline.saturating_duration_since(Instant::now());
            if done(closed)? || left.is_zero() {
                return Ok(());
            }
            if closed {
                thread::sleep(left.min(INTERVAL));
            } else {
                self.read_once()?;
            }
        }
    }

    /// Waits an interval for either stream and takes what is there.
    fn read_once(&mut self) -> io::Result<()> {
        let mut open: Vec<_> =
            [&mut self.stdout, &mut self.stderr].into_iter().filter(|stream| stream.pipe.is_some()).collect();
        let mut waiting: Vec<_> = open
            .iter()
            .filter_map(|stream| stream.pipe.as_ref())
            .map(|pipe| PollFd::new(pipe.as_fd(), PollFlags::POLLIN))
            .collect();
        match poll(&mut waiting, PollTimeout::try_from(INTERVAL).map_err(io::Error::other)?) {
            Ok(_) => {}
            Err(Errno::EINTR) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<_> = waiting.iter().map(|pipe| pipe.any() == Some(true)).collect();
        for (stream, _) in open.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            stream.read()?;
        }
        Ok(())
    }
}

struct Stream {
    /// `None` once everybody who could write has closed it.
    pipe: Option<File>,
    kept: Vec<u8>,
}

impl Stream {
    fn of(pipe: Option<OwnedFd>) -> Self {
        Self { pipe: pipe.map(File::from), kept: Vec::new() }
    }

    /// Takes what is there. Blocks unless poll(2) said that there is something, or that the pipe is closed.
    fn read(&mut self) -> io::Result<()> {
        let Some(pipe) = &mut self.pipe else { return Ok(()) };
        let mut chunk = [0; 16 << 10];
        match pipe.read(&mut chunk) {
            Ok(0) => self.pipe = None,
            Ok(got) => {
                let keep = got.min(OUTPUT_LIMIT - self.kept.len());
                self.kept.extend_from_slice(chunk.get(..keep).unwrap_or_default());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    fn shell(script: &str, limit: Duration, grace: Duration) -> Finished {
        run(&["sh".to_owned(), "-c".to_owned(), script.to_owned()], limit, grace).unwrap()
    }

    fn is_running(pid: &str) -> bool {
        // A process that is dead but not reaped by whoever adopted it still has its folder.
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
            .is_ok_and(|stat| !stat.contains(") Z ") && !stat.contains(") X "))
    }

    #[test]
    fn status_and_both_outputs_come_back() {
        let done = shell("echo out; echo err >&2; exit 89", LONG, LONG);
        assert_eq!((done.stdout.as_str(), done.stderr.as_str()), ("out\n", "err\n"));
        assert_eq!(done.status.unwrap().code(), Some(89));
        assert!(!done.timed_out && !done.success());
        assert!(shell("exit 0", LONG, LONG).success());
    }

    #[test]
    fn nothing_of_our_environment_is_handed_on_and_standard_input_is_empty() {
        let done = shell("env; cat", LONG, LONG);
        let mut names: Vec<_> = done.stdout.lines().filter_map(|line| line.split('=').next()).collect();
        names.sort_unstable();
        // The shell sets PWD by itself, and some set OLDPWD, SHLVL and _ as well.
        names.retain(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name));
        assert_eq!(names, ["LC_ALL", "PATH"]);
    }

    #[test]
    fn output_without_end_is_capped_and_does_not_block_the_process() {
        let done = shell("head -c 1000000 /dev/zero | tr '\\0' x; echo end >&2", LONG, LONG);
        assert_eq!(done.stdout.len(), OUTPUT_LIMIT);
        assert_eq!(done.stderr, "end\n");
        assert!(done.success());
    }

    #[test]
    fn a_process_that_takes_too_long_is_ended_and_its_output_kept() {
        let done = shell("echo begun; sleep 60", Duration::from_secs(1), LONG);
        assert!(done.timed_out && !done.success());
        assert_eq!(done.stdout, "begun\n");
        assert!(done.status.unwrap().code().is_none());
        assert!(done.duration < LONG, "{:?}", done.duration);
    }

    #[test]
    fn a_process_that_ignores_term_is_killed_after_its_grace() {
        let grace = Duration::from_secs(1);
        let done = shell("trap '' TERM; echo $$; while :; do sleep 1; done", grace, grace);
        assert!(done.timed_out);
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&done.status.unwrap()), Some(9));
        assert!(!is_running(&done.stdout));
    }

    #[test]
    fn a_descendant_that_ignores_term_is_killed_too() {
        let grace = Duration::from_secs(1);
        let done = shell("(trap '' TERM; sleep 60) & echo $!; wait", grace, grace);
        assert!(done.timed_out);
        thread::sleep(Duration::from_millis(100));
        assert!(!is_running(&done.stdout), "{} is still running", done.stdout);
    }

    #[test]
    fn a_descendant_that_keeps_the_pipes_open_does_not_hold_us_and_lives_on() {
        let done = shell("sleep 5 & echo $!", LONG, LONG);
        assert!(done.success());
        assert!(done.duration < Duration::from_secs(4), "{:?}", done.duration);
        assert!(is_running(&done.stdout));
    }

    #[test]
    fn a_process_that_closes_its_outputs_is_still_waited_for() {
        let done = shell("exec >&- 2>&-; sleep 0.3; exit 7", LONG, LONG);
        assert_eq!(done.status.unwrap().code(), Some(7));
        assert!(done.duration >= Duration::from_millis(300));
    }

    #[test]
    fn a_program_that_is_not_there_is_named() {
        let error = run(&["/nonexistent/ifreload".to_owned(), "-a".to_owned()], LONG, LONG).unwrap_err();
        assert_eq!(error.to_string(), "starting `/nonexistent/ifreload -a`");
        assert!(matches!(run(&[], LONG, LONG), Err(Error::Empty)));
    }
}
