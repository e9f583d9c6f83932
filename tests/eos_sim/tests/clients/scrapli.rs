//! scrapli, which knows a configuration session as a level of privilege, and `scrapli_cfg` on top of it.

use serde_json::json;

use crate::process::Process;
use crate::python::seen_by;

#[test]
fn scrapli_works_in_sessions_and_replaces_the_whole_configuration() {
    let switch = Process::start(&["--enable-secret", "enable me", "--write-startup"]);
    let seen = seen_by("scrapli_client.py", &switch);
    assert_eq!(seen["prompt"], "localhost#");
    assert_eq!(seen["sent"], json!([false, "localhost(config-s-scrapl-if-Et7/1)#"]));
    let changed = |diff: &serde_json::Value| -> Vec<String> {
        let lines = diff.as_str().unwrap().lines().skip(2);
        lines.filter(|line| line.starts_with(['+', '-'])).map(str::to_owned).collect()
    };
    let made = [
        "+interface Port-Channel1001",
        "+   description PVE-N1-LACP",
        "+!",
        "+   channel-group 1001 mode active",
    ];
    assert_eq!(changed(&seen["diff"]), made);
    assert_eq!(seen["committed"], false);
    assert_eq!(seen["refused"], json!([true, "% Invalid input (at token 1: 'nonsense')"]));
    assert_eq!(seen["version"], "4.28.3M");
    for (name, description) in [("aborted", "lost"), ("replaced", "whole")] {
        let lines = ["-   description PVE-N1-LACP".to_owned(), format!("+   description {description}")];
        assert_eq!(changed(&seen[name][0]), lines);
        assert_eq!(seen[name][1], false);
    }
    assert!(seen["running"].as_str().unwrap().contains("\n   description whole\n"), "{seen}");
    assert_eq!(switch.show("show running-config diffs").trim(), "");
    assert!(switch.pending().is_empty());
}
