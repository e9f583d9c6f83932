//! The cells of the table that `make test` runs, each a test: a row of the table is a row of its tests, and nothing is
//! written twice.

use anyhow::{Context, Result};
use faults::run::{self, Outcome};
use faults::table;
use lab::uplink::OldState;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for old in OldState::ALL {
        let name = format!("undisturbed::from_{}", old.name());
        trials.push(Trial::test(name, move || run::undisturbed(old).map_err(|error| told(&error))));
    }
    for cell in table::cells().context("there are no cells")? {
        let is_ignored = !cell.is_small;
        let trial = Trial::test(cell.name(), move || match run::run(&cell) {
            Ok(Outcome::AsWritten(_)) => Ok(()),
            Ok(Outcome::Otherwise(how)) => Err(format!("otherwise than written: {how}").into()),
            Ok(Outcome::LockedOut(how)) => Err(format!("locked out: {how}").into()),
            Err(error) => Err(told(&error)),
        });
        trials.push(trial.with_ignored_flag(is_ignored));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn told(error: &anyhow::Error) -> Failed {
    format!("{error:#}").into()
}
