//! The control socket: a test tells the switch how to misbehave, and reads what was typed at it and what it waits for.
//! One command a line; what it answers ends with a line `ok`, or is a line that begins with `error: `.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};

use crate::misbehaviour::Misbehaviour;
use crate::switch::Switch;

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
        "connections" => return format!("{}\nok\n", misbehaviour.accepted()),
        "logins" => return listed(&misbehaviour.logins()),
        "lines" => return listed(&misbehaviour.typed()),
        "timer" => return listed(&switch.commit_timer().into_iter().collect::<Vec<_>>()),
        rule => match rule.parse() {
            Ok(rule) => misbehaviour.add(rule),
            Err(error) => return format!("error: {}\n", error.to_string().replace('\n', ": ")),
        },
    }
    "ok\n".to_owned()
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
    fn what_cannot_be_read_is_one_line_of_error() {
        let answer = answer("dance", &switch(), &Misbehaviour::default());
        assert!(
            answer.starts_with("error: reading the rule `dance`: ") && answer.lines().count() == 1,
            "{answer}"
        );
    }
}
