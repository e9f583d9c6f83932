//! A run that is ended in the middle of a change: by SIGKILL, and its guard goes back, or where that was killed too the
//! next run; by a signal that can be caught, and it goes back itself. And runs that meet on one node.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use lab::bond::{bond, bridge};
use lab::guard::KILL_RUN;
use lab::{Answer, Lab, answer, wait_until};
use serde_json::{Value, json};

const NODE: &str = "node1";
const MEMBERS: [&str; 2] = ["ens20f0np0", "ens20f1np1"];
const OTHER_MEMBERS: [&str; 2] = ["ens20f0np0", "ens21f0np0"];
const LONG: Duration = Duration::from_secs(60);

/// Where a run stands still, to be ended there.
#[derive(Debug, Clone, Copy)]
enum Point {
    /// The way back is noted down, nothing was begun: somebody holds Proxmox's lock.
    Checkpoint,
    /// The file is written, nothing else: the database does not answer.
    FileWritten,
    /// The members are exchanged, `ifreload -a` has not begun.
    BeforeReload,
    /// `ifreload -a` has done everything, the run does not know yet.
    AfterReload,
}

const POINTS: [Point; 4] = [Point::Checkpoint, Point::FileWritten, Point::BeforeReload, Point::AfterReload];

#[test]
fn a_new_bond_that_was_killed_is_undone_by_the_next_run() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    killed_at_each_point(&lab, &bond(&MEMBERS))
}

#[test]
fn an_exchange_of_members_that_was_killed_is_undone_by_the_next_run() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    killed_at_each_point(&lab, &bond(&OTHER_MEMBERS))
}

fn killed_at_each_point(lab: &Lab, arguments: &Value) -> Result<()> {
    let before = lab.configuration(NODE)?;
    for point in POINTS {
        let run = Run::stopped_at(lab, point, arguments)?;
        run.kill_with_guard()?;
        // Nothing but the lock is released by it.
        assert_eq!(lab.checkpoints(NODE)?.len(), 1, "{point:?}");

        if matches!(point, Point::Checkpoint) {
            // Nothing was touched yet, so there is nothing to tell.
            assert!(!lab.module(NODE, "pve_ovs_bridge", &bridge())?.changed()?, "{point:?}");
        } else {
            let next = lab.module(NODE, "pve_ovs_bond", arguments)?;
            assert_eq!(next.failure()?, ("interrupted_run", "rolled_back"), "{point:?}: {}", next.message());
        }
        assert_eq!(lab.configuration(NODE)?, before, "{point:?}");
    }
    assert!(lab.module(NODE, "pve_ovs_bond", arguments)?.changed()?);
    assert!(!lab.module(NODE, "pve_ovs_bond", arguments)?.changed()?);
    Ok(())
}

#[test]
fn a_new_bond_that_was_killed_is_undone_by_its_guard_with_nobody_there() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    gone_back_from_each_point(&lab, &bond(&MEMBERS))
}

#[test]
fn an_exchange_of_members_that_was_killed_is_undone_by_its_guard_with_nobody_there() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    gone_back_from_each_point(&lab, &bond(&OTHER_MEMBERS))
}

fn gone_back_from_each_point(lab: &Lab, arguments: &Value) -> Result<()> {
    let before = lab.configuration(NODE)?;
    for point in POINTS {
        Run::stopped_at(lab, point, arguments)?.kill()?;
        lab.wait_until_undone(NODE).with_context(|| format!("{point:?}"))?;
        assert_eq!(lab.configuration(NODE)?, before, "{point:?}");
    }
    // The next run has nothing to tell of it.
    assert!(lab.module(NODE, "pve_ovs_bond", arguments)?.changed()?);
    assert!(!lab.module(NODE, "pve_ovs_bond", arguments)?.changed()?);
    Ok(())
}

/// Ansible deletes a module's folder when the connection is gone.
#[test]
fn the_guard_goes_back_where_the_module_itself_is_deleted() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let before = lab.configuration(NODE)?;
    lab.write(NODE, "/root/held", "echo $$ >/tmp/reload; exec sleep 600")?;
    lab.sh(NODE, &format!("cp {} /tmp/module", Lab::module_path("pve_ovs_bond").display()))?;
    let arguments = bond(&MEMBERS).to_string();
    let words =
        ["env", "BOTHENDS_IFRELOAD=sh /root/held", "sh", "-c", "echo \"$0\" | /tmp/module -", &arguments];
    let child = lab.exec_command(NODE, &words).stdout(Stdio::null()).spawn()?;
    let run = Run { lab: &lab, child };
    run.wait_for("[ -s /tmp/reload ]")?;
    lab.sh(NODE, "rm /tmp/module")?;
    assert_ne!(lab.configuration(NODE)?, before);
    // What went back is its copy, and the reload of it may be another one by then.
    lab.write(NODE, "/root/held", "exec /sbin/ifreload -a")?;
    run.kill()?;
    lab.wait_until_undone(NODE)?;
    assert_eq!(lab.configuration(NODE)?, before);
    Ok(())
}

