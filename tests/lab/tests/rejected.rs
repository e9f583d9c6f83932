//! A change that the node rejects is undone: nothing is left of it in the file, in Open vSwitch or in the kernel,
//! and the same run without the fault succeeds. Stand-ins for `ifreload` fail in all the ways that it is known to.

use anyhow::Result;
use lab::bond::{bond, bridge};
use lab::{Answer, Lab};
use serde_json::{Value, json};

const NODE: &str = "node1";
const MEMBERS: [&str; 2] = ["ens20f0np0", "ens20f1np1"];
const OTHER_MEMBERS: [&str; 2] = ["ens20f0np0", "ens21f0np0"];
const STAND_IN: &str = "/root/ifreload";

/// A way in which `ifreload -a` fails.
struct Fault {
    /// What runs in its place.
    script: &'static str,
    /// `error.code` of the failure.
    code: &'static str,
    /// A part of its message.
    message: &'static str,
}

const FAULTS: [Fault; 8] = [
    Fault { script: "exit 1", code: "reload_failed", message: "status 1 and said: no word" },
    Fault {
        script: "echo 'error: vmbr0: out of luck' >&2; exit 1",
        code: "reload_failed",
        message: "said: error: vmbr0: out of luck",
    },
    Fault { script: "kill -KILL $$", code: "reload_failed", message: "it ended with a signal" },
    Fault { script: "exit 0", code: "not_settled", message: "reading back found it not done" },
    Fault {
        script: "echo 'error: ifname bond0 not present in cache' >&2; exit 1",
        code: "not_settled",
        message: "reading back found it not done",
    },
    Fault { script: "sleep 600", code: "reload_timed_out", message: "did not end within" },
    Fault { script: "/sbin/ifreload -a; sleep 600", code: "reload_timed_out", message: "did not end within" },
    Fault {
        script: "/sbin/ifreload -a; echo 'error: bond0: too late' >&2; exit 1",
        code: "reload_failed",
        message: "error: bond0: too late",
    },
];

#[test]
fn a_new_bridge_is_undone() -> Result<()> {
    let lab = Lab::up()?;
    each_fault_is_undone(&lab, "pve_ovs_bridge", &bridge())
}

#[test]
fn a_new_bond_is_undone() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    each_fault_is_undone(&lab, "pve_ovs_bond", &bond(&MEMBERS))
}

#[test]
fn a_changed_tag_is_undone() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    each_fault_is_undone(&lab, "pve_ovs_bond", &json!({"name": "bond0", "tag": 20}))
}

#[test]
fn an_exchange_of_members_is_undone() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    each_fault_is_undone(&lab, "pve_ovs_bond", &bond(&OTHER_MEMBERS))
}

fn each_fault_is_undone(lab: &Lab, module: &str, arguments: &Value) -> Result<()> {
    let before = lab.configuration(NODE)?;
    for Fault { script, code, message } in FAULTS {
        let answer = with_ifreload(lab, script, module, arguments)?;
        assert_eq!(answer.failure()?, (code, "rolled_back"), "{script}: {}", answer.message());
        assert!(answer.message().contains(message), "{script}: {}", answer.message());
        assert_eq!(answer.result.get("changed"), Some(&json!(false)), "{script}");
        same(&before, &lab.configuration(NODE)?, script);
    }
    succeeds(lab, module, arguments)
}

#[test]
fn ifupdown2_that_is_busy_is_waited_for() -> Result<()> {
    let lab = Lab::up()?;
    let script = "echo x >>/tmp/tries; [ $(wc -l </tmp/tries) -gt 2 ] || exit 89; /sbin/ifreload -a";
    let answer = with_ifreload(&lab, script, "pve_ovs_bridge", &bridge())?;
    assert!(answer.changed()?);
    assert_eq!(lab.vsctl(NODE, &["list-br"])?, "vmbr0");
    assert!(!lab.module(NODE, "pve_ovs_bridge", &bridge())?.changed()?);
    Ok(())
}

