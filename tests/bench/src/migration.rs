//! For how long a node is cut off by a migration under its own feet: by the playbook, from both of the states that it begins
//! with, and by the way that one would go by hand, in turns. Asked from behind the switch, over the link that changes.
//!
//! `--capture` instead shows, of one run of each, what was on the cables around every loss.

use std::env;
use std::process::Command;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::Lab;
use lab::link::MEMBERS;
use lab::probe::{Probe, Probed};
use lab::uplink::{GUEST, MANAGEMENT, OldState};

use crate::capture::Capture;
use crate::measure::median;

const RUNS: u32 = 10;
/// What a migration by the playbook may cost in all.
const LIMIT_MS: f64 = 100.0;
/// For how long it is watched before and after.
const MARGIN: Duration = Duration::from_secs(2);

/// A way from one plain uplink to the link.
#[derive(Debug, Clone, Copy)]
enum Way {
    Playbook(OldState),
    Naive,
}

/// What one way cost whom, run by run.
struct Cost {
    name: &'static str,
    is_limited: bool,
    runs: Vec<Probed>,
}

impl Way {
    const ALL: [Self; 3] = [Self::Playbook(OldState::Nic), Self::Playbook(OldState::Vmbr0), Self::Naive];

    fn old_state(self) -> OldState {
        match self {
            Self::Playbook(old) => old,
            Self::Naive => OldState::Nic,
        }
    }

    /// Who is asked meanwhile, and what that is called.
    fn asked(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Playbook(OldState::Nic) => &[("migrate.yml, address on the NIC", MANAGEMENT)],
            Self::Playbook(OldState::Vmbr0) => &[
                ("migrate.yml, address on a Linux bridge", MANAGEMENT),
                ("  the guest on that bridge", GUEST),
            ],
            Self::Naive => &[("by hand, naively", MANAGEMENT)],
        }
    }

    fn command(self, lab: &Lab) -> Result<Command> {
        if let Self::Playbook(_) = self {
            return lab.uplink_playbook("migrate.yml", &[]);
        }
        let mut command = Command::new(Lab::project().join("tests/bench/naive"));
        command.arg(lab.prefix());
        Ok(command)
    }

    /// Goes it in a lab of its own; what became of those who are asked.
    fn go(self, lab: &Lab) -> Result<Vec<Probed>> {
        let me = env::current_exe()?;
        let program = [me.to_str().context("this program's path is not UTF-8")?, "probe"];
        let probes = self.asked().iter().map(|(_, address)| Probe::start(lab, &program, address));
        let probes = probes.collect::<Result<Vec<_>>>()?;
        thread::sleep(MARGIN);
        let output = self.command(lab)?.output().with_context(|| format!("starting {self:?}"))?;
        ensure!(
            output.status.success(),
            "{self:?} failed: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        lab.wait_for_lacp("node1", &MEMBERS)?;
        thread::sleep(MARGIN);
        probes.into_iter().map(Probe::stop).collect()
    }
}

/// Measures and prints. An error if the playbook cut anybody off for longer than it may, or if a request was answered twice:
/// then it was not Open vSwitch that answered, and nothing is known.
pub fn compare() -> Result<()> {
    let mut costs: Vec<Vec<Cost>> = Way::ALL
        .into_iter()
        .map(|way| {
            let is_limited = !matches!(way, Way::Naive);
            way.asked().iter().map(|(name, _)| Cost { name, is_limited, runs: Vec::new() }).collect()
        })
        .collect();
    for run in 1..=RUNS {
        for (way, costs) in Way::ALL.into_iter().zip(&mut costs) {
            let lab = Lab::up_uplink(way.old_state())?;
            let probed = way.go(&lab).with_context(|| format!("run {run}"))?;
            for (cost, probed) in costs.iter_mut().zip(probed) {
                ensure!(
                    probed.duplicates == 0,
                    "{}: requests were answered twice in run {run}: {probed:?}",
                    cost.name
                );
                println!("run {run:>2}  {:<46}{:>4} lost{:>7.0} ms", cost.name, probed.lost, probed.ms());
                cost.runs.push(probed);
            }
        }
    }
    println!(
        "\n{:<46}{:>18}{:>22}",
        "a migration over the link itself", "requests lost", "milliseconds of that"
    );
    println!("{:<46}{:>9}{:>9}{:>11}{:>11}", "", "median", "worst", "median", "worst");
    let costs: Vec<Cost> = costs.into_iter().flatten().collect();
    for cost in &costs {
        cost.print()?;
    }
    let late = costs.iter().flat_map(|cost| &cost.runs).map(|run| run.late_ms).fold(0.0, f64::max);
    println!(
        "\n{RUNS} runs each, in turns. 100 requests a second from behind the switch, none answered twice, none sent more than {late:.0} ms late.\n\
         At most {LIMIT_MS:.0} ms are required of the playbook in every run."
    );
    for cost in costs.iter().filter(|cost| cost.is_limited) {
        let worst = cost.worst_ms();
        ensure!(worst <= LIMIT_MS, "{}: {worst:.0} ms in one run", cost.name.trim());
    }
    Ok(())
}

impl Cost {
    fn worst_ms(&self) -> f64 {
        self.runs.iter().map(Probed::ms).fold(0.0, f64::max)
    }

    #[expect(clippy::cast_precision_loss, reason = "some thousand requests")]
    fn print(&self) -> Result<()> {
        let lost: Vec<f64> = self.runs.iter().map(|run| run.lost as f64).collect();
        let worst = lost.iter().copied().fold(0.0, f64::max);
        let ms = median(self.runs.iter().map(Probed::ms).collect())?;
        println!("{:<46}{:>9.0}{worst:>9.0}{ms:>11.0}{:>11.0}", self.name, median(lost)?, self.worst_ms());
        Ok(())
    }
}

/// Shows what was on the cables around every loss, in one run of each way.
pub fn capture() -> Result<()> {
    for way in Way::ALL {
        let lab = Lab::up_uplink(way.old_state())?;
        let capture = Capture::start(&lab)?;
        let probed = way.go(&lab)?;
        let packets = capture.stop()?;
        for ((name, address), probed) in way.asked().iter().zip(&probed) {
            println!("{name}: {} requests lost, {:.0} ms", probed.lost, probed.ms());
            for outage in &probed.outages {
                println!("\n{} lost in {:.0} ms:", outage.lost, outage.ms);
                for line in packets.around(outage, address) {
                    println!("  {line}");
                }
            }
            println!();
        }
    }
    Ok(())
}
