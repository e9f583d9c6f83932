//! `make faults`: the cells of the table one after the other, in several labs at once, and how each came out.
//!
//! `faults [--labs N] [PATTERN…]`: the cells whose name has a pattern in it, or all.

#![expect(clippy::print_stdout, reason = "what it prints is what it is for")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use faults::cell::Cell;
use faults::run::{self, Outcome};
use faults::table;
use lab::uplink::OldState;

/// Two cores carry as many; more make each other late.
const LABS: usize = 4;

struct Call {
    labs: usize,
    patterns: Vec<String>,
}

impl Call {
    fn parse(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut call = Self { labs: LABS, patterns: Vec::new() };
        let mut words = words.peekable();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--labs" => {
                    let number = words.next().context("--labs takes a number")?;
                    call.labs =
                        number.parse().ok().filter(|labs| *labs > 0).context("--labs takes a number")?;
                }
                option if option.starts_with('-') => bail!("unknown option `{option}`"),
                _ => call.patterns.push(word),
            }
        }
        Ok(call)
    }

    fn means(&self, cell: &Cell) -> bool {
        let name = cell.name();
        self.patterns.is_empty() || self.patterns.iter().any(|pattern| name.contains(pattern))
    }
}

fn main() -> Result<ExitCode> {
    let call = Call::parse(std::env::args().skip(1))?;
    let cells: Vec<Cell> = table::cells()?.into_iter().filter(|cell| call.means(cell)).collect();
    ensure!(!cells.is_empty(), "no cell has {:?} in its name", call.patterns);
    if call.patterns.is_empty() {
        for old in OldState::ALL {
            run::undisturbed(old)
                .with_context(|| format!("an undisturbed migration from `{}`", old.name()))?;
            println!("as written  nothing, from `{}`: new/new done", old.name());
        }
    }
    let began = Instant::now();
    let count = cells.len();
    let tally = run_all(cells, &call);
    println!();
    println!(
        "cells run {count}, recovered {}, locked out {}; otherwise than written {}, failed to run {}; {} minutes",
        tally.recovered,
        tally.locked_out,
        tally.otherwise,
        tally.not_run,
        began.elapsed().as_secs() / 60
    );
    let is_good = tally.as_written == count;
    Ok(if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

#[derive(Default)]
struct Tally {
    recovered: usize,
    as_written: usize,
    otherwise: usize,
    locked_out: usize,
    not_run: usize,
}

/// Runs the cells, and prints each as it comes out.
fn run_all(cells: Vec<Cell>, call: &Call) -> Tally {
    let queue = Mutex::new(cells.into_iter());
    let (sender, receiver) = mpsc::channel();
    let mut tally = Tally::default();
    thread::scope(|scope| {
        for _ in 0..call.labs {
            let (queue, sender) = (&queue, sender.clone());
            scope.spawn(move || {
                while let Some(cell) = queue.lock().ok().and_then(|mut queue| queue.next()) {
                    let outcome = run::run(&cell);
                    // Who counts is there until all have ended.
                    let _ = sender.send((cell, outcome));
                }
            });
        }
        drop(sender);
        for (cell, outcome) in receiver {
            tell(&cell, outcome, &mut tally);
        }
    });
    tally
}

fn tell(cell: &Cell, outcome: Result<Outcome>, tally: &mut Tally) {
    match outcome {
        Ok(Outcome::AsWritten(times)) => {
            tally.recovered += 1;
            tally.as_written += 1;
            println!("as written  {cell}: {}; {times}", cell.expected);
        }
        Ok(Outcome::Otherwise(how)) => {
            tally.recovered += 1;
            tally.otherwise += 1;
            println!("OTHERWISE   {cell}: {how}");
        }
        Ok(Outcome::LockedOut(how)) => {
            tally.locked_out += 1;
            println!("LOCKED OUT  {cell}: {how}");
        }
        Err(error) => {
            tally.not_run += 1;
            println!("NOT RUN     {cell}: {error:#}");
        }
    }
}