/// What Debian's ifupdown2 says now and then on a busy node; it did nothing then, and does it when asked again.
#[test]
fn ifupdown2_that_stumbles_over_a_netlink_message_is_asked_again() -> Result<()> {
    let lab = Lab::up()?;
    let stumble = "echo 'error: recv() error: [Errno 22] Invalid argument' >&2; exit 1";
    let once = format!("[ -e /tmp/stumbled ] && exec /sbin/ifreload -a; touch /tmp/stumbled; {stumble}");
    assert!(with_ifreload(&lab, &once, "pve_ovs_bridge", &bridge())?.changed()?);
    assert_eq!(lab.vsctl(NODE, &["list-br"])?, "vmbr0");

    let before = lab.configuration(NODE)?;
    let always = with_ifreload(&lab, stumble, "pve_ovs_bond", &bond(&MEMBERS))?;
    assert_eq!(always.failure()?, ("reload_failed", "rolled_back"), "{}", always.message());
    assert_eq!(lab.configuration(NODE)?, before);
    Ok(())
}

#[test]
fn a_daemon_that_crashes_and_comes_back_is_waited_for() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let script = "kill -SEGV $(cat /run/openvswitch/ovs-vswitchd.pid); exec /sbin/ifreload -a";
    let answer = with_ifreload(&lab, script, "pve_ovs_bond", &bond(&MEMBERS))?;
    assert!(answer.changed()?);
    assert!(!lab.module(NODE, "pve_ovs_bond", &bond(&MEMBERS))?.changed()?);
    Ok(())
}

/// Where only `ifreload` could go back and it no longer works, that is told, and somebody can go back later.
#[test]
fn a_change_that_cannot_be_undone_needs_attention_until_it_can() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    let tag = json!({"name": "bond0", "tag": 20});
    let script = "ovs-vsctl --if-exists del-port bond0; echo error: broken; exit 1";
    let answer = with_ifreload(&lab, script, "pve_ovs_bond", &tag)?;
    assert_eq!(answer.failure()?, ("reload_failed", "needs_attention"), "{}", answer.message());
    assert_eq!(answer.result["error"]["rollback"]["code"], "reload_failed", "{:#}", answer.result);
    assert!(answer.message().contains("Open vSwitch: add port bond0"), "{}", answer.message());
    assert_eq!(answer.result["changed"], true);

    let folder = checkpoint(&lab)?;
    let told = answer.result["warnings"].to_string();
    assert!(told.contains(&format!("pve_ovs_bond --rollback {folder}")), "{told}");
    assert!(go_back(&lab, &folder)?.changed()?);
    same(&before, &lab.configuration(NODE)?, "after --rollback");
    succeeds(&lab, "pve_ovs_bond", &tag)
}

/// Who made the change could not go back; its guard does, once Open vSwitch answers again.
#[test]
fn a_change_that_could_not_be_undone_is_undone_by_its_guard_within_a_minute() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    let script = "[ ! -e /tmp/hung ] && touch /tmp/hung || exec /sbin/ifreload -a
                  ovs-vsctl --if-exists del-port bond0; kill -STOP $(cat /run/openvswitch/ovsdb-server.pid); exit 1";
    let tag = json!({"name": "bond0", "tag": 20});
    let answer = with_ifreload(&lab, script, "pve_ovs_bond", &tag)?;
    assert_eq!(answer.failure()?, ("reload_failed", "needs_attention"), "{}", answer.message());
    lab.sh(NODE, "kill -CONT $(cat /run/openvswitch/ovsdb-server.pid)")?;
    lab.wait_until_undone(NODE)?;
    same(&before, &lab.configuration(NODE)?, "its guard's turn");
    succeeds(&lab, "pve_ovs_bond", &tag)
}