/// `ifreload` is left behind by a run that is killed, and may be at work when the next one begins.
#[test]
fn an_ifreload_that_outlives_its_run_does_not_get_in_the_way() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let before = lab.configuration(NODE)?;
    lab.write(NODE, "/root/slow", "touch /tmp/reached; exec /sbin/ifreload -a")?;
    let child =
        lab.start_module(NODE, &["BOTHENDS_IFRELOAD=sh /root/slow"], "pve_ovs_bond", &bond(&MEMBERS))?;
    let run = Run { lab: &lab, child };
    run.wait_for("[ -e /tmp/reached ]")?;
    run.kill_with_guard()?;
    let next = lab.module(NODE, "pve_ovs_bond", &bond(&MEMBERS))?;
    assert_eq!(next.failure()?, ("interrupted_run", "rolled_back"), "{}", next.message());
    wait_until("the old `ifreload` to end", LONG, || {
        Ok((lab.sh(NODE, "pgrep -cf [/]sbin/ifreload || true")?.trim() == "0").then_some(()))
    })?;
    assert_eq!(lab.configuration(NODE)?, before);
    assert!(lab.module(NODE, "pve_ovs_bond", &bond(&MEMBERS))?.changed()?);
    Ok(())
}

#[test]
fn check_mode_tells_of_a_killed_run_and_touches_nothing() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    Run::stopped_at(&lab, Point::BeforeReload, &bond(&OTHER_MEMBERS))?.kill_with_guard()?;
    let before = lab.snapshot(NODE)?;
    let predicted = lab.check(NODE, "pve_ovs_bond", &bond(&OTHER_MEMBERS))?;
    let told = predicted.result["warnings"].to_string();
    assert!(told.contains("an earlier run was interrupted"), "{told}");
    assert_eq!(lab.snapshot(NODE)?, before);
    Ok(())
}

#[test]
fn somebody_can_go_back_from_a_killed_run_by_hand() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    Run::stopped_at(&lab, Point::AfterReload, &bond(&OTHER_MEMBERS))?.kill_with_guard()?;
    assert_ne!(lab.configuration(NODE)?, before);

    let folder = lab.checkpoints(NODE)?.remove(0);
    // Any of the modules can.
    let module = Lab::module_path("pve_ovs_bridge");
    let go_back = || -> Result<Answer> {
        let words = [&*module.to_string_lossy(), "--rollback", &folder];
        answer(&lab.exec_command(NODE, &words).output()?)
    };
    assert!(go_back()?.changed()?);
    assert_eq!(lab.configuration(NODE)?, before);
    assert_eq!(go_back()?.failure()?.1, "unchanged");
    assert!(lab.module(NODE, "pve_ovs_bond", &bond(&OTHER_MEMBERS))?.changed()?);
    Ok(())
}

/// A way back that is cut short itself is gone again from its beginning.
#[test]
fn a_way_back_that_was_killed_is_gone_by_the_next_run() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    Run::stopped_at(&lab, Point::AfterReload, &bond(&OTHER_MEMBERS))?.kill_with_guard()?;
    for point in [Point::BeforeReload, Point::AfterReload] {
        Run::stopped_at(&lab, point, &bond(&OTHER_MEMBERS))?.kill_with_guard()?;
    }
    let next = lab.module(NODE, "pve_ovs_bond", &bond(&OTHER_MEMBERS))?;
    assert_eq!(next.failure()?, ("interrupted_run", "rolled_back"), "{}", next.message());
    assert_eq!(lab.configuration(NODE)?, before);
    Ok(())
}

#[test]
fn a_run_that_is_told_to_stop_goes_back_and_says_so() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bond(NODE, &MEMBERS)?;
    let before = lab.configuration(NODE)?;
    for signal in ["TERM", "INT", "HUP"] {
        for point in [Point::BeforeReload, Point::AfterReload] {
            let run = Run::stopped_at(&lab, point, &bond(&OTHER_MEMBERS))?;
            run.signal(signal)?;
            lab.sh(NODE, "touch /tmp/go")?;
            let told = answer(&run.child.wait_with_output()?)?;
            assert_eq!(told.failure()?, ("interrupted", "rolled_back"), "{signal}: {}", told.message());
            assert_eq!(lab.configuration(NODE)?, before, "{signal} {point:?}");
        }
    }
    assert!(lab.module(NODE, "pve_ovs_bond", &bond(&OTHER_MEMBERS))?.changed()?);
    Ok(())
}

