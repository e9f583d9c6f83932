//! netmiko, which network people automate switches with: it knows EOS by its prompts and its answers.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{Process, text};

#[test]
fn netmiko_configures_a_port_channel_in_a_session_and_saves_it() {
    let switch = Process::start(&["--enable-secret", "enable me", "--write-startup"]);
    let output = Command::new(python())
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/netmiko_client.py"))
        .arg(switch.port())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let seen: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(seen["prompts"], serde_json::json!(["localhost>", "localhost#"]));
    let diff = seen["diff"].as_str().unwrap();
    assert!(diff.contains("+++ session:/netmiko-session-config"), "{diff}");
    assert!(diff.contains("\n+interface Port-Channel1001\n+   description PVE-N1-LACP\n"), "{diff}");
    let members = "interface Ethernet7/1\n   channel-group 1001 mode active\n";
    assert!(seen["running"].as_str().unwrap().contains(members), "{seen}");
    assert_eq!(seen["refused"], "% Invalid input");
    assert_eq!(seen["saved"], "Copy completed successfully.");
    let startup = std::fs::read_to_string(switch.path("startup-config")).unwrap();
    assert!(startup.contains(members), "{startup}");
}

fn python() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = env::var_os("BOTHENDS_PYTHON").map_or_else(|| root.join(".venv/bin/python"), PathBuf::from);
    let has_netmiko = Command::new(&python).args(["-c", "import netmiko"]).stderr(Stdio::null()).status();
    assert!(
        has_netmiko.is_ok_and(|status| status.success()),
        "`{}` is no Python with netmiko; hint: run `make venv`, or name one in BOTHENDS_PYTHON",
        python.display()
    );
    python
}