/// What somebody else writes into the file during an apply stays, whatever becomes of ours.
#[test]
fn a_file_that_somebody_else_changed_stays_theirs() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    let tag = json!({"name": "bond0", "tag": 20});
    let edit = "[ -e /tmp/edited ] || printf '# theirs\\n' >>/etc/network/interfaces; touch /tmp/edited";

    // Next to a change that succeeds.
    let answer = with_ifreload(&lab, &format!("{edit}; /sbin/ifreload -a"), "pve_ovs_bond", &tag)?;
    assert!(answer.changed()?);
    assert!(lab.read(NODE, "/etc/network/interfaces")?.ends_with("# theirs\n"));
    let no_tag = json!({"name": "bond0", "tag": 0});
    assert!(lab.module(NODE, "pve_ovs_bond", &no_tag)?.changed()?);
    lab.sh(NODE, "sed -i '/# theirs/d' /etc/network/interfaces; rm /tmp/edited")?;
    same(&before, &lab.configuration(NODE)?, "tag set and taken away");

    // Next to one that fails.
    let answer = with_ifreload(&lab, &format!("{edit}; exit 1"), "pve_ovs_bond", &tag)?;
    let theirs = lab.read(NODE, "/etc/network/interfaces")?;
    assert!(theirs.ends_with("# theirs\n"), "{theirs}");
    assert_eq!(answer.failure()?, ("reload_failed", "needs_attention"), "{}", answer.message());
    assert_eq!(answer.result["error"]["rollback"]["code"], "file_changed", "{}", answer.message());
    assert!(answer.message().contains("`/etc/network/interfaces`"), "{}", answer.message());

    // Neither the next run nor somebody who says so goes over it.
    let folder = checkpoint(&lab)?;
    let settle = ["BOTHENDS_LIMIT_SETTLE=1"];
    let next = lab.module_with(NODE, &settle, "pve_ovs_bond", &tag)?;
    assert_eq!(next.failure()?, ("interrupted_run", "needs_attention"), "{}", next.message());
    let back = go_back(&lab, &folder)?;
    assert_eq!(back.result["outcome"], "needs_attention", "{}", back.message());
    assert_eq!(lab.read(NODE, "/etc/network/interfaces")?, theirs);

    // Once they took their line away there is a way back.
    lab.sh(NODE, "sed -i '/# theirs/d' /etc/network/interfaces")?;
    assert!(go_back(&lab, &folder)?.changed()?);
    same(&before, &lab.configuration(NODE)?, "after --rollback");
    succeeds(&lab, "pve_ovs_bond", &tag)
}

#[test]
fn where_the_way_back_cannot_be_noted_down_nothing_is_begun() -> Result<()> {
    let lab = Lab::up()?;
    lab.sh(NODE, "mount -t tmpfs -o size=8k,mode=700 tmpfs /var/lib/bothends; head -c 8k /dev/zero >/var/lib/bothends/full || true")?;
    let before = lab.snapshot(NODE)?;
    let before = without_traces(&before);
    let answer = lab.module(NODE, "pve_ovs_bridge", &bridge())?;
    assert_eq!(answer.failure()?, ("checkpoint_failed", "unchanged"), "{}", answer.message());
    same(&before, &without_traces(&lab.snapshot(NODE)?), "disk full");

    let answer = lab.module_with(NODE, &["BOTHENDS_STATE=/proc/bothends"], "pve_ovs_bridge", &bridge())?;
    assert_eq!(answer.failure()?, ("checkpoint_failed", "unchanged"), "{}", answer.message());
    same(&before, &without_traces(&lab.snapshot(NODE)?), "no folder");

    lab.sh(NODE, "umount /var/lib/bothends")?;
    succeeds(&lab, "pve_ovs_bridge", &bridge())
}

