//! A provisional change whose processes are killed, whose binary is gone, whose connection is cut, whose node boots; and a
//! guard that can't be started, or is systemd's.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Result, ensure};
use lab::plain_nic::{NODE, OLD, STAGED};
use lab::{Lab, answer, wait_until};
use serde_json::{Value, json};

const LONG: Duration = Duration::from_secs(60);
/// An `ifreload` that has done its work and is held, once.
const HELD: &str = "[ -e /tmp/go ] || { /sbin/ifreload -a; touch /tmp/reached; while [ ! -e /tmp/go ]; do sleep 0.05; done; }
exec /sbin/ifreload -a";
const ENVIRONMENT: &str = "BOTHENDS_IFRELOAD=sh /root/held";

/// The binary where it can be deleted.
const COPY: &str = "/tmp/module";
/// Words that run it with arguments from a file.
const FROM_FILE: [&str; 4] = ["env", ENVIRONMENT, COPY, "/root/arguments"];

fn apply_for(seconds: u64) -> Value {
    json!({ "confirm_within": seconds })
}

fn prepare(lab: &Lab, seconds: u64) -> Result<()> {
    lab.stage()?;
    lab.write(NODE, "/root/held", HELD)?;
    lab.write(NODE, "/root/arguments", &apply_for(seconds).to_string())?;
    let module = Lab::module_path("pve_network_apply");
    lab.sh(NODE, &format!("cp {} {COPY}; rm -f /tmp/reached /tmp/go", module.display()))?;
    Ok(())
}

/// Starts it and waits until it is in the middle of `ifreload`.
fn start(lab: &Lab, seconds: u64) -> Result<Child> {
    prepare(lab, seconds)?;
    let mut command = lab.exec_command(NODE, &FROM_FILE);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    wait_for(lab, "[ -e /tmp/reached ]")?;
    Ok(child)
}

fn wait_for(lab: &Lab, condition: &str) -> Result<()> {
    let script = format!("{condition} || echo no");
    wait_until(condition, LONG, || Ok(lab.sh(NODE, &script)?.is_empty().then_some(())))
}

/// The process that was called, and not the one that does the work.
fn caller(lab: &Lab) -> Result<String> {
    let pid = lab.sh(NODE, &format!("pgrep -f '^{COPY} /root/arguments'"))?.trim().to_owned();
    ensure!(!lab.read(NODE, "/run/bothends/node.lock")?.contains(&format!("pid {pid},")), "it works itself");
    Ok(pid)
}

#[test]
fn killed_in_the_middle_it_is_undone_at_once_also_without_its_binary() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let run = start(&lab, 300)?;
    lab.sh(NODE, &format!("rm {COPY}; mount -o remount,noexec /tmp; mount -o remount,noexec /run"))?;
    assert_ne!(lab.configuration(NODE)?, before);
    lab.kill_run(NODE)?;
    lab.sh(NODE, "touch /tmp/go")?;
    let told = answer(&run.wait_with_output()?)?;
    assert_eq!(told.failure()?, ("run_lost", "pending_revert"), "{}", told.message());
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()
}

