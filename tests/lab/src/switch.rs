//! The switch of topology `switch` as tests see it: our module called in `control`, and its CLI typed at over
//! OpenSSH, never with our own code.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use crate::{Answer, Lab, succeed, told};

/// Its address, as `tests/lab/lib/switch.sh` has it.
const ADDRESS: &str = "198.18.200.2";
/// Who may do everything there; `operator`, of the same password, needs `enable`.
const USER: &str = "admin";

impl Lab {
    /// Brings up two nodes with Open vSwitch, and the switch that both are cabled to.
    pub fn up_switch() -> Result<Self> {
        Self::up_with(&["--topology", "switch"])
    }

    /// A file of the lab's own, such as `known_hosts`, the same in `control`.
    pub fn file(&self, name: &str) -> PathBuf {
        Self::project().join(".lab/run").join(&self.prefix).join(name)
    }

    /// Writes a file of the lab's own that nobody else can read; its path, the same in `control`.
    pub fn private_file(&self, name: &str, text: &str) -> Result<String> {
        let path = self.file(name);
        let mut file =
            fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path)?;
        file.write_all(text.as_bytes())?;
        path.into_os_string().into_string().ok().context("the project's path is not UTF-8")
    }

    /// The password of both users.
    pub fn switch_password(&self) -> Result<String> {
        self.read_file("switch_password")
    }

    /// The password of `enable`.
    pub fn switch_enable_password(&self) -> Result<String> {
        self.read_file("switch_enable_password")
    }

    /// `arguments` of `eos_port_channel` with those of the connection, as far as they are not given.
    pub fn eos_arguments(&self, arguments: &Value) -> Result<Value> {
        let mut whole = json!({
            "host": ADDRESS,
            "username": USER,
            "password": self.switch_password()?,
            "known_hosts": self.file("known_hosts"),
        });
        let given = arguments.as_object().context("the arguments are no object")?;
        whole.as_object_mut().context("no object")?.extend(given.clone());
        Ok(whole)
    }

    /// Runs `eos_port_channel` in `control`.
    pub fn eos(&self, arguments: &Value) -> Result<Answer> {
        self.module("control", "eos_port_channel", &self.eos_arguments(arguments)?)
    }

    /// The same in check mode with diff.
    pub fn check_eos(&self, arguments: &Value) -> Result<Answer> {
        self.check("control", "eos_port_channel", &self.eos_arguments(arguments)?)
    }

    /// Types lines at the switch, in one login that has no terminal; what it answered, prompts included. A line that
    /// it refuses is an error.
    pub fn switch_cli(&self, lines: &[&str]) -> Result<String> {
        let mut child = self
            .ssh(&["-T", "core"])?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .context("starting ssh")?;
        let mut input = child.stdin.take().context("ssh has no input")?;
        for line in lines {
            writeln!(input, "{line}")?;
        }
        drop(input);
        let output = child.wait_with_output()?;
        let text = told(&output);
        ensure!(output.status.success() && !text.contains("\n% "), "the switch refused: {text}");
        Ok(String::from_utf8_lossy(&output.stdout).replace('\r', ""))
    }

    /// What a single command shows, and nothing else.
    pub fn switch_show(&self, command: &str) -> Result<String> {
        let text = succeed(&mut self.ssh(&["core", command])?)?.replace('\r', "");
        ensure!(!text.starts_with("% "), "the switch refused `{command}`: {text}");
        Ok(text)
    }

    /// Everything of the switch that a run could touch, as text that can be compared: what it is set to, what is saved,
    /// the configuration sessions that wait. Of one that was aborted only the name is left there, by which nothing can
    /// be done.
    pub fn switch_snapshot(&self) -> Result<String> {
        let [running, startup, sessions] =
            ["running-config", "startup-config", "configuration sessions detail"]
                .map(|what| self.switch_show(&format!("show {what}")));
        let sessions = sessions?;
        let waits =
            |line: &&str| line.split_whitespace().nth(1).is_some_and(|state| state.starts_with("pending"));
        let waiting = sessions.lines().filter(waits).map(str::to_owned);
        Ok([running?, startup?].into_iter().chain(waiting).collect())
    }

    /// The snapshots of both nodes and of the switch.
    pub fn snapshots(&self) -> Result<[String; 3]> {
        Ok([self.snapshot("node1")?, self.snapshot("node2")?, self.switch_snapshot()?])
    }

    /// Has the switch misbehave, such as by `drop-after 5`, or asks what was typed at it (`tests/eos_sim/README.md`);
    /// what it answered.
    pub fn switch_control(&self, command: &str) -> Result<String> {
        // The socket as the switch's first process sees it: a socket with a path belongs to no network namespace.
        let path = PathBuf::from(format!("/proc/{}/root/run/eos_sim.socket", self.read_file("switch.pid")?));
        let mut socket = UnixStream::connect(&path).context("connecting to the switch's control socket")?;
        socket.set_read_timeout(Some(Duration::from_secs(30)))?;
        writeln!(socket, "{command}")?;
        let mut answer = String::new();
        for line in BufReader::new(socket).lines() {
            match line?.as_str() {
                "ok" => return Ok(answer),
                line if line.starts_with("error: ") => bail!("the switch does not `{command}`: {line}"),
                line => answer = answer + line + "\n",
            }
        }
        bail!("the switch hung up on `{command}`");
    }

    /// `ssh` in `control`, with the names and the key of the lab.
    pub fn ssh(&self, words: &[&str]) -> Result<Command> {
        let config = self.lab("ssh-config", &[])?;
        let mut command = self.exec_command("control", &["ssh", "-F", config.trim()]);
        command.args(words);
        Ok(command)
    }

    fn read_file(&self, name: &str) -> Result<String> {
        let path = self.file(name);
        let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Ok(text.trim().to_owned())
    }
}
