//! The command that leads to a host which cannot be reached from here, `proxy_command`: SSH runs over its standard
//! input and output.
//!
//! As with OpenSSH, `/bin/sh` runs the command, so that what stands in `ssh_config` can be given as it is. It is the
//! user's own; what is filled in is not, and may hold nothing that a shell reads. What is said over it is SSH's business.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// How much of the end of what it said is read for its last lines.
const LAST_WORDS: usize = 1024;
const LAST_LINES: usize = 2;
/// How long a command is given to end, after its connection has ended or after TERM.
const GRACE: Duration = Duration::from_secs(1);
/// The end of a process wakes nobody who waits with a limit.
const INTERVAL: Duration = Duration::from_millis(5);

/// What is wrong with a command as it was given.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Invalid {
    /// An end of a line, for instance.
    #[error("one line without control characters")]
    Control,
    /// A `%` that stands for nothing.
    #[error("`%h` is the host, `%p` its port, `%r` the user, `%%` a percent sign, and no other is known")]
    Token,
    /// A shell would take it for more than a name.
    #[error(
        "what stands for `%{0}` may have letters, digits and `. _ - : @ + %` in it, because a shell reads it"
    )]
    Unsafe(char),
}

/// A command line for `/bin/sh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyCommand(String);

impl ProxyCommand {
    /// Fills `host`, `port` and `username` into `template`, as `ssh_config(5)` has it.
    pub fn new(template: &str, host: &str, port: u16, username: &str) -> Result<Self, Invalid> {
        if template.chars().any(char::is_control) {
            return Err(Invalid::Control);
        }
        let mut line = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('%') {
            line += before;
            let mut after = after.chars();
            match after.next() {
                Some('h') if is_harmless(host) => line += host,
                Some('r') if is_harmless(username) => line += username,
                Some('p') => line += &port.to_string(),
                Some('%') => line.push('%'),
                Some(token @ ('h' | 'r')) => return Err(Invalid::Unsafe(token)),
                _ => return Err(Invalid::Token),
            }
            rest = after.as_str();
        }
        Ok(Self(line + rest))
    }
}

/// Whether a shell and the program that it starts take `text` for nothing but a word.
fn is_harmless(text: &str) -> bool {
    !text.starts_with('-') && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-:@+%".contains(c))
}

/// Why a command leads nowhere.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It could not be started.
    #[error(
        "starting the `proxy_command`: {cause}; hint: `/bin/sh` runs it, with a temporary file for what it says"
    )]
    NotStarted {
        /// What the kernel said.
        cause: io::Error,
    },
    /// It ended, and the connection with it.
    #[error(
        "connecting through the `proxy_command`: it ended ({how}){}; hint: run it by hand, where it has to show the \
         version of an SSH server without asking for anything",
        words(said)
    )]
    Ended {
        /// Its status or the signal.
        how: String,
        /// The last lines that it said; empty where it said nothing.
        said: String,
    },
    /// It runs, and no SSH server answers.
    #[error(
        "connecting through the `proxy_command`: no SSH server answered in time{}; hint: run it by hand, where it has \
         to show the version of an SSH server without asking for anything, or allow a longer `timeout`",
        words(said)
    )]
    Silent {
        /// The last lines that it said; empty where it said nothing.
        said: String,
    },
}

fn words(said: &str) -> String {
    if said.is_empty() { String::new() } else { format!(" and said `{said}`") }
}

/// A command that runs, and no longer than this lives.
#[derive(Debug)]
pub struct Proxy {
    child: Child,
    /// What it says to people. A file without a name, because a pipe that nobody reads would stop it once full.
    said: File,
}

impl Proxy {
    /// Starts `command`. The socket is its standard input and output.
    pub fn start(command: &ProxyCommand) -> Result<(OwnedFd, Self), Error> {
        let start = || {
            let (ours, theirs) = UnixStream::pair()?;
            let said = tempfile::tempfile()?;
            let child = Command::new("/bin/sh")
                .args(["-c", &command.0])
                .stdin(OwnedFd::from(theirs.try_clone()?))
                .stdout(OwnedFd::from(theirs))
                .stderr(said.try_clone()?)
                .process_group(0)
                .spawn()?;
            Ok((ours.into(), Self { child, said }))
        };
        start().map_err(|cause| Error::NotStarted { cause })
    }

