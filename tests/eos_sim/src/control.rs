//! The control socket: a test tells the switch how to misbehave and what time it is, and reads what was typed at it and
//! what it waits for.
//! One command a line; what it answers ends with a line `ok`, or is a line that begins with `error: `.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::misbehaviour::Misbehaviour;
use crate::switch::Switch;

/// The most seconds that make sense: a year.
const MAX_SECONDS: u64 = 366 * 24 * 60 * 60;

/// The socket. It vanishes with this.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for Control {
    fn drop(&mut self) {
        // Somebody may have removed it already.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Makes the socket, in the place of one that a process left behind.
pub fn bind(path: &Path) -> anyhow::Result<Control> {
    if std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    {
        std::fs::remove_file(path)
            .with_context(|| format!("removing the old socket `{}`", path.display()))?;
    }
    let listener = UnixListener::bind(path)
        .with_context(|| format!("making the control socket `{}`", path.display()))?;
    Ok(Control { listener, path: path.to_owned() })
}

/// Answers those who connect, without an end.
pub async fn serve(control: Control, switch: Switch, misbehaviour: Misbehaviour) -> anyhow::Result<()> {
    loop {
        let (stream, _) = control.listener.accept().await.context("accepting a control connection")?;
        let (switch, misbehaviour) = (switch.clone(), misbehaviour.clone());
        tokio::spawn(async move {
            // Whoever hangs up needs no answer.
            let _ = converse(stream, &switch, &misbehaviour).await;
        });
    }
}

async fn converse(stream: UnixStream, switch: &Switch, misbehaviour: &Misbehaviour) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut commands = BufReader::new(reader).lines();
    while let Some(command) = commands.next_line().await? {
        writer.write_all(answer(command.trim(), switch, misbehaviour).as_bytes()).await?;
    }
    Ok(())
}

fn answer(command: &str, switch: &Switch, misbehaviour: &Misbehaviour) -> String {
    match command {
        "clear" => misbehaviour.clear(),
        "stop-clock" => switch.stop_clock(),
        "connections" => return format!("{}\nok\n", misbehaviour.accepted()),
        "logins" => return listed(&misbehaviour.logins()),
        "lines" => return listed(&misbehaviour.typed()),
        "timer" => return listed(&switch.commit_timer().into_iter().collect::<Vec<_>>()),
        command => {
            if let Err(error) = carry_out(command, switch, misbehaviour) {
                return format!("error: {}\n", format!("{error:#}").replace('\n', ": "));
            }
        }
    }
    "ok\n".to_owned()
}

/// What takes an argument.
fn carry_out(command: &str, switch: &Switch, misbehaviour: &Misbehaviour) -> anyhow::Result<()> {
    let (word, argument) = command.split_once(' ').unwrap_or((command, ""));
    match word {
        "advance" => switch.advance(seconds(argument)?),
        "forward-delay" => switch.delay_forwarding(seconds(argument)?),
        "cross" => {
            let (one, other) = argument.split_once(' ').context("`cross` is followed by two ports")?;
            switch.cross(one, other.trim())?;
        }
        "disobey" => switch.disobey(argument.trim().parse()?),
        "partner" => {
            let (port, partner) =
                argument.split_once(' ').context("`partner` is followed by a port and a word")?;
            switch.set_partner(port, partner.trim().parse()?)?;
        }
        _ => misbehaviour.add(command.parse()?),
    }
    Ok(())
}

fn seconds(argument: &str) -> anyhow::Result<Duration> {
    let seconds = argument.trim().parse().ok().filter(|seconds| *seconds <= MAX_SECONDS);
    let seconds =
        seconds.with_context(|| format!("`{argument}` is no number of seconds up to {MAX_SECONDS}"))?;
    Ok(Duration::from_secs(seconds))
}