#[test]
fn it_goes_on_when_its_caller_or_the_connection_is_gone_and_a_boot_undoes_it() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let mut run = start(&lab, 300)?;
    let caller = caller(&lab)?;
    lab.exec(NODE, &["kill", "-KILL", &caller])?;
    run.wait()?;
    lab.sh(NODE, "touch /tmp/go")?;
    waits(&lab)?;
    lab.peer_is_answered()?;
    assert!(lab.network_apply(&json!({"state": "discarded"}))?.changed()?);
    assert_eq!(lab.configuration(NODE)?, before);

    // A terminal hangs up on whoever is in its session.
    prepare(&lab, 300)?;
    let config = lab.lab("ssh-config", &[])?;
    let words = format!("env '{ENVIRONMENT}' {COPY} /root/arguments");
    let ssh = format!("echo $$ >/dev/shm/ssh; exec ssh -tt -F {} {NODE} \"$0\"", config.trim());
    let mut connection =
        lab.exec_command("control", &["sh", "-c", &ssh, &words]).stdout(Stdio::null()).spawn()?;
    wait_for(&lab, "[ -e /tmp/reached ]")?;
    lab.sh("control", "kill -KILL $(cat /dev/shm/ssh)")?;
    connection.wait()?;
    wait_until("the caller to be gone", LONG, || {
        let count = lab.sh(NODE, &format!("pgrep -cf '^{COPY} /root/arguments' || true"))?;
        Ok((count.trim() == "0").then_some(()))
    })?;
    lab.sh(NODE, "touch /tmp/go")?;
    waits(&lab)?;

    lab.lab("reboot", &[NODE])?;
    lab.peer_is_answered()?;
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), None));
    assert_eq!(lab.vsctl(NODE, &["list-br"])?, "");
    let told = lab.network_apply(&json!({"state": "confirmed"}))?;
    assert_eq!(told.failure()?, ("not_provisional", "unchanged"), "{}", told.message());
    // Whoever comes next has nothing to tell of it, and makes their own live, of which nothing needs a reload.
    assert_eq!(lab.checkpoints(NODE)?.len(), 1);
    let theirs = format!("{OLD}# theirs\n");
    lab.write(NODE, STAGED, &theirs)?;
    assert!(lab.network_apply(&apply_for(300))?.changed()?);
    assert!(lab.read(NODE, "/var/lib/bothends/undone/interfaces")?.contains("iface bond0"));
    let refused = lab.module(NODE, "pve_ovs_bridge", &json!({"name": "vmbr7", "apply": false}))?;
    assert_eq!(refused.failure()?, ("provisional_change", "unchanged"));
    assert!(lab.network_apply(&json!({"state": "confirmed"}))?.changed()?);
    assert_eq!(lab.interfaces_files()?, (theirs, None));
    assert_eq!(lab.checkpoints(NODE)?, Vec::<String>::new());
    lab.peer_is_answered()
}

#[test]
fn open_vswitch_that_is_dead_or_hangs_keeps_nobody_from_going_back() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    lab.stage()?;
    let limits = ["BOTHENDS_LIMIT_IFRELOAD=15", "BOTHENDS_LIMIT_OVSDB=4"];
    assert!(lab.module_with(NODE, &limits, "pve_network_apply", &apply_for(15))?.changed()?);
    let pid_of = |daemon: &str| lab.read(NODE, &format!("/run/openvswitch/{daemon}.pid"));
    let [database, daemon] = [pid_of("ovsdb-server")?, pid_of("ovs-vswitchd")?];
    let signal = |signal: &str, pid: &str| lab.exec(NODE, &["kill", signal, pid.trim()]);
    signal("-STOP", &daemon)?;
    signal("-STOP", &database)?;
    // Its link is still there, as with the kernel's datapath, and its address is never in two places.
    let back = "until ip -oneline address show dev ens20f0np0 | grep -q 192.0.2.10/24; do sleep 0.02; done
                ip -oneline address show dev mgmt scope global";
    assert_eq!(lab.exec(NODE, &["timeout", "60", "sh", "-c", back])?, "");
    lab.peer_is_answered()?;

    signal("-KILL", &database)?;
    lab.sh(NODE, "PATH=/usr/share/openvswitch/scripts:$PATH ovs-ctl --no-ovs-vswitchd --no-monitor --no-record-hostname start")?;
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()?;
    signal("-CONT", &daemon)?;
    lab.vsctl(NODE, &["add-br", "vmbr9"])?;
    lab.vsctl(NODE, &["del-br", "vmbr9"])?;
    assert_eq!(lab.configuration(NODE)?, before);
    Ok(())
}

#[test]
fn power_that_goes_in_a_confirmation_leaves_it_confirmed_or_undone() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    // Only once the file is written is the change final.
    for (is_written, fate) in [(false, "undone"), (true, "confirmed")] {
        let text = lab.stage()?;
        assert!(lab.network_apply(&apply_for(300))?.changed()?);
        let checkpoint = lab.checkpoints(NODE)?.remove(0);
        lab.sh(NODE, &format!("cp -a {checkpoint} /root/checkpoint"))?;
        if is_written {
            assert!(lab.network_apply(&json!({"state": "confirmed"}))?.changed()?);
        }
        // As it is on disk from right before the file is written to right before it is removed.
        let forge = "grep -q '\"file_touched\":false' checkpoint.json
                     sed -i 's/\"file_touched\":false/\"file_touched\":true/' checkpoint.json";
        lab.sh(
            NODE,
            &format!("rm -rf {checkpoint}; mv /root/checkpoint {checkpoint}; cd {checkpoint}; {forge}"),
        )?;
        lab.lab("reboot", &[NODE])?;
        lab.peer_is_answered()?;

        if !is_written {
            let told = lab.network_apply(&json!({}))?;
            assert_eq!(told.failure()?, ("interrupted_run", "rolled_back"), "{}", told.message());
        }
        assert!(!lab.network_apply(&json!({}))?.changed()?);
        assert_eq!(lab.checkpoints(NODE)?, Vec::<String>::new());
        let file = if is_written { &text } else { OLD };
        assert_eq!(lab.interfaces_files()?, (file.to_owned(), None));
        let verdict = lab.read(NODE, "/var/lib/bothends/verdict.json")?;
        assert!(verdict.contains(&format!("\"fate\":\"{fate}\"")), "{verdict}");
        // What was staged is nowhere lost.
        assert!(is_written || lab.read(NODE, "/var/lib/bothends/undone/interfaces")? == text);
    }
    lab.peer_is_answered()
}

