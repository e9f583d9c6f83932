//! On the node: how long a command takes as a process, and whether it starts others.

use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What many runs of one command took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Milliseconds, half of the runs took less.
    pub median_ms: f64,
    /// Ids of processes and threads that were taken beside the command's own: the fewest in a run, and the most.
    others: (u64, u64),
}

impl Measured {
    /// How many other processes and threads came into being in a run.
    pub fn others(&self) -> String {
        match self.others {
            (fewest, most) if fewest == most => fewest.to_string(),
            (fewest, most) => format!("{fewest} to {most}"),
        }
    }
}

/// Runs `command` `runs` times, after some that do not count. Each must answer that nothing was changed.
pub fn measure(runs: u32, command: &[String]) -> Result<Measured> {
    let mut times = Vec::new();
    let mut others = Vec::new();
    for run in 0..runs + 3 {
        let (took, taken) = once(command)?;
        if run >= 3 {
            times.push(took);
            others.push(taken);
        }
    }
    times.sort_by(f64::total_cmp);
    Ok(Measured {
        median_ms: *times.get(times.len() / 2).context("no run")?,
        others: (
            others.iter().min().copied().context("no run")?,
            others.iter().max().copied().context("no run")?,
        ),
    })
}

fn once(command: &[String]) -> Result<(f64, u64)> {
    let (program, arguments) = command.split_first().context("no command")?;
    let mut command = Command::new(program);
    // What Ansible gives a module.
    command
        .args(arguments)
        .stdin(Stdio::null())
        .env_clear()
        .env("PATH", env::var("PATH")?)
        .env("HOME", "/root");
    let before = last_id()?;
    let start = Instant::now();
    let output = command.output().with_context(|| format!("starting {program}"))?;
    let took = start.elapsed().as_secs_f64() * 1e3;
    let taken =
        last_id()?.checked_sub(before + 1).context("the ids of processes began anew; run it again")?;
    let answer: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{program} answered {}", String::from_utf8_lossy(&output.stdout)))?;
    ensure!(
        output.status.success() && answer.get("changed") == Some(&Value::Bool(false)),
        "not a run with nothing to do: {answer:#}"
    );
    Ok((took, taken))
}

/// The last process or thread id that was given out in this process id namespace, which is the node's: `proc(5)`.
fn last_id() -> Result<u64> {
    let load = fs::read_to_string("/proc/loadavg")?;
    load.split_whitespace().last().and_then(|id| id.parse().ok()).context("reading /proc/loadavg")
}
