//! A switch in a folder of its own, and `ssh` to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};

/// What the switch boots with: so many interfaces that its configuration is more than two pages.
pub const STARTUP: &str = "\
interface Ethernet1/1\ninterface Ethernet2/1\ninterface Ethernet3/1\ninterface Ethernet4/1
interface Ethernet5/1\ninterface Ethernet6/1\ninterface Ethernet7/1\ninterface Ethernet8/1
interface Ethernet9/1\ninterface Ethernet10/1\ninterface Ethernet11/1\ninterface Ethernet12/1
interface Ethernet13/1\ninterface Ethernet14/1\ninterface Ethernet15/1\ninterface Ethernet16/1
interface Ethernet17/1\ninterface Ethernet18/1\ninterface Ethernet19/1\ninterface Ethernet20/1
interface Ethernet21/1\ninterface Ethernet22/1\ninterface Ethernet23/1\ninterface Ethernet24/1
";

/// A running switch. It ends with this.
pub struct Process {
    child: Child,
    folder: tempfile::TempDir,
    /// What it said when it was ready.
    pub announced: String,
}

impl Process {
    /// Users: `admin`, privileged; `ann`, whose password is `pass:word`; `keys`, who has none.
    /// All of them have the keys `ed25519` and `rsa`, none has `stranger`.
    pub fn start(options: &[&str]) -> Self {
        Self::start_with(STARTUP, options)
    }

    /// The same with this startup-config.
    pub fn start_with(startup: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for (name, kind) in [("ed25519", "ed25519"), ("rsa", "rsa"), ("stranger", "ed25519")] {
            let made = Command::new("ssh-keygen")
                .args(["-q", "-N", "", "-b", "2048", "-t", kind, "-f"])
                .arg(path(name))
                .status();
            assert!(made.unwrap().success());
        }
        let public = |name: &str| std::fs::read_to_string(path(name).with_extension("pub")).unwrap();
        std::fs::write(path("authorized_keys"), public("ed25519") + &public("rsa")).unwrap();
        std::fs::write(path("users"), "admin:secret:15\nann:pass:word\nkeys:\n").unwrap();
        std::fs::write(path("startup-config"), startup).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_eos_sim"))
            .current_dir(folder.path())
            .args(["--listen", "127.0.0.1:0", "--startup-config", "startup-config", "--user-file", "users"])
            .args(["--authorized-keys", "authorized_keys", "--host-key", "host_key", "--control", "control"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut announced = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut announced).unwrap();
        assert!(announced.starts_with("listening on 127.0.0.1:"), "{announced}");
        Self { child, folder, announced: announced.trim_end().to_owned() }
    }

    /// A file in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where it listens.
    pub fn port(&self) -> &str {
        self.announced.split([':', ',']).nth(1).unwrap()
    }

    /// What the control socket answers to a command.
    pub fn control(&self, command: &str) -> String {
        let mut socket = UnixStream::connect(self.path("control")).unwrap();
        writeln!(socket, "{command}").unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Writes down its host key, where OpenSSH keeps those that are known. Returns the file.
    pub fn known_hosts(&self) -> PathBuf {
        let key = Command::new("ssh-keygen").args(["-y", "-f"]).arg(self.path("host_key")).output().unwrap();
        let file = self.path("host_key.known");
        std::fs::write(&file, format!("[127.0.0.1]:{} {}", self.port(), text(&key.stdout))).unwrap();
        file
    }

    /// What it shows an admin for a command.
    pub fn show(&self, command: &str) -> String {
        text(&self.ssh("admin").key("ed25519").run(&[command]).stdout).to_owned()
    }

    /// The sessions that are pending there.
    pub fn pending(&self) -> Vec<String> {
        let shown: serde_json::Value =
            serde_json::from_str(&self.show("show configuration sessions | json")).unwrap();
        let sessions = shown["sessions"].as_object().unwrap().iter();
        let pending = sessions.filter(|(_, session)| session["state"] != "completed");
        pending.filter(|(_, session)| session["state"] != "aborted").map(|(name, _)| name.clone()).collect()
    }

    /// Sends it the signal that ends processes.
    pub fn terminate(&mut self) -> ExitStatus {
        let sent = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
        self.child.wait().unwrap()
    }

    /// A client that logs in as `user`.
    pub fn ssh(&self, user: &str) -> Ssh {
        let mut command = Command::new("ssh");
        // The machine's own files, agents and terminals are none of a test's business.
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.folder.path());
        command.args(["-F", "none", "-p", self.port(), "-l", user, "-o", "StrictHostKeyChecking=accept-new"]);
        command.args(["-o", "GlobalKnownHostsFile=none", "-o", "IdentitiesOnly=yes", "-o"]);
        command.arg(format!("UserKnownHostsFile={}", self.path("known_hosts").display()));
        Ssh { command, folder: self.folder.path().to_owned() }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// OpenSSH's client.
pub struct Ssh {
    command: Command,
    folder: PathBuf,
}

impl Ssh {
    /// With this key and nothing else.
    pub fn key(mut self, name: &str) -> Self {
        self.command.args(["-o", "BatchMode=yes", "-i"]).arg(self.folder.join(name));
        self
    }

    /// With this password, asked for by this method.
    pub fn password(mut self, method: &str, password: &str) -> Self {
        let program = self.folder.join("askpass");
        std::fs::write(&program, format!("#!/bin/sh\necho '{password}'\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        self.command.env("SSH_ASKPASS", program).env("SSH_ASKPASS_REQUIRE", "force");
        self.command.args(["-o", &format!("PreferredAuthentications={method}")]);
        self
    }

    /// With further options.
    pub fn options(mut self, options: &[&str]) -> Self {
        self.command.args(options);
        self
    }

    /// Runs a command there.
    pub fn run(mut self, command: &[&str]) -> Output {
        self.command.arg("127.0.0.1").args(command).stdin(Stdio::null()).output().unwrap()
    }

    /// Begins to run a command there.
    pub fn spawn(mut self, command: &[&str]) -> Child {
        self.command
            .arg("127.0.0.1")
            .args(command)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// Types at a terminal, and returns what was on its screen when the input was at its end.
    pub fn types(self, typed: &str) -> String {
        let output = self.options(&["-tt"]).feed(typed);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        text(&output.stdout).to_owned()
    }

    /// Gives it its standard input.
    pub fn feed(mut self, typed: &str) -> Output {
        let command = self.command.arg("127.0.0.1");
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
        child.wait_with_output().unwrap()
    }
}

/// Bytes as text.
pub fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}
