//! The modules' check of their arguments against ansible-core's own, case by case.
//!
//! What may differ is told in `ansible_module::spec`; in messages it is only
//! what is chance on Ansible's side.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test panics where it cannot go on")]

use std::{
    collections::BTreeSet,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ansible_module::spec::ArgumentSpec;
use serde_json::{Value, json};

use crate::cases::Case;

mod cases;

mod every_feature {
    include!(concat!(env!("OUT_DIR"), "/every_feature.rs"));
}
mod eos_port_channel {
    include!(concat!(env!("OUT_DIR"), "/eos_port_channel.rs"));
}
mod eos_port_channel_info {
    include!(concat!(env!("OUT_DIR"), "/eos_port_channel_info.rs"));
}
mod lacp_link_check {
    include!(concat!(env!("OUT_DIR"), "/lacp_link_check.rs"));
}
mod pve_network_apply {
    include!(concat!(env!("OUT_DIR"), "/pve_network_apply.rs"));
}
mod pve_ovs_bond {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_bond.rs"));
}
mod pve_ovs_bridge {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_bridge.rs"));
}
mod pve_ovs_info {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_info.rs"));
}
mod pve_ovs_intport {
    include!(concat!(env!("OUT_DIR"), "/pve_ovs_intport.rs"));
}

const SPECS: [&ArgumentSpec; 9] = [
    &every_feature::SPEC,
    &eos_port_channel::SPEC,
    &eos_port_channel_info::SPEC,
    &lacp_link_check::SPEC,
    &pve_network_apply::SPEC,
    &pve_ovs_bond::SPEC,
    &pve_ovs_bridge::SPEC,
    &pve_ovs_info::SPEC,
    &pve_ovs_intport::SPEC,
];

#[test]
fn every_answer_is_the_one_of_ansible() {
    let cases = cases::all();
    let answers = ask_ansible(&cases);
    assert_eq!(cases.len(), answers.len());

    let mut seen = BTreeSet::new();
    let differences: Vec<String> = cases
        .iter()
        .zip(&answers)
        .filter_map(|(case, answer)| {
            let difference = compare(case, answer, &mut seen)?;
            let arguments = Value::Object(case.arguments.clone());
            Some(format!("{} {arguments}\n{difference}", case.spec.module))
        })
        .collect();
    let count = differences.len();
    assert!(count == 0, "{count} of {} differ:\n{}", cases.len(), differences[..count.min(10)].join("\n\n"));

    // A generator that stops producing one kind of answer would go unnoticed otherwise.
    let expected = [
        "missing_option",
        "mutually_exclusive",
        "required_by",
        "required_if",
        "required_one_of",
        "required_together",
        "unknown_option",
        "valid",
        "warned",
        "wrong_choice",
        "wrong_type",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn every_document_is_compared() {
    let documents: BTreeSet<String> = fs::read_dir(root().join("library"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
        .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
        .collect();
    let compared: BTreeSet<String> = SPECS.iter().skip(1).map(|spec| spec.module.to_owned()).collect();
    assert_eq!(documents, compared, "hint: add the document to build.rs and to SPECS");
}

/// What is different between our answer and Ansible's, if anything is.
fn compare(case: &Case, ansible: &Value, seen: &mut BTreeSet<&'static str>) -> Option<String> {
    let ours = case.spec.validate("the.module.name", case.arguments.clone(), case.ignore_unknown);
    if let Some(crash) = ansible.get("crash") {
        return ours.ok().map(|_| format!("ansible crashes: {crash}\nwe accept it"));
    }
    let secrets = match &ours {
        Ok(validated) => &validated.secrets,
        Err(invalid) => &invalid.secrets,
    };
    let unmasked =
        ansible["secrets"].as_array().unwrap().iter().find(|text| !secrets.contains(text.as_str().unwrap()));
    if let Some(text) = unmasked {
        return Some(format!("ansible masks {text}, we do not"));
    }
    match ours {
        Err(invalid) => {
            seen.insert(invalid.kind.code());
            let message = ansible["message"].as_str();
            (message.map(comparable) != Some(comparable(&invalid.message)))
                .then(|| format!("ansible: {message:?}\nwe:      {:?}", invalid.message))
        }
        Ok(validated) => {
            seen.insert("valid");
            if !validated.warnings.is_empty() {
                seen.insert("warned");
            }
            let warnings: BTreeSet<&str> = validated.warnings.iter().map(String::as_str).collect();
            let ansible_warnings: BTreeSet<&str> =
                ansible["warnings"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
            let params = Value::Object(validated.params);
            (ansible["params"] != params || warnings != ansible_warnings)
                .then(|| format!("ansible: {ansible}\nwe:      {params} {warnings:?}"))
        }
    }
}

/// A message without what is chance in Ansible: the order of the valid booleans, and whose options are listed
/// where names are unknown at several levels.
fn comparable(message: &str) -> &str {
    if let Some((before, _)) = message.split_once("Valid booleans include: ") {
        return before;
    }
    let Some((before, _)) = message.split_once("Supported parameters include: ") else { return message };
    let names = before.rsplit(": ").next().unwrap().trim_end_matches(". ");
    let levels: BTreeSet<_> =
        names.split(", ").map(|name| name.rsplit_once('.').map(|(level, _)| level)).collect();
    if levels.len() > 1 { before } else { message }
}

fn ask_ansible(cases: &[Case]) -> Vec<Value> {
    let python =
        env::var_os("BOTHENDS_PYTHON").map_or_else(|| root().join(".venv/bin/python"), PathBuf::from);
    let has_ansible =
        Command::new(&python).args(["-c", "import ansible.release"]).stderr(Stdio::null()).status();
    assert!(
        has_ansible.is_ok_and(|status| status.success()),
        "`{}` is no Python with ansible-core; hint: run `make venv`, or name one in BOTHENDS_PYTHON",
        python.display()
    );
    let mut child = Command::new(&python)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("ansible_validate.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // All of it is read before anything is answered, so this cannot block.
    let mut stdin = child.stdin.take().unwrap();
    for Case { spec, arguments, ignore_unknown } in cases {
        let folder = if spec.module == "every_feature" { "tests/argument_spec" } else { "library" };
        let document = root().join(folder).join(spec.module).with_extension("yml");
        let case = json!({"document": document, "arguments": arguments, "ignore_unknown": ignore_unknown});
        writeln!(stdin, "{case}").unwrap();
    }
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}
