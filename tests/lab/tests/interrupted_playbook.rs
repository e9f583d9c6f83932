//! `playbooks/lacp.yml` whose control node loses power: as each task begins, and in the middle of each change. Run again,
//! it ends where an uninterrupted run does.

use std::time::Duration;

use anyhow::Result;
use lab::begun::Begun;
use lab::guard::{KILL_GUARDS, KILL_RUN};
use lab::{Lab, wait_until};

const NODES: [&str; 2] = ["node1", "node2"];
/// The tasks of the first play, and those for `node1`. Those for `node2` are the same.
const TASKS: usize = 17;
const LONG: Duration = Duration::from_secs(60);
/// Shows something while a module changes the node.
const CHECKPOINT: &str = "find /var/lib/bothends -maxdepth 1 -name 'checkpoint-*'";

#[test]
fn interrupted_anywhere_and_run_again_it_ends_the_same() -> Result<()> {
    let lab = Lab::up_switch()?;
    for number in 1..=TASKS {
        let mut run = start(&lab, &[])?;
        let reached = (0..number).all(|_| run.task().is_some());
        run.power_fails()?;
        assert!(reached, "the playbook has no task {number}");
    }
    for task in ["Bridge", "Bond"] {
        amid(&lab, task, || Ok(!lab.sh("node2", CHECKPOINT)?.is_empty()))?.power_fails()?;
    }
    // Where the module on the node is killed, the next run goes back from what it left, and does nothing else.
    let kill = format!("[ -z \"$({CHECKPOINT})\" ] || {{ {KILL_GUARDS} {KILL_RUN} echo killed; }}");
    let killed = || Ok(lab.sh("node2", &kill)?.contains("killed"));
    amid(&lab, "IntPorts", killed)?.ends()?;
    let undone = lab.failing_playbook("lacp.yml", &["--limit", "node2"])?;
    assert_eq!(undone.results["node2 Bridge"]["error"]["code"], "interrupted_run", "{}", undone.text);
    amid(&lab, "IntPorts", || Ok(!lab.sh("node2", CHECKPOINT)?.is_empty()))?.power_fails()?;
    // So that a session, and the time between its commit and the confirmation, last long enough to be met.
    lab.switch_control("delay 100")?;
    for line in ["channel-group", "commit timer"] {
        let before = typed(&lab, line)?;
        amid(&lab, "The switch's end", || Ok(typed(&lab, line)? > before))?.power_fails()?;
    }
    lab.switch_control("clear")?;

    lab.playbook("lacp.yml", &[])?;
    assert_eq!(lab.playbook("lacp.yml", &[])?.count("changed"), [0, 0]);

    let uninterrupted = Lab::up_switch()?;
    let whole = uninterrupted.playbook("lacp.yml", &[])?;
    // The first two are there once.
    assert_eq!(whole.text.matches("TASK [").count(), 2 * TASKS - 2, "not every task was interrupted");
    for node in NODES {
        assert_eq!(lab.configuration(node)?, uninterrupted.configuration(node)?, "{node}");
    }
    // Where no session waits either, and no commit timer runs.
    assert_eq!(lab.switch_snapshot()?, uninterrupted.switch_snapshot()?);
    Ok(())
}

fn start<'a>(lab: &'a Lab, arguments: &[&str]) -> Result<Begun<'a>> {
    Begun::start(lab, &mut lab.playbook_command("lacp.yml", arguments)?)
}

/// The playbook, in the middle of what a task changes at `node2`'s link.
fn amid<'a>(lab: &'a Lab, task: &str, is_under_way: impl Fn() -> Result<bool>) -> Result<Begun<'a>> {
    let run = start(lab, &["--limit", "node2"])?.until(task)?;
    wait_until(&format!("the change by `{task}`"), LONG, || Ok(is_under_way()?.then_some(())))?;
    Ok(run)
}

/// How often a line that has these words was typed at the switch.
fn typed(lab: &Lab, words: &str) -> Result<usize> {
    Ok(lab.switch_control("lines")?.matches(words).count())
}
