//! A simulated switch and a control node of its own for one test: users, keys, known hosts, and the module run there.
//! What the switch has is read with OpenSSH's client and its control socket, never with our own code.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Logs in at `>` with this password.
pub const USER: &str = "netops";
pub const PASSWORD: &str = "correct horse battery";
/// A secret of somebody else in the running-config, next to our interfaces.
pub const OTHERS_SECRET: &str = "$6$abcdefgh$TheirHash";

/// The switch of the scenario before anybody touched it.
pub const STARTUP: &str = "! device: core (DCS-7050QX-32S, EOS-4.28.3M)\n!\nhostname core\n!\n\
    username boss privilege 15 secret sha512 $6$abcdefgh$TheirHash\n!\nvlan 10,20\n!\n\
    interface Ethernet1/1\n   description uplink\n   switchport mode trunk\n!\n\
    interface Ethernet7/1\n!\ninterface Ethernet8/1\n!\ninterface Ethernet9/1\n!\ninterface Ethernet10/1\n!\n\
    interface Ethernet11/1\n!\ninterface Ethernet12/1\n!\n\
    interface Management1\n   ip address 192.0.2.10/24\n!\nend\n";

/// A switch that runs as long as this lives.
pub struct Sim {
    process: Child,
    // Closed, it would end the switch at its next word.
    _stdout: BufReader<ChildStdout>,
    folder: tempfile::TempDir,
    port: u16,
}

/// What the module answered.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: i32,
    pub result: Value,
    /// Everything that it printed, and the arguments that its process was seen with.
    pub text: String,
}

impl Sim {
    /// The switch of the scenario.
    pub fn start() -> Self {
        Self::start_with(STARTUP, &[])
    }

    /// A switch with this startup-config and further options of `eos_sim`.
    pub fn start_with(startup: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        keygen(&path("key"));
        fs::copy(path("key.pub"), path("authorized_keys")).unwrap();
        // An admin at `#` for our own looks, one at `>` for the module.
        fs::write(path("users"), format!("admin::15\n{USER}:{PASSWORD}\n")).unwrap();
        fs::write(path("startup-config"), startup).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_eos_port_channel")).with_file_name("eos_sim");
        let mut process = Command::new(&program)
            .current_dir(folder.path())
            .args(["--listen", "127.0.0.1:0", "--startup-config", "startup-config", "--user-file", "users"])
            .args(["--authorized-keys", "authorized_keys", "--host-key", "host_key", "--control", "control"])
            .args(options)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("{}: {error}; hint: `cargo build -p eos_sim` beside this", program.display())
            });
        let mut said = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut said).unwrap();
        let port = said.split([':', ',']).nth(1).unwrap_or_else(|| panic!("{said}")).parse().unwrap();
        let sim = Self { process, _stdout: stdout, folder, port };
        let key = Command::new("ssh-keygen").args(["-y", "-f"]).arg(sim.path("host_key")).output().unwrap();
        let key = String::from_utf8(key.stdout).unwrap();
        fs::write(sim.path("known_hosts"), format!("[127.0.0.1]:{port} {key}")).unwrap();
        sim
    }

    /// A file of the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The port of the switch on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What the control socket answers to a command, without its final `ok`.
    pub fn control(&self, command: &str) -> String {
        let mut socket = UnixStream::connect(self.path("control")).unwrap();
        writeln!(socket, "{command}").unwrap();
        socket.shutdown(std::net::Shutdown::Write).unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).unwrap();
        answer.strip_suffix("ok\n").unwrap_or_else(|| panic!("{command}: {answer}")).to_owned()
    }

    /// OpenSSH's client as an admin.
    fn ssh(&self) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.folder.path());
        ssh.args(["-F", "none", "-p", &self.port.to_string(), "-l", "admin", "-o", "BatchMode=yes"]);
        ssh.args(["-o", "GlobalKnownHostsFile=none", "-o", "IdentitiesOnly=yes", "-i"]).arg(self.path("key"));
        ssh.arg("-o").arg(format!("UserKnownHostsFile={}", self.path("known_hosts").display()));
        ssh.args(["-T", "127.0.0.1"]);
        ssh
    }

    /// What the switch shows for a command.
    pub fn show(&self, command: &str) -> String {
        let output = self.ssh().arg(command).stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().replace('\r', "")
    }

    /// Lines typed so far over all connections, our own looks too, `CONNECTION LINE` each.
    pub fn typed(&self) -> Vec<String> {
        self.control("lines").lines().map(str::to_owned).collect()
    }

    /// Waits until a line that was typed is of this kind, and gives it without the number of its connection.
    pub fn wait_for(&self, is_it: impl Fn(&str) -> bool) -> String {
        self.wait(|| {
            let typed = self.typed();
            let mut lines = typed.iter().filter_map(|line| line.split_once(' '));
            lines.find(|(_, line)| is_it(line)).map(|(_, line)| line.to_owned())
        })
    }

    /// Waits until so many lines were typed.
    pub fn wait_for_lines(&self, count: usize) {
        self.wait(|| (self.typed().len() >= count).then_some(()));
    }

    /// Waits until a commit waits to be confirmed, and then until none does any more.
    pub fn wait_for_the_end_of_a_timer(&self) {
        for is_running in [true, false] {
            self.wait(|| (self.control("timer").is_empty() != is_running).then_some(()));
        }
    }

    /// Waits until `look` finds something.
    pub fn wait<T>(&self, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "{:#?}", self.typed());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The name of the session that a module is at work in, once it is.
    pub fn session(&self) -> String {
        let line = self.wait_for(|line| line.starts_with("configure session bothends-"));
        line.trim_start_matches("configure session ").to_owned()
    }

    /// The module's arguments for this switch, with `more` on top of them.
    pub fn arguments(&self, more: &Value) -> Value {
        let mut arguments = json!({
            "host": "127.0.0.1", "port": self.port, "username": USER, "password": PASSWORD,
            "known_hosts": self.path("known_hosts"),
        });
        for (name, value) in more.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        arguments
    }

    /// Runs the module.
    pub fn run(&self, more: &Value) -> Answer {
        self.begin(more).finish()
    }

    /// The same in check mode with diff.
    pub fn check(&self, more: &Value) -> Answer {
        let mut arguments = more.clone();
        arguments["_ansible_check_mode"] = true.into();
        arguments["_ansible_diff"] = true.into();
        self.run(&arguments)
    }

    /// Starts the module and does not wait for it.
    pub fn begin(&self, more: &Value) -> Running {
        self.begin_as(&mut Command::new(env!("CARGO_BIN_EXE_eos_port_channel")), &[], more)
    }

    /// The same as this command, with these variables and `HOME` alone in its environment.
    pub fn begin_as(&self, command: &mut Command, variables: &[(&str, PathBuf)], more: &Value) -> Running {
        let mut child = command
            .arg("-")
            .env_clear()
            .env("HOME", self.folder.path())
            .envs(variables.iter().cloned())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(self.arguments(more).to_string().as_bytes()).unwrap();
        Running(child)
    }
}

