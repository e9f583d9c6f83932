//! `soak [KILLS [REAL [SEED]]]`: kills runs at random moments of a change, KILLS of them with a quick stand-in for
//! `ifreload -a` and REAL with ifupdown2's, and says at the end how they came out.

use std::io::Write;
use std::time::{Instant, SystemTime};

use anyhow::{Context, Result};
use lab::soak::{Reload, Soak, Tally};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64, what: &str| -> Result<u64> {
        arguments.next().map_or(Ok(default), |text| text.parse()).with_context(|| what.to_owned())
    };
    let kills = u32::try_from(number(1000, "the number of kills")?)?;
    let real = u32::try_from(number(30, "the number of kills with the real ifreload")?)?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    let seed = number(u64::from(now.subsec_nanos()), "the seed")?;
    for (reload, name, kills) in
        [(Reload::Instrumented, "an instrumented reload", kills), (Reload::Real, "ifupdown2's reload", real)]
    {
        let start = Instant::now();
        let Tally { untouched, undone_by_guard, undone_by_next, done, steps } =
            Soak::up(reload, seed)?.kill(kills).with_context(|| format!("seed {seed}, with {name}"))?;
        let steps: Vec<String> = steps.iter().map(|(step, count)| format!("{step} {count}")).collect();
        writeln!(
            std::io::stdout(),
            "{kills} kills with {name} in {} s (seed {seed}): {untouched} before anything was touched, {undone_by_guard} \
             undone by the guard, {undone_by_next} undone by the next run, {done} after all was done; the node was never left in between, and nothing of others changed\n  \
             last step begun: {}",
            start.elapsed().as_secs(),
            steps.join(", ")
        )?;
    }
    Ok(())
}
