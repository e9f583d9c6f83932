//! Calls that carry no arguments that could be looked at, or come from somebody who may not.

use std::io::Write;
use std::process::Stdio;

use anyhow::{Context, Result};
use lab::{Answer, Lab, answer};

use crate::{BOND, BRIDGE, INTPORT, is_told};

#[test]
fn calls_that_are_none() -> Result<()> {
    let lab = Lab::up()?;
    for (text, tells) in [
        ("", "found nothing"),
        ("\n", "found nothing"),
        ("{\"name\": \"vmbr0\"", "malformed JSON"),
        ("name=vmbr0", "malformed JSON"),
        ("{\"name\": \"vmbr0\"} {\"name\": \"vmbr1\"}", "malformed JSON"),
        ("[{\"name\": \"vmbr0\"}]", "found a list"),
        ("\"vmbr0\"", "found a string"),
        ("{\"name\": \"vmbr0\", \"_ansible_check_mode\": \"yes\"}", "`_ansible_check_mode`"),
    ] {
        for module in [BRIDGE, BOND, INTPORT] {
            let before = lab.snapshot("node1")?;
            lab.write("node1", "/root/args.json", text)?;
            for (source, named) in [("-", "standard input"), ("/root/args.json", "`/root/args.json`")] {
                let answer = call(&lab, &[], module, &[source], text)?;
                is_told(&answer, "malformed_request", &[tells, named])?;
            }
            assert_eq!(lab.snapshot("node1")?, before, "{text}");
        }
    }
    let before = lab.snapshot("node1")?;
    lab.write("node1", "/root/args.json", "{\"name\": \"vmbr0\", \"colour\": \"red\"}")?;
    is_told(&call(&lab, &[], BRIDGE, &["/root/args.json"], "")?, "unknown_option", &["colour"])?;
    let name = "{\"name\": \"vmbr0\"}";
    is_told(
        &call(&lab, &[], BRIDGE, &["/nowhere/args.json"], "")?,
        "malformed_request",
        &["`/nowhere/args.json`"],
    )?;
    is_told(&call(&lab, &[], BRIDGE, &[], name)?, "usage", &["pve_ovs_bridge FILE"])?;
    is_told(&call(&lab, &[], BRIDGE, &["--colour", "-"], name)?, "usage", &["pve_ovs_bridge FILE"])?;
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    for check in ["false", "true"] {
        let text = format!("{{\"name\": \"vmbr0\", \"_ansible_check_mode\": {check}}}");
        is_told(&call(&lab, &nobody, BRIDGE, &["-"], &text)?, "not_root", &["65534", "become: true"])?;
    }
    assert_eq!(lab.snapshot("node1")?, before);
    Ok(())
}

/// Calls a module as a program: `before MODULE words`, with `input` on standard input.
fn call(lab: &Lab, before: &[&str], module: &str, words: &[&str], input: &str) -> Result<Answer> {
    let path = Lab::module_path(module);
    let path = path.to_str().context("the project's path is not UTF-8")?;
    let mut child = lab
        .exec_command("node1", &[before, &[path], words].concat())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    // Whoever does not read it has ended: that is told by the answer.
    let _ = child.stdin.take().context("the module has no input")?.write_all(input.as_bytes());
    answer(&child.wait_with_output()?)
}
