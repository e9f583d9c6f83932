//! The whole way as on a real switch: OpenSSH's server, and behind it the command line of EOS, here the simulated one.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::server::{Server, new_key};

/// The simulated switch, in a folder. It ends with this.
struct Simulated {
    process: Child,
    // Closed, it would end the switch at its next word.
    _stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Simulated {
    /// Takes `id.pub` of the folder as the key of its one user, who may configure.
    fn start(folder: &Path) -> Self {
        fs::write(folder.join("users"), "netops::15\n").unwrap();
        let ports = "interface Ethernet7/1\n!\ninterface Ethernet8/1\n!\nend\n";
        fs::write(folder.join("startup-config"), format!("hostname core\n!\n{ports}")).unwrap();
        let program = Path::new(env!("CARGO_BIN_EXE_eos_port_channel")).with_file_name("eos_sim");
        let mut process = Command::new(&program)
            .current_dir(folder)
            .args(["--listen", "127.0.0.1:0", "--startup-config", "startup-config", "--user-file", "users"])
            .args(["--authorized-keys", "id.pub"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}; hint: `cargo build -p eos_sim`", program.display()));
        let mut said = String::new();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        stdout.read_line(&mut said).unwrap();
        let port = said.split([':', ',']).nth(1).unwrap().parse().unwrap();
        Self { process, _stdout: stdout, port }
    }
}

impl Drop for Simulated {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// Runs the module with these arguments on top of those of the way in.
fn run(server: &Server, more: &Value) -> Value {
    let login = server.login();
    let mut arguments = json!({
        "host": login.host, "port": login.port, "username": login.username,
        "private_key": server.path("id"), "known_hosts": server.path("known_hosts"),
    });
    arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let mut module = Command::new(env!("CARGO_BIN_EXE_eos_port_channel"))
        .arg("-")
        .env("BOTHENDS_STATE", server.path("state"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    module.stdin.take().unwrap().write_all(arguments.to_string().as_bytes()).unwrap();
    serde_json::from_slice(&module.wait_with_output().unwrap().stdout).unwrap()
}

#[test]
fn a_port_channel_is_made_behind_a_real_server() {
    let keys = tempfile::tempdir().unwrap();
    new_key(&keys.path().join("id"), &["-N", "", "-t", "ed25519"]);
    let switch = Simulated::start(keys.path());
    let shell = format!(
        "ForceCommand ssh -tt -F none -o LogLevel=QUIET -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null \
         -o IdentitiesOnly=yes -i {} -p {} netops@127.0.0.1",
        keys.path().join("id").display(),
        switch.port
    );
    let server = Server::with(&["ed25519"], &shell);
    let task =
        json!({"name": 1001, "mode": "trunk", "members": [{"interface": "et7/1"}, {"interface": "et8/1"}]});
    let made = run(&server, &task);
    assert_eq!(made["changed"], true, "{made:#}");
    assert_eq!(made["after"]["interfaces"]["Ethernet8/1"]["membership"]["port_channel"], 1001);
    assert_eq!(run(&server, &task)["changed"], false);
    let gone = run(&server, &json!({"name": 1001, "state": "absent", "_ansible_diff": true}));
    assert!(
        gone["diff"][0]["prepared"].as_str().unwrap().contains("\n-interface Port-Channel1001\n"),
        "{gone:#}"
    );
}