fn listed(record: &[impl ToString]) -> String {
    let mut lines: Vec<String> = record.iter().map(ToString::to_string).collect();
    lines.push("ok\n".to_owned());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imagined::Imagined;
    use crate::switch::Setup;

    fn switch() -> Switch {
        let plane = Box::new(Imagined::default());
        Switch::new(Setup { startup: String::new(), plane, enable_secret: None }).unwrap()
    }

    #[test]
    fn rules_are_given_and_the_record_is_read() {
        let (switch, misbehaviour) = (switch(), Misbehaviour::default());
        let answer = |command| answer(command, &switch, &misbehaviour);
        assert_eq!(answer("refuse commit"), "ok\n");
        misbehaviour.accept();
        assert!(misbehaviour.line(1, "commit").instead.is_some());
        assert_eq!(answer("clear"), "ok\n");
        assert!(misbehaviour.line(1, "commit").instead.is_none());
        assert_eq!(answer("lines"), "1 commit\n1 commit\nok\n");
        assert_eq!(answer("connections"), "1\nok\n");
        misbehaviour.login(1, "password", false);
        misbehaviour.login(1, "publickey", true);
        assert_eq!(answer("logins"), "1 password refused\n1 publickey taken\nok\n");
    }

    #[test]
    fn the_commit_that_waits_is_told() {
        let switch = switch();
        let answer = || answer("timer", &switch, &Misbehaviour::default());
        assert_eq!(answer(), "ok\n");
        let mut terminal = switch.terminal("ann", true, "192.0.2.1");
        for line in ["configure session night", "commit timer 00:05:00"] {
            terminal.line(line);
        }
        assert_eq!(answer(), "night\nok\n");
        terminal.line("configure session night commit");
        assert_eq!(answer(), "ok\n");
    }

    #[test]
    fn time_that_is_moved_forward_ends_commit_timers_and_sessions() {
        let switch = switch();
        let answer = |command| answer(command, &switch, &Misbehaviour::default());
        assert_eq!(answer("stop-clock"), "ok\n");
        let mut terminal = switch.terminal("ann", true, "192.0.2.1");
        for line in
            ["configure session night", "hostname dark", "commit timer 00:05:00", "configure session day"]
        {
            terminal.line(line);
        }
        assert_eq!(answer("advance 299"), "ok\n");
        assert_eq!((answer("timer").as_str(), switch.hostname().as_str()), ("night\nok\n", "dark"));
        assert_eq!(answer("advance 1"), "ok\n");
        assert_eq!((answer("timer").as_str(), switch.hostname().as_str()), ("ok\n", "localhost"));
        let is_pending = |terminal: &mut crate::terminal::Terminal| {
            terminal.line("show configuration sessions").text.contains(" pending ")
        };
        assert!(is_pending(&mut terminal));
        assert_eq!(answer("advance 86400"), "ok\n");
        assert!(!is_pending(&mut terminal));
        let uptime = terminal.line("show version | include Uptime").text;
        assert!(uptime.contains("1 day and 5 minutes"), "{uptime}");
        for wrong in ["advance", "advance soon", "advance -1", "advance 99999999999"] {
            assert!(answer(wrong).starts_with("error: "), "{wrong}");
        }
    }

    #[test]
    fn far_ends_and_the_forward_delay_are_set_and_what_is_not_there_is_named() {
        let startup = "interface Ethernet7/1\n   channel-group 5 mode active\n".to_owned();
        let plane = Box::new(Imagined::default());
        let switch = Switch::new(Setup { startup, plane, enable_secret: None }).unwrap();
        let answer = |command| answer(command, &switch, &Misbehaviour::default());
        let mut terminal = switch.terminal("ann", true, "192.0.2.1");
        let mut vlan = || terminal.line("show vlan | include default").text;
        assert!(vlan().ends_with(" Po5\n"));
        assert_eq!(answer("partner et7/1 silent"), "ok\n");
        assert!(vlan().ends_with(" active\n"));
        assert_eq!(answer("partner Ethernet7/1 up"), "ok\n");
        assert!(vlan().ends_with(" Po5\n"));
        assert_eq!(answer("forward-delay 30"), "ok\n");
        assert!(vlan().ends_with(" active\n"));
        assert_eq!(answer("forward-delay 0"), "ok\n");
        assert!(vlan().ends_with(" Po5\n"));
        assert_eq!(answer("disobey off"), "ok\n");
        assert_eq!(answer("disobey nothing"), "ok\n");
        for (wrong, error) in [
            (
                "disobey all",
                "error: `all` is nothing to disobey in: there are nothing, static, off, vlan, portfast\n",
            ),
            ("partner Ethernet7/1", "error: `partner` is followed by a port and a word\n"),
            ("partner Ethernet9/1 up", "error: the switch has no port Ethernet9/1\n"),
            ("partner nowhere up", "error: `nowhere` is no port\n"),
        ] {
            assert_eq!(answer(wrong), error);
        }
    }

    #[test]
    fn what_cannot_be_read_is_one_line_of_error() {
        let answer = answer("dance", &switch(), &Misbehaviour::default());
        assert!(
            answer.starts_with("error: reading the rule `dance`: ") && answer.lines().count() == 1,
            "{answer}"
        );
    }
}