impl Sim {
    /// How many TCP connections the switch accepted so far.
    pub fn connections(&self) -> usize {
        self.control("connections").trim().parse().unwrap()
    }

    /// Every try to log in so far, `CONNECTION METHOD taken` or `refused` each.
    pub fn logins(&self) -> Vec<String> {
        self.control("logins").lines().map(str::to_owned).collect()
    }
}

impl Sim {
    /// Types lines at a prompt of somebody else's, and gives what the switch says; it may refuse none of them.
    pub fn admin(&self, lines: &[&str]) -> String {
        let mut ssh = self.ssh().stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        writeln!(ssh.stdin.take().unwrap(), "{}\nexit", lines.join("\n")).unwrap();
        let output = ssh.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && !said.contains("% "), "{said}");
        said
    }

    /// Has an admin change the running-config at once, and save nothing.
    pub fn edit(&self, lines: &[&str]) {
        self.admin(&[&["configure"], lines, &["end"]].concat());
    }
}

/// A module at work.
pub struct Running(pub Child);

impl Running {
    /// Sends it a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        let kill = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &pid]).status();
        assert!(kill.unwrap().success());
    }

    /// Kills it, and waits until it is gone. It may be just too late for that.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    /// Waits for its answer: exactly one JSON object, and nothing on standard error.
    pub fn finish(self) -> Answer {
        let seen = fs::read(format!("/proc/{}/cmdline", self.0.id())).unwrap_or_default();
        let Output { status, stdout, stderr } = self.0.wait_with_output().unwrap();
        let text = [
            String::from_utf8_lossy(&seen),
            String::from_utf8_lossy(&stdout),
            String::from_utf8_lossy(&stderr),
        ]
        .join("\n");
        let result: Value = serde_json::from_slice(&stdout).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert!(result.is_object() && stderr.is_empty(), "{text}");
        Answer { status: status.code().unwrap(), result, text }
    }
}

impl Answer {
    /// What matters of it where a test fails.
    pub fn told(&self) -> String {
        let Self { status, result, text: _ } = self;
        let part = |key: &str| format!("{key}: {}", result[key]);
        format!("{status}, {}", ["changed", "outcome", "error", "msg", "warnings"].map(part).join(", "))
    }

    /// `changed` of a success.
    #[track_caller]
    pub fn changed(&self) -> bool {
        assert_eq!(self.status, 0, "{:#}", self.result);
        self.result["changed"].as_bool().unwrap()
    }

    /// `error.code` and `outcome` of a failure.
    #[track_caller]
    pub fn failure(&self) -> (&str, &str) {
        assert!(self.status == 1 && self.result["failed"] == true, "{:#}", self.result);
        (self.result["error"]["code"].as_str().unwrap(), self.result["outcome"].as_str().unwrap())
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn keygen(path: &Path) {
    let made = Command::new("ssh-keygen").args(["-q", "-N", "", "-t", "ed25519", "-f"]).arg(path).status();
    assert!(made.unwrap().success());
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}