#[test]
fn a_run_waits_for_another_one_on_the_same_node() -> Result<()> {
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    let run = Run::stopped_at(&lab, Point::BeforeReload, &bond(&MEMBERS))?;
    let mgmt = json!({"name": "mgmt", "bridge": "vmbr0", "tag": 10, "cidr": "10.10.0.2/24"});

    let impatient = lab.module_with(NODE, &["BOTHENDS_LIMIT_NODE_LOCK=1"], "pve_ovs_intport", &mgmt)?;
    assert_eq!(impatient.failure()?, ("locked", "unchanged"));
    let holder = format!("pid {}, pve_ovs_bond", run.pid()?);
    assert!(impatient.message().contains(&holder), "{}", impatient.message());
    // Check mode asks nobody, and sees that the bond is in the file and not live yet.
    assert_eq!(lab.check(NODE, "pve_ovs_intport", &mgmt)?.failure()?, ("foreign_changes", "unchanged"));
    let mut both = mgmt.clone();
    both["foreign_changes"] = "apply".into();
    assert!(lab.check(NODE, "pve_ovs_intport", &both)?.changed()?);

    let patient = lab.start_module(NODE, &[], "pve_ovs_intport", &mgmt)?;
    lab.sh(NODE, "touch /tmp/go")?;
    assert!(answer(&run.child.wait_with_output()?)?.changed()?);
    assert!(answer(&patient.wait_with_output()?)?.changed()?);
    assert_eq!(lab.vsctl(NODE, &["list-ports", "vmbr0"])?, "bond0\nmgmt");
    Ok(())
}

/// `pve_ovs_bond` at work.
struct Run<'a> {
    lab: &'a Lab,
    child: Child,
}

impl<'a> Run<'a> {
    /// Starts it and waits until it stands at `point`. `/tmp/go` lets it go on from a reload.
    fn stopped_at(lab: &'a Lab, point: Point, arguments: &Value) -> Result<Self> {
        let stop = "echo $$ >/tmp/reload; while [ ! -e /tmp/go ]; do sleep 0.05; done";
        let script = match point {
            Point::AfterReload => format!("/sbin/ifreload -a; status=$?; {stop}; exit $status"),
            _ => format!("{stop}; exec /sbin/ifreload -a"),
        };
        lab.write(NODE, "/root/ifreload", &script)?;
        lab.sh(NODE, "rm -f /tmp/reload /tmp/go")?;
        let is_early = matches!(point, Point::Checkpoint | Point::FileWritten);
        if is_early {
            lab.sh(
                NODE,
                "lock=/etc/network/.pve-interfaces.lock
                 flock --close $lock sleep 600 >/dev/null 2>&1 </dev/null & echo $! >/tmp/holder
                 while flock --nonblock $lock true; do sleep 0.05; done",
            )?;
        }
        let environment = [
            "BOTHENDS_IFRELOAD=sh /root/ifreload",
            "BOTHENDS_LIMIT_PROXMOX_LOCK=60",
            "BOTHENDS_LIMIT_OVSDB=60",
        ];
        let run = Self { lab, child: lab.start_module(NODE, &environment, "pve_ovs_bond", arguments)? };
        if is_early {
            run.wait_for_step("write the interfaces file")?;
        }
        match point {
            Point::Checkpoint => {}
            Point::FileWritten => {
                lab.sh(NODE, "kill -STOP $(cat /run/openvswitch/ovsdb-server.pid); kill $(cat /tmp/holder)")?;
                run.wait_for_step("exchange members|reload")?;
            }
            Point::BeforeReload | Point::AfterReload => run.wait_for("[ -s /tmp/reload ]")?,
        }
        Ok(run)
    }

    fn wait_for(&self, condition: &str) -> Result<()> {
        let script = format!("{condition} || echo no");
        wait_until(condition, LONG, || Ok(self.lab.sh(NODE, &script)?.is_empty().then_some(())))
    }

    fn wait_for_step(&self, step: &str) -> Result<()> {
        self.wait_for(&format!("grep -qsE '\"step\":\"({step})\"' /var/lib/bothends/*/checkpoint.json"))
    }

    /// Its process id in the node: the one that has the lock.
    fn pid(&self) -> Result<String> {
        let holder = self.lab.read(NODE, "/run/bothends/node.lock")?;
        let pid =
            holder.strip_prefix("pid ").and_then(|rest| rest.split_once(',')).context(holder.clone())?;
        Ok(pid.0.to_owned())
    }

    fn signal(&self, signal: &str) -> Result<()> {
        self.lab.exec(NODE, &["kill", "-s", signal, &self.pid()?]).map(drop)
    }

    /// Kills it and its guard, so that the next run finds what it left.
    fn kill_with_guard(self) -> Result<()> {
        self.lab.kill_guards(NODE)?;
        self.kill()
    }

    /// Kills it, and takes out of the way what made it stand still – and would make whoever goes back stand still.
    fn kill(mut self) -> Result<()> {
        let script = format!(
            "[ ! -s /tmp/reload ] || reload=$(cat /tmp/reload)
             {KILL_RUN}
             kill -CONT $(cat /run/openvswitch/ovsdb-server.pid)
             for process in $reload $(cat /tmp/holder 2>/dev/null); do kill -KILL $process 2>/dev/null || true; done
             rm -f /tmp/holder; touch /tmp/go"
        );
        self.lab.sh(NODE, &script)?;
        self.child.wait()?;
        Ok(())
    }
}
