//! A real OpenSSH server of our own, one process a connection, in a folder of its own; and OpenSSH's other programs.
//!
//! The programs are the machine's, or those that `make lab-root` unpacks, so nothing needs to be installed.

use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use eos::ssh::{Login, PrivateKey, Secret};

pub const PASSWORD: &str = "Correct Horse";
/// Made by `openssl passwd -6`.
const CRYPTED: &str =
    "$6$bothends$tmxHUbd9eGGg64CggvyG7GK2FVGnqZ09LavxtSM8qmVHiVdNxIDzotDY0k1xeUvsf142usCsaRtd/r2YKOQ90.";

/// What PAM does where the server is told to use it: says something, then asks.
const PAM: &str = "auth optional pam_echo.so Authorized users only\nauth required pam_unix.so\n\
    account required pam_unix.so\npassword required pam_unix.so\nsession required pam_permit.so\n";

/// Lets a private copy of the machine's accounts be seen by the program that it becomes: root with our password
/// and our folder as home, and the user that sshd wants to exist.
const WITH_ACCOUNTS: &str = r#"
    mount -t tmpfs tmpfs /run
    mkdir /run/sshd
    mount --bind "$1/passwd" /etc/passwd
    mount --bind "$1/shadow" /etc/shadow
    mount --bind "$1/pam" /etc/pam.d
    shift
    exec "$@"
"#;

fn lab_root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.lab/root")
}

/// The program that is installed under `path`, or else the lab's.
pub fn program(path: &str) -> Command {
    let (installed, unpacked) = (Path::new("/").join(path), lab_root().join(path));
    if installed.exists() {
        return Command::new(installed);
    }
    assert!(unpacked.exists(), "no `{}`; hint: `make lab-root`, or install OpenSSH", installed.display());
    let mut command = Command::new("env");
    let libraries = lab_root().join(format!("usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    command.arg(format!("LD_LIBRARY_PATH={}", libraries.display())).arg(unpacked);
    command
}

/// What `program` prints, which has to succeed.
pub fn output(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// A new key in `path`, with its public half beside it.
pub fn new_key(path: &Path, options: &[&str]) {
    output(program("usr/bin/ssh-keygen").arg("-q").arg("-f").arg(path).args(options));
}

pub fn is_root() -> bool {
    user() == "root"
}

fn user() -> String {
    output(Command::new("id").arg("-un")).trim().to_owned()
}

/// An OpenSSH server on a port of its own.
pub struct Server {
    folder: tempfile::TempDir,
    pub port: u16,
}

impl Server {
    /// A server with an ed25519 host key, which our own file of known hosts holds, and a user key that it takes.
    pub fn start() -> Self {
        Self::with(&["ed25519"], "")
    }

    /// A server with a host key of each of `kinds`, of which the first is known, and `more` lines of
    /// its configuration.
    pub fn with(kinds: &[&str], more: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            Self { folder: tempfile::tempdir().unwrap(), port: listener.local_addr().unwrap().port() };
        let folder = server.path("");
        let mut config = format!(
            // What comes first counts.
            "{more}\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nKbdInteractiveAuthentication no\nPidFile none\n\
             PrintMotd no\nPrintLastLog no\nAuthorizedKeysFile {0}/authorized_keys\n",
            folder.display()
        );
        for kind in kinds {
            let key = server.path(&format!("host_{kind}"));
            new_key(&key, &["-N", "", "-t", kind]);
            writeln!(config, "HostKey {}", key.display()).unwrap();
        }
        fs::write(server.path("sshd_config"), config).unwrap();
        new_key(&server.path("id"), &["-N", "", "-t", "ed25519"]);
        fs::copy(server.path("id.pub"), server.path("authorized_keys")).unwrap();
        fs::write(
            server.path("passwd"),
            format!(
                "root:x:0:0::{}:/bin/sh\nsshd:x:999:65534::/run/sshd:/usr/sbin/nologin\n",
                folder.display()
            ),
        )
        .unwrap();
        server.change_password_on("19000");
        fs::create_dir(server.path("pam")).unwrap();
        fs::write(server.path("pam/sshd"), PAM).unwrap();
        server.know(&[kinds.first().unwrap()]);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let socket = OwnedFd::from(stream.unwrap());
                let mut sshd = sshd(&folder);
                sshd.stdin(socket.try_clone().unwrap()).stdout(socket);
                thread::spawn(move || sshd.status().unwrap());
            }
        });
        server
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The known-hosts line for the host key of `kind`.
    pub fn line(&self, kind: &str) -> String {
        let key = fs::read_to_string(self.path(&format!("host_{kind}.pub"))).unwrap();
        format!("[127.0.0.1]:{} {key}", self.port)
    }

    /// Makes these keys the known ones.
    pub fn know(&self, kinds: &[&str]) {
        let lines: String = kinds.iter().map(|kind| self.line(kind)).collect();
        self.write_known_hosts(&lines);
    }

    pub fn write_known_hosts(&self, text: &str) {
        fs::write(self.path("known_hosts"), text).unwrap();
    }

    /// The day on which the password was changed last, counted since 1970. 0: it has to be changed at once.
    pub fn change_password_on(&self, day: &str) {
        fs::write(self.path("shadow"), format!("root:{CRYPTED}:{day}:0:99999:7:::\n")).unwrap();
    }

    /// The fingerprint of the host key of `kind`, as OpenSSH prints it.
    pub fn fingerprint(&self, kind: &str) -> String {
        let key = self.path(&format!("host_{kind}.pub"));
        let line = output(program("usr/bin/ssh-keygen").arg("-lf").arg(key));
        line.split(' ').nth(1).unwrap().to_owned()
    }

    /// A login that works, by key.
    pub fn login(&self) -> Login {
        Login {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            proxy: None,
            username: user(),
            password: None,
            private_key: Some(PrivateKey::File(self.path("id"))),
            passphrase: None,
            agent: None,
            known_hosts: Some(self.path("known_hosts")),
            host_key_checking: true,
            timeout: Duration::from_secs(30),
        }
    }

    /// The same by password.
    pub fn login_with_password(&self, password: &str) -> Login {
        Login { private_key: None, password: Some(Secret::from(password.to_owned())), ..self.login() }
    }
}

/// A server for the one connection that is its standard input and output.
fn sshd(folder: &Path) -> Command {
    let mut sshd = program("usr/sbin/sshd");
    sshd.args(["-i", "-e", "-f"]).arg(folder.join("sshd_config"));
    if !is_root() {
        sshd.stderr(Stdio::null());
        return sshd;
    }
    let mut command = Command::new("unshare");
    command
        .args(["--mount", "sh", "-ec", WITH_ACCOUNTS, "sh"])
        .arg(folder)
        .arg(sshd.get_program())
        .args(sshd.get_args())
        .stderr(Stdio::null());
    command
}

/// A real agent with the keys that were added to it.
pub struct Agent {
    pub socket: PathBuf,
    process: Child,
}

impl Agent {
    pub fn start(folder: &Path) -> Self {
        let socket = folder.join("agent.sock");
        let process = program("usr/bin/ssh-agent")
            .arg("-D")
            .arg("-a")
            .arg(&socket)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !socket.exists() {
            assert!(Instant::now() < deadline, "ssh-agent does not listen");
            thread::sleep(Duration::from_millis(5));
        }
        Self { socket, process }
    }

    pub fn add(&self, key: &Path) {
        output(program("usr/bin/ssh-add").arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket));
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}