#[test]
fn a_file_that_cannot_be_written_stays_as_it_is() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    let tag = json!({"name": "bond0", "tag": 20});

    lab.sh(NODE, "mount -o remount,ro /etc/network")?;
    let answer = lab.module(NODE, "pve_ovs_bond", &tag)?;
    assert_eq!(answer.failure()?.1, "unchanged", "{}", answer.message());
    assert!(answer.message().contains("Read-only file system"), "{}", answer.message());
    lab.sh(NODE, "mount -o remount,rw /etc/network")?;
    same(&before, &lab.configuration(NODE)?, "read-only");

    lab.sh(
        NODE,
        "mount -o remount,size=32k /etc/network; head -c 1M /dev/zero >/etc/network/full 2>/dev/null || true",
    )?;
    let answer = lab.module(NODE, "pve_ovs_bond", &tag)?;
    assert_eq!(answer.failure()?, ("file_not_written", "rolled_back"), "{}", answer.message());
    lab.sh(NODE, "rm /etc/network/full; mount -o remount,size=1m /etc/network")?;
    same(&before, &lab.configuration(NODE)?, "disk full");
    succeeds(&lab, "pve_ovs_bond", &tag)
}

#[test]
fn a_bond_without_a_partner_is_undone_where_lacp_is_asked_for() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let before = lab.configuration(NODE)?;
    let mut arguments = bond(&MEMBERS);
    arguments["wait_for_lacp"] = 2.into();
    let answer = lab.module(NODE, "pve_ovs_bond", &arguments)?;
    assert_eq!(answer.failure()?, ("lacp_not_negotiated", "rolled_back"), "{}", answer.message());
    assert!(answer.message().contains("ens20f0np0, ens20f1np1"), "{}", answer.message());
    same(&before, &lab.configuration(NODE)?, "no partner");
    succeeds(&lab, "pve_ovs_bond", &bond(&MEMBERS))
}

/// Runs the module with `script` in the place of `ifreload -a`, and short limits.
fn with_ifreload(lab: &Lab, script: &str, module: &str, arguments: &Value) -> Result<Answer> {
    lab.write(NODE, STAND_IN, script)?;
    let environment = [
        &format!("BOTHENDS_IFRELOAD=sh {STAND_IN}"),
        "BOTHENDS_LIMIT_IFRELOAD=4",
        "BOTHENDS_LIMIT_GRACE=1",
        "BOTHENDS_LIMIT_SETTLE=2",
    ];
    lab.module_with(NODE, &environment, module, arguments)
}

/// The only unfinished checkpoint.
fn checkpoint(lab: &Lab) -> Result<String> {
    let folders = lab.sh(NODE, "ls -d /var/lib/bothends/*")?;
    assert_eq!(folders.lines().count(), 1, "{folders}");
    Ok(folders.trim().to_owned())
}

fn go_back(lab: &Lab, folder: &str) -> Result<Answer> {
    let path = Lab::module_path("pve_ovs_bond");
    let words = ["env", "BOTHENDS_LIMIT_SETTLE=1", &path.to_string_lossy(), "--rollback", folder];
    lab::answer(&lab.exec_command(NODE, &words).output()?)
}

/// The real thing, twice.
fn succeeds(lab: &Lab, module: &str, arguments: &Value) -> Result<()> {
    let answer = lab.module(NODE, module, arguments)?;
    assert!(answer.changed()?, "{}", answer.message());
    assert!(!lab.module(NODE, module, arguments)?.changed()?);
    Ok(())
}

/// A run that began nothing has still made its lock, and looked for room for a checkpoint.
fn without_traces(snapshot: &str) -> String {
    let is_trace = |line: &&str| line.starts_with("/run/bothends") || line.starts_with("/var/lib/bothends ");
    snapshot.lines().filter(|line| !is_trace(line)).collect::<Vec<_>>().join("\n")
}

fn same(before: &str, after: &str, what: &str) {
    let lines = |one: &str, other: &str, sign: &str| -> Vec<String> {
        one.lines()
            .filter(|line| !other.lines().any(|found| found == *line))
            .map(|line| format!("{sign} {line}"))
            .collect()
    };
    let mut different = lines(before, after, "-");
    different.extend(lines(after, before, "+"));
    assert!(different.is_empty(), "{what}: not as before:\n{}", different.join("\n"));
}
