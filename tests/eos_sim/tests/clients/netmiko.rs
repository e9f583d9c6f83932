//! netmiko, which network people automate switches with: it knows EOS by its prompts and its answers.

use crate::process::Process;
use crate::python::seen_by;

#[test]
fn netmiko_configures_a_port_channel_in_a_session_and_saves_it() {
    let switch = Process::start(&["--enable-secret", "enable me", "--write-startup"]);
    let seen = seen_by("netmiko_client.py", &switch);
    assert_eq!(seen["prompts"], serde_json::json!(["localhost>", "localhost#"]));
    let diff = seen["diff"].as_str().unwrap();
    assert!(diff.contains("+++ session:/netmiko-session-config"), "{diff}");
    assert!(diff.contains("\n+interface Port-Channel1001\n+   description PVE-N1-LACP\n"), "{diff}");
    let members = "interface Ethernet7/1\n   channel-group 1001 mode active\n";
    assert!(seen["running"].as_str().unwrap().contains(members), "{seen}");
    assert!(seen["refused"].as_str().unwrap().starts_with("% Invalid input"), "{seen}");
    assert!(seen["saved"].as_str().unwrap().contains("\nCopy completed successfully.\n"), "{seen}");
    let startup = std::fs::read_to_string(switch.path("startup-config")).unwrap();
    assert!(startup.contains(members), "{startup}");
}
