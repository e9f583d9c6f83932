//! What a switch with many Port-Channels costs: finding that nothing is to be done, and making all of them at once.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::measure::{self, Expected};
use crate::simulated::Simulated;

const CHANNELS: [u32; 3] = [10, 100, 500];
/// Lines of the running-config for each Port-Channel: 20,000 for 500 of them.
const LINES: u32 = 40;
const RUNS: u32 = 9;
/// Port-Channels that are made by one task.
const MADE: u32 = 48;
const ROUND_TRIP: u32 = 50;

/// Measures and prints.
pub fn compare() -> Result<()> {
    println!(
        "{:<46}{:>10}{:>11}{:>9}{:>9}",
        "eos_port_channel, by the number in `config`", "median", "CPU time", "growth", "ratio"
    );
    let mut smallest = None;
    for channels in CHANNELS {
        let measured = idle(channels)?;
        let growth = measured.cpu_ms / *smallest.get_or_insert(measured.cpu_ms);
        let [fewest, ..] = CHANNELS;
        println!(
            "{:<46}{:>10}{:>11}{growth:>9.1}{:>9.2}",
            format!("  {channels}, {} lines, nothing to do", channels * LINES),
            format!("{:.0} ms", measured.median_ms),
            format!("{:.1} ms", measured.cpu_ms),
            growth * f64::from(fewest) / f64::from(channels)
        );
    }
    println!(
        "\n{RUNS} runs each, one connection, no session; running-config and startup-config are read. Growth of CPU time: to the\n\
         fewest. Ratio: of that to growth in proportion."
    );
    made()
}

fn idle(channels: u32) -> Result<measure::Measured> {
    let switch = Simulated::start(&configuration(channels, true))?;
    let command = switch.command(&json!({"config": (0..channels).map(channel).collect::<Vec<_>>()}))?;
    let words = [RUNS.to_string(), serde_json::to_string(&Expected::Unchanged)?];
    let measured = measure::measure(&[words.to_vec(), command].concat())?;
    let (connections, lines) = switch.seen()?;
    // Some runs do not count as measurements.
    let runs = lines.iter().filter(|line| *line == "show running-config").count();
    ensure!(connections == runs, "{connections} connections in {runs} runs");
    ensure!(!lines.iter().any(|line| line.starts_with("configure")), "a session was opened");
    Ok(measured)
}

fn made() -> Result<()> {
    let switch = Simulated::start(&configuration(MADE, false))?;
    let command = switch.command(&json!({"config": (0..MADE).map(channel).collect::<Vec<_>>()}))?;
    switch.control(&format!("delay {ROUND_TRIP}"))?;
    let start = Instant::now();
    measure::once(&command, Expected::Changed)?;
    let seconds = start.elapsed().as_secs_f64();
    let (connections, lines) = switch.seen()?;
    let commits = lines.iter().filter(|line| line.starts_with("commit")).count();
    let of_session = |line: &&String| {
        let words = ["interface ", "description ", "switchport", "channel-group "];
        words.iter().any(|word| line.starts_with(word))
    };
    let configured = lines.iter().filter(of_session).count();
    println!(
        "\n{MADE} Port-Channels with two members each, made by one task, {ROUND_TRIP} ms for every answer: {connections} connections, \
         {commits} commit,\n{} round trips after login, {seconds:.1} s. {configured} of them are the lines of the session: each is \
         typed when the prompt\nhas proved where the one before led, so that none can ever be typed anywhere else. The other {}: {}.",
        lines.len(),
        lines.len() - configured,
        lines.iter().filter(|line| !of_session(line)).cloned().collect::<Vec<_>>().join("; ")
    );
    ensure!((connections, commits) == (2, 1), "more than the aim");
    Ok(())
}

fn channel(number: u32) -> Value {
    json!({
        "name": 1001 + number, "description": format!("PVE-N{number}"), "mode": "trunk", "trunk_vlans": "10,20",
        "members": [
            {"interface": format!("Ethernet{}/1", 2 * number + 1), "description": "left"},
            {"interface": format!("Ethernet{}/1", 2 * number + 2), "description": "right"},
        ],
    })
}

/// Of a switch whose Port-Channels are as [`channel`] says, or not there. Each comes with lines of others.
fn configuration(channels: u32, is_made: bool) -> String {
    const VLANS: &str = "   switchport trunk allowed vlan 10,20\n   switchport mode trunk\n";
    let mut text =
        "! device: core (DCS-7050QX-32S, EOS-4.28.3M)\n!\nhostname core\n!\nvlan 10,20\n!\n".to_owned();
    let (mut of_channels, mut of_ports, mut of_others) = (String::new(), String::new(), String::new());
    for number in 0..channels {
        let name = 1001 + number;
        // Writing to a text cannot fail.
        if is_made {
            let _ =
                write!(of_channels, "interface Port-Channel{name}\n   description PVE-N{number}\n{VLANS}!\n");
        }
        for (port, side) in [(2 * number + 1, "left"), (2 * number + 2, "right")] {
            let _ = writeln!(of_ports, "interface Ethernet{port}/1");
            if is_made {
                let _ =
                    write!(of_ports, "   description {side}\n{VLANS}   channel-group {name} mode active\n");
            }
            of_ports.push_str("   storm-control broadcast level 1\n!\n");
        }
        let _ = writeln!(of_others, "ip access-list A{number}");
        for line in 0..LINES - 5 - 2 * 7 - 2 {
            let _ = writeln!(of_others, "   {line}0 permit ip host 192.0.2.{line} any");
        }
        of_others.push_str("!\n");
    }
    text.push_str(&of_channels);
    text.push_str(&of_ports);
    text.push_str("interface Management1\n   ip address 192.0.2.10/24\n!\n");
    text.push_str(&of_others);
    text.push_str("end\n");
    text
}
