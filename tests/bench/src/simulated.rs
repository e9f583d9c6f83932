//! A simulated switch with a configuration of the benchmark's own, on loopback; no lab, no data plane.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result};
use lab::Lab;
use serde_json::{Value, json};

const USER: &str = "admin";
/// Of a switch that lives for a minute and listens on loopback.
const PASSWORD: &str = "bench";

/// The switch. It ends with this.
pub struct Simulated {
    process: Child,
    // Closed, it would end the switch at its next word.
    _stdout: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Simulated {
    /// Boots with this configuration.
    pub fn start(startup: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700))?;
        fs::write(folder.path().join("startup-config"), startup)?;
        fs::write(folder.path().join("users"), format!("{USER}:{PASSWORD}:15\n"))?;
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| Lab::project().join("target"), PathBuf::from);
        let mut process = Command::new(target.join("debug/eos_sim"))
            .current_dir(folder.path())
            .args(["--listen", "127.0.0.1:0", "--startup-config", "startup-config", "--write-startup"])
            .args(["--user-file", "users", "--control", "control"])
            .stdout(Stdio::piped())
            .spawn()
            .context("starting the simulated switch; hint: cargo build -p eos_sim")?;
        let mut stdout = BufReader::new(process.stdout.take().context("no standard output")?);
        let mut announced = String::new();
        stdout.read_line(&mut announced)?;
        let port = announced.split([':', ',']).nth(1).and_then(|port| port.parse().ok());
        let port = port.with_context(|| format!("the simulated switch said {announced:?}"))?;
        Ok(Self { process, _stdout: stdout, folder, port })
    }

    /// What the control socket answers to a command, without its final `ok`.
    pub fn control(&self, command: &str) -> Result<String> {
        let mut socket = UnixStream::connect(self.folder.path().join("control"))?;
        writeln!(socket, "{command}")?;
        socket.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        socket.read_to_string(&mut answer)?;
        Ok(answer.strip_suffix("ok\n").with_context(|| format!("{command}: {answer}"))?.to_owned())
    }

    /// How many connections there were, and the lines that were typed.
    pub fn seen(&self) -> Result<(usize, Vec<String>)> {
        let connections = self.control("connections")?.trim().parse()?;
        let lines = self.control("lines")?;
        let lines = lines.lines().filter_map(|line| Some(line.split_once(' ')?.1.to_owned()));
        Ok((connections, lines.collect()))
    }

    /// Where it keeps its files, and others may keep theirs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What Ansible is told of it.
    pub fn variables(&self) -> Value {
        json!({
            "ansible_host": "127.0.0.1", "ansible_port": self.port, "ansible_user": USER, "ansible_password": PASSWORD,
        })
    }

    /// The command that runs `eos_port_channel` with these arguments at this switch.
    pub fn command(&self, arguments: &Value) -> Result<Vec<String>> {
        let mut whole = json!({
            "host": "127.0.0.1", "port": self.port, "username": USER, "password": PASSWORD, "host_key_checking": false,
        });
        let given = arguments.as_object().context("the arguments are no object")?;
        whole.as_object_mut().context("no object")?.extend(given.clone());
        let file = self.folder.path().join("arguments.json");
        fs::write(&file, whole.to_string())?;
        let words = [
            "env".into(),
            format!("BOTHENDS_STATE={}", self.folder.path().join("state").display()),
            Lab::module_path("eos_port_channel").display().to_string(),
            file.display().to_string(),
        ];
        Ok(words.into())
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