    /// Why the connection ended or never began, as far as that is the command's doing. `timed_out`: nothing ended.
    pub fn blame(&self, timed_out: bool) -> Option<Error> {
        if timed_out {
            return Some(Error::Silent { said: self.last_words() });
        }
        let how = match self.end_within(GRACE)? {
            WaitStatus::Exited(_, status) => format!("status {status}"),
            WaitStatus::Signaled(_, signal, _) => signal.to_string(),
            _ => return None,
        };
        Some(Error::Ended { how, said: self.last_words() })
    }

    /// The last lines of what it said that are not empty, without control characters. `ssh -W` gives its reason in the
    /// one before the last.
    fn last_words(&self) -> String {
        let mut tail = vec![0; LAST_WORDS];
        let length = self.said.metadata().map_or(0, |file| file.len());
        let from = length.saturating_sub(tail.len().try_into().unwrap_or(0));
        let read = self.said.read_at(&mut tail, from).unwrap_or(0);
        let tail = String::from_utf8_lossy(tail.get(..read).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = tail.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.get(lines.len().saturating_sub(LAST_LINES)..).unwrap_or_default();
        last.join("; ").chars().filter(|c| !c.is_control()).collect()
    }

    fn id(&self) -> Option<Pid> {
        i32::try_from(self.child.id()).ok().map(Pid::from_raw)
    }

    /// How it ended, as soon as it has. Not reaped, it keeps its id, which is also its group's.
    fn end_within(&self, limit: Duration) -> Option<WaitStatus> {
        let deadline = Instant::now() + limit;
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        loop {
            let status = waitid(Id::Pid(self.id()?), flags).ok()?;
            if status != WaitStatus::StillAlive {
                return Some(status);
            }
            if Instant::now() >= deadline {
                return None;
            }
            thread::sleep(INTERVAL);
        }
    }

    /// To the command and to all that it started and that did not leave its group.
    fn signal(&self, signal: Signal) {
        if let Some(id) = self.id() {
            // It fails where nobody is left.
            let _: nix::Result<()> = killpg(id, signal);
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.signal(Signal::SIGTERM);
        self.end_within(GRACE);
        self.signal(Signal::SIGKILL);
        let _: io::Result<ExitStatus> = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, host: &str, username: &str) -> Result<String, Invalid> {
        ProxyCommand::new(template, host, 2222, username).map(|command| command.0)
    }

    #[test]
    fn what_ssh_config_has_is_filled_in() {
        for (template, line) in [
            ("ssh -W %h:%p %r@jump", "ssh -W core:2222 netops@jump"),
            ("ssh -W '[%h]:%p' jump | tee 100%%h", "ssh -W '[core]:2222' jump | tee 100%h"),
            ("nc core 22", "nc core 22"),
            ("%h", "core"),
        ] {
            assert_eq!(filled(template, "core", "netops").as_deref(), Ok(line));
        }
        assert_eq!(filled("nc %h", "fe80::1%eth0", "%p").as_deref(), Ok("nc fe80::1%eth0"));
    }

    #[test]
    fn nothing_that_a_shell_reads_is_filled_in() {
        for text in
            ["core;reboot", "$(reboot)", "`reboot`", "a'b", "a b", "a|b", "a>b", "~", "*", "-oX", "\\"]
        {
            assert_eq!(filled("nc %h %p", text, "netops"), Err(Invalid::Unsafe('h')), "{text}");
            assert_eq!(filled("ssh %r@jump", "core", text), Err(Invalid::Unsafe('r')), "{text}");
            assert_eq!(filled("nc core 22", text, text).as_deref(), Ok("nc core 22"));
        }
    }

    #[test]
    fn what_stands_for_nothing_is_refused() {
        for template in ["nc %n", "nc %", "nc %H", "nc %é"] {
            assert_eq!(filled(template, "core", "netops"), Err(Invalid::Token), "{template}");
        }
        assert_eq!(filled("nc core 22\nreboot", "core", "netops"), Err(Invalid::Control));
    }
}
