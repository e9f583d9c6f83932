//! `playbooks/lacp.yml` whose control node loses power: as each task begins, and in the middle of each change. Run again,
//! it ends where an uninterrupted run does.

use std::io::{BufRead, BufReader, Lines};
use std::iter;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use lab::{Lab, wait_until};

const NODES: [&str; 2] = ["node1", "node2"];
/// The tasks of the first play, and those for `node1`. Those for `node2` are the same.
const TASKS: usize = 15;
const LONG: Duration = Duration::from_secs(60);

#[test]
fn interrupted_anywhere_and_run_again_it_ends_the_same() -> Result<()> {
    let lab = Lab::up_switch()?;
    for number in 1..=TASKS {
        let mut run = Run::start(&lab, &[])?;
        let reached = (0..number).all(|_| run.task().is_some());
        run.power_fails()?;
        assert!(reached, "the playbook has no task {number}");
    }
    for task in ["Bridge", "Bond", "IntPorts"] {
        amid(&lab, task, || Ok(!lab.sh("node2", "ls /var/lib/bothends")?.is_empty()))?;
    }
    // So that a session, and the time between its commit and the confirmation, last long enough to be met.
    lab.switch_control("delay 100")?;
    for line in ["channel-group", "commit timer"] {
        let before = typed(&lab, line)?;
        amid(&lab, "The switch's end", || Ok(typed(&lab, line)? > before))?;
    }
    lab.switch_control("clear")?;

    // A module that was killed with its connection is undone by the next one, which does nothing else.
    let ended = match lab.playbook("lacp.yml", &[]) {
        Err(error) if error.to_string().contains("interrupted_run") => lab.playbook("lacp.yml", &[]),
        ended => ended,
    };
    ended?;
    assert_eq!(lab.playbook("lacp.yml", &[])?.count("changed"), [0, 0]);

    let uninterrupted = Lab::up_switch()?;
    uninterrupted.playbook("lacp.yml", &[])?;
    for node in NODES {
        assert_eq!(lab.configuration(node)?, uninterrupted.configuration(node)?, "{node}");
    }
    // Where no session waits either, and no commit timer runs.
    assert_eq!(lab.switch_snapshot()?, uninterrupted.switch_snapshot()?);
    Ok(())
}

/// Interrupts the playbook in the middle of what a task changes at `node2`'s link.
fn amid(lab: &Lab, task: &str, is_under_way: impl Fn() -> Result<bool>) -> Result<()> {
    // The run after the one before may only have undone that one's change.
    for _ in 0..2 {
        let mut run = Run::start(lab, &["--limit", "node2"])?;
        let begun = iter::from_fn(|| run.task()).any(|found| found == task);
        let met = !begun || wait_until(task, LONG, || Ok(is_under_way()?.then_some(()))).is_ok();
        run.power_fails()?;
        ensure!(met, "the change by `{task}` was not met");
        if begun {
            return Ok(());
        }
    }
    bail!("`{task}` did not begin");
}

/// How often a line that has these words was typed at the switch.
fn typed(lab: &Lab, words: &str) -> Result<usize> {
    Ok(lab.switch_control("lines")?.matches(words).count())
}

/// A run of the playbook.
struct Run<'a> {
    lab: &'a Lab,
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
}

impl<'a> Run<'a> {
    fn start(lab: &'a Lab, arguments: &[&str]) -> Result<Self> {
        let mut command = lab.playbook_command("lacp.yml", arguments)?;
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { lab, child, output })
    }

    /// The name of its next task, as soon as that begins.
    fn task(&mut self) -> Option<String> {
        let mut lines = self.output.by_ref().map_while(Result::ok);
        lines.find_map(|line| Some(line.strip_prefix("TASK [")?.split_once(']')?.0.to_owned()))
    }

    /// Every process of the control node dies: Ansible, its workers, the module for the switch. What it began on a
    /// node is alone from then on.
    fn power_fails(mut self) -> Result<()> {
        self.lab.exec("control", &["bash", "-c", "kill -KILL -1"])?;
        self.child.wait()?;
        Ok(())
    }
}
