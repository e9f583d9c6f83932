//! The table as a file that people read, taken apart strictly: every fault a row, every phase a column, in their order,
//! and in each cell what it has to come to, or `n/a` with the number of its reason.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};

use crate::cell::Cell;
use crate::fault::Fault;
use crate::phase::Phase;

/// The table of this project.
pub const TEXT: &str = include_str!("../matrix.md");
/// The first word of its first line.
const CORNER: &str = "fault";

/// The cells that are run, row by row.
pub fn cells() -> Result<Vec<Cell>> {
    parse(TEXT).context("reading tests/faults/matrix.md")
}

fn parse(text: &str) -> Result<Vec<Cell>> {
    let rows: Vec<&str> = text.lines().collect();
    let begin = rows.iter().position(|line| columns(line).is_some_and(|head| head.first() == Some(&CORNER)));
    let begin = begin.with_context(|| format!("there is no table that begins with `| {CORNER} |`"))?;
    let mut lines = rows.iter().skip(begin).map_while(|line| columns(line));

    let head: Vec<&str> = [CORNER].into_iter().chain(Phase::ALL.map(Phase::name)).collect();
    ensure!(lines.next().as_ref() == Some(&head), "the columns are not: {}", head.join(", "));
    let is_rule = |line: &Vec<&str>| line.len() == head.len() && line.iter().all(|cell| *cell == "---");
    ensure!(
        lines.next().as_ref().is_some_and(is_rule),
        "the head is not followed by `|---|` for each column"
    );

    let mut reasons = BTreeSet::new();
    let mut cells = Vec::new();
    let mut faults = Fault::ALL.into_iter();
    for line in lines {
        let expected = faults.next().map_or("nothing more", Fault::name);
        let (name, row) = line.split_first().context("a row without cells")?;
        ensure!(*name == expected, "the row `{name}` stands where `{expected}` has its place");
        let fault = Fault::ALL.into_iter().find(|fault| fault.name() == *name).context("no fault")?;
        ensure!(row.len() == Phase::ALL.len(), "`{name}` has {} cells", row.len());
        for (phase, text) in Phase::ALL.into_iter().zip(row) {
            if let Some(reason) = text.strip_prefix("n/a") {
                reasons.insert(reason.trim().to_owned());
                continue;
            }
            let cell = Cell::parse(fault, phase, text);
            cells.push(cell.with_context(|| format!("{name}, {}: `{text}`", phase.name()))?);
        }
    }
    if let Some(missing) = faults.next() {
        bail!("the row `{}` is missing", missing.name());
    }
    let given = text.lines().filter_map(footnote).collect::<BTreeSet<_>>();
    ensure!(reasons == given, "cells refer to the footnotes {reasons:?}, and there are {given:?}");
    Ok(cells)
}

/// The cells of a line of a table.
fn columns(line: &str) -> Option<Vec<&str>> {
    let cells = line.trim_end().strip_prefix('|')?.strip_suffix('|')?;
    Some(cells.split('|').map(str::trim).collect())
}

/// The mark of a footnote, `[^1]`, from the line `[^1]: why`.
fn footnote(line: &str) -> Option<String> {
    let (mark, reason) = line.split_once(": ")?;
    (mark.starts_with("[^") && mark.ends_with(']') && !reason.trim().is_empty()).then(|| mark.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(change: impl Fn(usize, String) -> String) -> String {
        let head = format!("| {CORNER} | {} |", Phase::ALL.map(Phase::name).join(" | "));
        let rows = Fault::ALL.map(|fault| format!("| {} |{}", fault.name(), " old/old failed |".repeat(6)));
        let lines = [head, format!("|{}", "---|".repeat(7))].into_iter().chain(rows);
        let lines = lines.enumerate().map(|(number, line)| change(number, line));
        format!("# Head\n\n{}\n\n[^1]: it cannot be\n", lines.collect::<Vec<_>>().join("\n"))
    }

    /// The first cell of the first row is this.
    fn with_cell(cell: &str) -> Result<Vec<Cell>> {
        parse(&table(|number, line| match number {
            2 => line.replacen("old/old failed", cell, 1),
            3 => line.replacen("old/old failed", "n/a [^1]", 1),
            _ => line,
        }))
    }

    #[test]
    fn the_projects_table_is_whole_and_what_is_run_without_more_is_spread_over_it() {
        let cells = cells().unwrap();
        let spread = |chosen: &[&Cell], count: usize, rows: usize, columns: usize| {
            let faults: BTreeSet<_> = chosen.iter().map(|cell| cell.fault).collect();
            let phases: BTreeSet<_> = chosen.iter().map(|cell| cell.phase).collect();
            assert!(chosen.len() >= count && faults.len() >= rows && phases.len() >= columns, "{chosen:#?}");
        };
        spread(&cells.iter().filter(|cell| cell.is_small).collect::<Vec<_>>(), 12, 10, 6);
        spread(&cells.iter().filter(|cell| cell.needs_guard).collect::<Vec<_>>(), 5, 5, 3);
    }

    #[test]
    fn the_cells_that_need_the_guard_are_those_that_are_run_without_it() {
        let patch = include_str!("../../disabled/guard_of_a_migration.patch");
        let (_, named) = patch.lines().next().unwrap().split_once("/^(").unwrap();
        let named: BTreeSet<&str> = named.split_once(")$/").unwrap().0.split('|').collect();
        let cells = cells().unwrap();
        let marked: Vec<String> = cells.iter().filter(|cell| cell.needs_guard).map(Cell::name).collect();
        assert_eq!(named, marked.iter().map(String::as_str).collect());
    }

    #[test]
    fn a_cell_is_read_with_its_marks() {
        let cells = with_cell("*!new/old gone, staged, vmbr0").unwrap();
        assert_eq!(cells.len(), Fault::ALL.len() * Phase::ALL.len() - 1);
        let first = cells.first().unwrap();
        assert_eq!(first.expected.to_string(), "new/old gone, staged");
        assert!(first.is_small && first.needs_guard);
        assert_eq!(first.old, lab::uplink::OldState::Vmbr0);
        assert_eq!(first.name(), "control_connection_cut::before_write");
    }

    #[test]
    fn what_is_not_exactly_a_table_is_refused() {
        for wrong in [
            "",
            "old",
            "old/old",
            "old failed",
            "old/older failed",
            "old/old lost",
            "old/old failed, later",
            "old/old failed, staged, staged",
            "!*old/old failed",
            "**old/old failed",
            "n/a",
            "n/a [^2]",
            "old/old  failed",
        ] {
            assert!(with_cell(wrong).is_err(), "{wrong}");
        }
        let without =
            |line: usize| parse(&table(|number, text| if number == line { String::new() } else { text }));
        for line in 0..Fault::ALL.len() + 2 {
            assert!(without(line).is_err(), "{line}");
        }
        // A reason that nobody refers to.
        assert!(parse(&table(|_, line| line)).is_err());
        assert!(
            parse(&table(|number, line| if number == 4 {
                line.replacen("| old/old failed ", "", 1)
            } else {
                line
            }))
            .is_err()
        );
    }
}
