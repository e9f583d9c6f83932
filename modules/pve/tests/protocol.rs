//! The real binaries over their protocol, as far as that needs neither root nor a node: whatever they are called
//! with, they print one JSON object, or the text that was asked for, and nothing else.

use std::fs;

use module_run::{Module, answer};
use serde_json::{Value, json};

const BOND: Module = Module(env!("CARGO_BIN_EXE_pve_ovs_bond"));
const INFO: Module = Module(env!("CARGO_BIN_EXE_pve_ovs_info"));

#[test]
fn what_cannot_be_understood_is_one_failed_object() {
    let bond = json!({"name": "bond0", "bridge": "vmbr0", "members": ["eno1", "eno2"]});
    let with = |key: &str, value: Value| {
        let mut arguments = bond.clone();
        arguments[key] = value;
        arguments.to_string()
    };
    for (input, code, says) in [
        (String::new(), "malformed_request", "standard input: expected one JSON object"),
        ("{\"name\": ".to_owned(), "malformed_request", "malformed JSON: EOF"),
        ("[]".to_owned(), "malformed_request", "found a list"),
        ("\u{0}\u{1}".to_owned(), "malformed_request", "malformed JSON"),
        ("{}".to_owned(), "missing_option", "missing required arguments: name"),
        (r#"{"name": null}"#.to_owned(), "missing_option", "missing required arguments: name"),
        (with("nam", json!(1)), "unknown_option", "Unsupported parameters for (pve_ovs_bond) module: nam."),
        (
            with("tag", json!("x")),
            "wrong_type",
            "argument 'tag' is of type str and we were unable to convert to int",
        ),
        (with("mode", json!("802.3ad")), "wrong_choice", "value of mode must be one of: active-backup,"),
        (with("name", json!("uplink")), "invalid_name", "option `name`: `uplink`"),
        (with("bridge", json!("vmbr0.5")), "invalid_name", "option `bridge`: `vmbr0.5`"),
        (with("members", json!(["eno1", "eno2;reboot"])), "invalid_name", "option `members`: `eno2;reboot`"),
        (with("members", json!(["eno1"])), "invalid_members", "at least 2 members, found 1"),
        (with("members", json!("eno1,eno1")), "invalid_members", "`eno1` is listed twice"),
        (with("comments", json!("a\nauto evil")), "invalid_text", "option `comments`: `a\\nauto evil`"),
        (with("tag", json!(4095)), "invalid_vlan", "option `tag`: 4095 is not a VLAN"),
        (with("trunks", json!([0])), "invalid_vlan", "option `trunks`: 0 is not a VLAN"),
        (with("wait_for_lacp", json!(-1)), "invalid_number", "option `wait_for_lacp`: -1"),
    ] {
        let (status, result) = BOND.answer(&input);
        assert_eq!((status, result["error"]["code"].as_str()), (1, Some(code)), "{input}: {result}");
        assert!(result["msg"].as_str().unwrap().contains(says), "{input}: {}", result["msg"]);
        assert_eq!(result["outcome"], "unchanged");
        assert_eq!((&result["failed"], &result["changed"]), (&json!(true), &json!(false)));
    }
}

#[test]
fn who_only_reads_takes_a_time_to_wait_and_nothing_else() {
    for (input, code, says) in [
        (json!({"wait_for_lacp": -1}), "invalid_number", "option `wait_for_lacp`: -1"),
        (json!({"wait_for_lacp": "soon"}), "wrong_type", "unable to convert to int"),
        (
            json!({"name": "bond0"}),
            "unknown_option",
            "Unsupported parameters for (pve_ovs_info) module: name.",
        ),
    ] {
        let (status, result) = INFO.answer(&input.to_string());
        assert_eq!((status, result["error"]["code"].as_str()), (1, Some(code)), "{input}: {result}");
        assert!(result["msg"].as_str().unwrap().contains(says), "{input}: {}", result["msg"]);
    }
    let (status, result) = answer(&INFO.run(&["--rollback", "/nonexistent"], ""));
    assert_eq!((status, &result["error"]["code"]), (1, &json!("no_checkpoint")));
    assert!(INFO.text(&["--help"]).contains("wait_for_lacp"));
}

#[test]
fn a_file_is_read_as_standard_input_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("args");
    for (text, code) in [("", "malformed_request"), ("{}", "missing_option")] {
        fs::write(&path, text).unwrap();
        let (_, result) = answer(&BOND.run(&[path.to_str().unwrap()], ""));
        assert_eq!(result["error"]["code"], code);
    }
    let (status, result) = answer(&BOND.run(&["/nonexistent"], ""));
    assert_eq!((status, &result["error"]["code"]), (1, &json!("malformed_request")));
}

#[test]
fn invocation_is_returned_unless_ansible_says_no() {
    let call = |arguments: Value| BOND.answer(&arguments.to_string()).1;
    let arguments = json!({"name": "uplink"});
    assert_eq!(call(arguments.clone())["invocation"]["module_args"]["name"], "uplink");
    let mut told = arguments.clone();
    told["_ansible_inject_invocation"] = true.into();
    assert_eq!(call(told.clone())["invocation"]["module_args"]["name"], "uplink");
    told["_ansible_inject_invocation"] = false.into();
    assert_eq!(call(told).get("invocation"), None);
}

#[test]
fn a_private_key_is_masked_wherever_it_was_put() {
    let lines =
        ["b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQ", "QyNTUxOQAAACDkOYfBTCrSWIxgnB2PqjzFiuaQ", "AAAA=="];
    let key = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        lines.join("\n")
    );
    for arguments in [
        json!({"name": "bond0", "comments": key}),
        json!({"name": key}),
        json!({"name": "bond0", "members": ["eno1", key]}),
        json!({"name": "bond0", "tag": key}),
        json!({"name": "bond0", "mode": key}),
        json!({"name": "bond0", "key": key}),
        json!({"name": "bond0", key.clone(): "eno1"}),
    ] {
        let output = BOND.run(&["-"], &arguments.to_string());
        let text = String::from_utf8(output.stdout.clone()).unwrap();
        assert_eq!(answer(&output).0, 1, "{arguments}");
        assert!(lines.iter().all(|line| !text.contains(line)), "{arguments}: {text}");
    }
    let (_, result) = BOND.answer(&json!({"name": "/root/.ssh/id_ed25519"}).to_string());
    assert_eq!(result["invocation"]["module_args"]["name"], "/root/.ssh/id_ed25519");
}

#[test]
fn a_wrong_call_is_one_failed_object_too() {
    for words in [&[][..], &["a", "b"], &["--nonsense"], &["--rollback"]] {
        let (status, result) = answer(&BOND.run(words, ""));
        assert_eq!((status, &result["error"]["code"]), (1, &json!("usage")), "{words:?}");
    }
}

#[test]
fn version_and_help_are_texts() {
    assert_eq!(BOND.text(&["--version"]), format!("pve_ovs_bond {}\n", env!("CARGO_PKG_VERSION")));
    let help = BOND.text(&["--help"]);
    for word in ["members", "lacp-balance-tcp", "wait_for_lacp", "--rollback"] {
        assert!(help.contains(word), "{word} in {help}");
    }
}
