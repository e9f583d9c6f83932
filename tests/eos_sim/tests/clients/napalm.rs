//! napalm with its driver for EOS over SSH: what it commits for a time, confirms, and goes back from.

use serde_json::json;

use crate::process::{Process, STARTUP};
use crate::python::seen_by;

#[test]
fn napalm_commits_for_a_time_confirms_and_goes_back() {
    // They tell of a commit timer in different places.
    for release in ["4.28.3M", "4.35.1F"] {
        let startup = format!("! device: core (DCS-7050QX-32S, EOS-{release})\n!\n{STARTUP}");
        let switch = Process::start_with(&startup, &["--enable-secret", "enable me"]);
        let seen = seen_by("napalm_client.py", &switch);
        let facts = &seen["facts"];
        assert_eq!(facts["hostname"], "localhost");
        assert_eq!(facts["model"], "DCS-7050QX-32S");
        assert_eq!(facts["os_version"], format!("{release}-00000001"));
        assert_eq!(facts["interface_list"].as_array().map(Vec::len), Some(24));
        let diff = seen["diff"].as_str().unwrap();
        assert!(diff.contains("\n+interface Port-Channel1001\n+   description PVE-N1-LACP\n"), "{diff}");
        assert_eq!(seen["discarded"], json!(null));
        assert_eq!(seen["provisional"], json!([true, "PVE-N1-LACP"]));
        assert_eq!(seen["rolled back"], json!([false, null]));
        assert_eq!(seen["confirmed"], json!([false, "PVE-N1-LACP"]));
        // It keeps the startup-config of before, where the confirmed one was saved.
        assert_eq!(seen["committed"], "another");
        assert_eq!(seen["went back"], "PVE-N1-LACP");
        let whole = seen["replacing"].as_str().unwrap();
        let changed = whole.lines().filter(|line| line.starts_with(['+', '-'])).collect::<Vec<_>>();
        assert_eq!(changed, ["-   description PVE-N1-LACP", "+   description whole"]);
        assert_eq!(seen["replaced"], "whole");
        assert!(switch.pending().is_empty());
    }
}