/// It is live, waits and can be ended by whoever comes.
fn waits(lab: &Lab) -> Result<()> {
    wait_for(lab, "grep -qs '\"fate\":\"waiting\"' /var/lib/bothends/verdict.json")?;
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), None));
    assert_eq!(lab.vsctl(NODE, &["list-ports", "vmbr0"])?, "bond0\nmgmt");
    Ok(())
}

/// As systemd-run would: the words after `--`, with what `--setenv` says, in a session of their own.
const STAND_IN: &str = r#"#!/bin/sh
printf '%s\n' "$@" >/tmp/words
while [ "$1" != -- ]; do
  case $1 in --setenv=*) set -- "$@" "${1#--setenv=}" ;; esac
  shift
done
shift
program=$1 word=$2 folder=$3
shift 3
setsid env "$@" "$program" "$word" "$folder" >/dev/null 2>&1 </dev/null &
"#;

#[test]
fn its_guard_is_systemds_where_that_runs_and_without_one_nothing_is_touched() -> Result<()> {
    let lab = Lab::up_plain_nic()?;
    let before = lab.configuration(NODE)?;
    let text = lab.stage()?;
    lab.sh(NODE, "mount -o remount,noexec /var/lib/bothends")?;
    let told = lab.network_apply(&apply_for(60))?;
    assert_eq!(told.failure()?, ("guard_not_armed", "unchanged"), "{}", told.message());
    assert!(told.message().contains("/var/lib/bothends/checkpoint-"), "{}", told.message());
    assert_eq!(lab.interfaces_files()?, (OLD.to_owned(), Some(text)));
    lab.sh(NODE, "mount -o remount,exec /var/lib/bothends")?;

    lab.write(NODE, "/root/systemd-run", STAND_IN)?;
    lab.sh(NODE, "chmod 755 /root/systemd-run; mkdir /tmp/systemd")?;
    let systemd = ["BOTHENDS_SYSTEMD=/tmp/systemd", "BOTHENDS_SYSTEMD_RUN=/root/systemd-run"];
    let told = lab.module_with(NODE, &systemd, "pve_network_apply", &apply_for(20))?;
    assert!(told.changed()?);
    let folder = lab.checkpoints(NODE)?.remove(0);
    let name = folder.rsplit('/').next().unwrap_or_default();
    let words = lab.read(NODE, "/tmp/words")?;
    let (options, guard) = words.split_once("--\n").unwrap_or_default();
    assert_eq!(guard, format!("{folder}/guard\n--guard\n{folder}\n"));
    for option in [&*format!("--unit=bothends-{name}"), "--collect", "--property=Restart=on-failure"] {
        assert!(options.lines().any(|line| line == option), "no {option} in {options}");
    }
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.configuration(NODE)?, before);

    // One that is not started by it watches all the same.
    lab.write(NODE, "/root/systemd-run", "#!/bin/sh\nexit 1\n")?;
    lab.sh(NODE, &format!("cp /var/lib/bothends/undone/interfaces {STAGED}"))?;
    assert!(lab.module_with(NODE, &systemd, "pve_network_apply", &apply_for(300))?.changed()?);
    let count = lab.sh(NODE, "pgrep -cf '^/var/lib/bothends/checkpoint-[^ ]*/guard --guard'")?;
    assert_eq!(count.trim(), "1");
    assert!(lab.network_apply(&json!({"state": "discarded"}))?.changed()?);
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.configuration(NODE)?, before);
    lab.peer_is_answered()
}
