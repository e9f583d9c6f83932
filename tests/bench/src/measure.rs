//! On the node: how long a command takes as a process, and whether it starts others.

use std::process::{Command, Stdio};
use std::time::Instant;
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What many runs of one command took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Measured {
    /// Milliseconds, half of the runs took less.
    pub median_ms: f64,
    /// The same of the time that a processor was at work for it.
    pub cpu_ms: f64,
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

/// What a command has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expected {
    /// That nothing was to be done.
    Unchanged,
    /// That something was, or would be.
    Changed,
}

/// Runs a command as often as the first word says, after some runs that do not count. The second word is what each has to answer.
pub fn measure(words: &[String]) -> Result<Measured> {
    let [runs, expected, command @ ..] = words else { bail!("usage: measure RUNS EXPECTED COMMAND") };
    let expected = serde_json::from_str(expected)?;
    let (mut times, mut cpu_times, mut others) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..3 {
        once(command, expected)?;
    }
    for _ in 0..runs.parse()? {
        let before = cpu_ms()?;
        let (took, taken) = once(command, expected)?;
        times.push(took);
        cpu_times.push(cpu_ms()? - before);
        others.push(taken);
    }
    Ok(Measured {
        median_ms: median(times)?,
        cpu_ms: median(cpu_times)?,
        others: (
            others.iter().min().copied().context("no run")?,
            others.iter().max().copied().context("no run")?,
        ),
    })
}

/// Half of the values are less.
pub fn median(mut values: Vec<f64>) -> Result<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().context("no run")
}

/// What the commands that have ended took of the processors until now.
#[expect(clippy::cast_precision_loss, reason = "minutes in microseconds")]
fn cpu_ms() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    Ok((usage.user_time() + usage.system_time()).num_microseconds() as f64 / 1e3)
}

/// Runs a command: how long it took in milliseconds, and how many other processes came into being.
pub fn once(command: &[String], expected: Expected) -> Result<(f64, u64)> {
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
        output.status.success() && answer.get("changed") == Some(&Value::Bool(expected == Expected::Changed)),
        "expected was {expected:?}: {answer:#}"
    );
    Ok((took, taken))
}

/// The last process or thread id that was given out in this process id namespace, which is the node's: `proc(5)`.
fn last_id() -> Result<u64> {
    let load = fs::read_to_string("/proc/loadavg")?;
    load.split_whitespace().last().and_then(|id| id.parse().ok()).context("reading /proc/loadavg")
}
