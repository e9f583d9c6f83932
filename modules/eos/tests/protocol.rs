//! The real binary over its protocol, as far as that needs no switch: whatever it is called with, it prints one JSON
//! object, or the text that was asked for, and nothing else.

use std::fs;

use module_run::{Module, answer};
use serde_json::{Value, json};

const MODULE: Module = Module(env!("CARGO_BIN_EXE_eos_port_channel"));

#[test]
fn what_cannot_be_understood_is_one_failed_object() {
    let task = json!({"name": 1001, "host": "core", "username": "netops"});
    let with = |key: &str, value: Value| {
        let mut arguments = task.clone();
        arguments[key] = value;
        arguments.to_string()
    };
    for (input, code, says) in [
        (String::new(), "malformed_request", "standard input: expected one JSON object"),
        ("{\"password\": \"hunter2\"".to_owned(), "malformed_request", "malformed JSON: EOF"),
        ("[\"hunter2\"]".to_owned(), "malformed_request", "found a list"),
        ("\"hunter2\"".to_owned(), "malformed_request", "found a string"),
        ("\u{0}\u{1}".to_owned(), "malformed_request", "malformed JSON"),
        ("{}".to_owned(), "missing_option", "missing required arguments: host, username"),
        (with("host", Value::Null), "missing_option", "missing required arguments: host"),
        (
            with("_ansible_check_mode", json!("hunter2")),
            "malformed_request",
            "`_ansible_check_mode` must be true or false, found a string",
        ),
        (
            with("hots", json!("core")),
            "unknown_option",
            "Unsupported parameters for (eos_port_channel) module: hots.",
        ),
        (with("port", json!("ssh")), "wrong_type", "argument 'port' is of type str"),
        (with("name", json!("Ethernet1")), "invalid_name", "`name`: \"Ethernet1\" is no Port-Channel"),
    ] {
        let output = MODULE.run(&["-"], &input);
        assert!(!String::from_utf8_lossy(&output.stdout).contains("hunter2"), "{input}");
        let (status, result) = answer(&output);
        assert_eq!((status, result["error"]["code"].as_str()), (1, Some(code)), "{input}: {result}");
        assert!(result["msg"].as_str().unwrap().contains(says), "{input}: {}", result["msg"]);
        assert_eq!(result["outcome"], "unchanged");
        assert_eq!((&result["failed"], &result["changed"]), (&json!(true), &json!(false)));
    }
}

#[test]
fn a_file_is_read_as_standard_input_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("args");
    for (text, code) in [("", "malformed_request"), ("{}", "missing_option")] {
        fs::write(&path, text).unwrap();
        let (_, result) = answer(&MODULE.run(&[path.to_str().unwrap()], ""));
        assert_eq!(result["error"]["code"], code);
    }
}

#[test]
fn a_wrong_call_is_one_failed_object_too() {
    for words in [&[][..], &["a", "b"], &["--nonsense"], &["--rollback"]] {
        let (status, result) = answer(&MODULE.run(words, ""));
        assert_eq!((status, &result["error"]["code"]), (1, &json!("usage")), "{words:?}");
    }
    let (status, result) = answer(&MODULE.run(&["--rollback", "/nonexistent"], ""));
    assert_eq!((status, &result["error"]["code"]), (1, &json!("no_checkpoint")));
    assert!(result["msg"].as_str().unwrap().contains("the device goes back by itself"), "{result}");
}

#[test]
fn version_and_help_are_texts() {
    assert_eq!(MODULE.text(&["--version"]), format!("eos_port_channel {}\n", env!("CARGO_PKG_VERSION")));
    let help = MODULE.text(&["--help"]);
    for word in ["members", "enable_password", "dot1q-tunnel", "confirm_within"] {
        assert!(help.contains(word), "{word} in {help}");
    }
}
