//! A playbook that runs while a test looks on, task by task, and whose control node can lose power.

use std::io::{BufRead as _, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::Lab;

/// A run of a playbook.
#[derive(Debug)]
pub struct Begun<'a> {
    lab: &'a Lab,
    child: Child,
    output: Lines<BufReader<ChildStdout>>,
    /// What was read of it.
    told: String,
}

impl<'a> Begun<'a> {
    /// Starts a command that runs a playbook.
    pub fn start(lab: &'a Lab, command: &mut Command) -> Result<Self> {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
        let output = BufReader::new(child.stdout.take().context("no output")?).lines();
        Ok(Self { lab, child, output, told: String::new() })
    }

    /// The name of its next task, as soon as that begins.
    pub fn task(&mut self) -> Option<String> {
        let told = &mut self.told;
        let mut lines = self.output.by_ref().map_while(Result::ok);
        lines.find_map(|line| {
            told.push_str(&line);
            told.push('\n');
            Some(line.strip_prefix("TASK [")?.split_once(']')?.0.to_owned())
        })
    }

    /// Follows it until this task begins.
    pub fn until(mut self, task: &str) -> Result<Self> {
        let begins = std::iter::from_fn(|| self.task()).any(|begun| begun == task);
        ensure!(begins, "`{task}` did not begin: {}", self.told);
        Ok(self)
    }

    /// Waits for its end.
    pub fn ends(mut self) -> Result<ExitStatus> {
        Ok(self.child.wait()?)
    }

    /// Every process of the control node dies: Ansible, its workers, the module for the switch. What it began on a
    /// node is alone from then on.
    pub fn power_fails(self) -> Result<()> {
        self.lab.exec("control", &["bash", "-c", "kill -KILL -1"])?;
        self.ends().map(drop)
    }
}
