//! Kills runs at random moments of a change, again and again, and looks from outside whether the node is as before
//! or as declared, never in between. `soak [KILLS [SEED]]`; says at the end what it saw.

use std::io::Write;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, ensure};
use lab::bond::bond;
use lab::{Lab, wait_until};
use serde_json::{Value, json};

const NODE: &str = "node1";
/// How often a kill came when.
#[derive(Debug, Default)]
struct Tally {
    untouched: u32,
    undone: u32,
    done: u32,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let kills: u32 = arguments.next().map_or(Ok(200), |text| text.parse()).context("the number of kills")?;
    let seed = match arguments.next() {
        Some(text) => text.parse().context("the seed")?,
        None => u64::from(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.subsec_nanos()),
    };

    let start = Instant::now();
    let lab = Lab::up()?;
    lab.make_bridge(NODE)?;
    // How long a run takes on this machine is where the kills have to fall.
    let begin = Instant::now();
    lab.module(NODE, "pve_ovs_bond", &bond(&["ens20f0np0", "ens20f1np1"]))?.changed()?;
    let longest = u64::try_from(begin.elapsed().as_millis())?;
    lab.module(NODE, "pve_ovs_bond", &json!({"name": "bond0", "state": "absent"}))?.changed()?;

    // A generator of zeros would stay there.
    let mut random = Random(seed | 1);
    let mut tally = Tally::default();
    let changes = [
        bond(&["ens20f0np0", "ens20f1np1"]),
        json!({"name": "bond0", "tag": 20}),
        bond(&["ens20f0np0", "ens21f0np0"]),
        bond(&["ens19f0np0", "ens20f0np0", "ens20f1np1"]),
        json!({"name": "bond0", "tag": 0, "lacp_time": "slow"}),
        json!({"name": "bond0", "state": "absent"}),
    ];
    for (kill, change) in (0..kills).zip(changes.iter().cycle()) {
        let delay = Duration::from_millis(random.below(longest));
        one(&lab, change, delay, &mut tally)
            .with_context(|| format!("kill {kill} of seed {seed}, after {delay:?}: {change}"))?;
    }
    let Tally { untouched, undone, done } = tally;
    let time = start.elapsed().as_secs();
    writeln!(
        std::io::stdout(),
        "{kills} kills in {time} s (seed {seed}): {untouched} before anything was touched, {undone} undone by the \
         next run, {done} after all was done; the node was never left in between"
    )?;
    Ok(())
}

fn one(lab: &Lab, change: &Value, delay: Duration, tally: &mut Tally) -> Result<()> {
    let before = lab.configuration(NODE)?;
    // From inside of the node: what is killed is the module, and not what entered the namespace.
    let killer = ["timeout", "--signal=KILL", &delay.as_secs_f64().to_string()];
    lab.start_module(NODE, &killer, "pve_ovs_bond", change)?.wait_with_output()?;

    let next = lab.module(NODE, "pve_ovs_bond", change)?;
    if next.status == 0 {
        if next.changed()? {
            tally.untouched += 1;
        } else {
            tally.done += 1;
        }
    } else {
        let (code, outcome) = next.failure()?;
        ensure!((code, outcome) == ("interrupted_run", "rolled_back"), "{}", next.message());
        tally.undone += 1;
        // A reload that was left behind is still at work.
        wait_until("`ifreload` to end", Duration::from_secs(60), || {
            let count = lab.sh(NODE, "pgrep -cf [/]sbin/ifreload || true")?;
            Ok((count.trim() == "0").then_some(()))
        })?;
        let after = lab.configuration(NODE)?;
        ensure!(after == before, "not as before:\n{before}\n---\n{after}");
        ensure!(lab.module(NODE, "pve_ovs_bond", change)?.changed()?, "the run after it had nothing to do");
    }
    ensure!(!lab.module(NODE, "pve_ovs_bond", change)?.changed()?, "the last run was not idle");
    Ok(())
}

/// A small generator (xorshift64), so that a seed repeats a run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
