//! What a task costs on a node whose interfaces file is large: the real modules, as processes on a node of the lab.

use anyhow::{Context, Result, ensure};
use lab::Lab;
use pve::interfaces::Interfaces;
use serde_json::{Value, json};

use crate::measure::Expected;
use crate::{interfaces, measure_in, pairs};

const STANZAS: [u32; 4] = [100, 1_000, 2_000, 10_000];
const RUNS: u32 = 25;
const FILE: &str = "/etc/network/interfaces";
const ARGUMENTS: &str = "/root/large.json";

struct Task {
    name: String,
    module: &'static str,
    arguments: Value,
    expected: Expected,
    /// Milliseconds with the smallest file.
    small: Option<f64>,
}

/// Measures and prints. What the tasks declare is there already, in the file and live; all else in the file are IntPorts
/// of the same bridge, which nobody brought up, and which are none of the tasks' business.
pub fn compare(lab: &Lab) -> Result<()> {
    println!(
        "{:<46}{:>10}{:>11}{:>9}{:>9}",
        "by the size of the interfaces file", "median", "CPU time", "growth", "ratio"
    );
    let file = lab.read("node1", FILE)?;
    let mut tasks = tasks();
    for stanzas in STANZAS {
        println!("{stanzas} stanzas");
        lab.write("node1", FILE, &enlarged(&file, stanzas)?)?;
        for task in &mut tasks {
            task.measure(lab, stanzas)?;
        }
    }
    lab.write("node1", FILE, &file)?;
    println!(
        "\n{RUNS} runs each on the node itself. Growth: to the smallest file. Ratio: of that to growth in proportion to the file.\n\
         Aim: 20 ms with 2,000 stanzas."
    );
    Ok(())
}

impl Task {
    fn measure(&mut self, lab: &Lab, stanzas: u32) -> Result<()> {
        let binary = Lab::module_path(self.module);
        let binary = binary.to_str().context("the project's path is not UTF-8")?;
        lab.write("node1", ARGUMENTS, &self.arguments.to_string())?;
        let measured = measure_in(lab, "node1", RUNS, self.expected, &[binary, ARGUMENTS])?;
        let growth = measured.median_ms / *self.small.get_or_insert(measured.median_ms);
        let [smallest, ..] = STANZAS;
        println!(
            "{:<46}{:>10}{:>11}{growth:>9.1}{:>9.2}",
            format!("  {}", self.name),
            format!("{:.2} ms", measured.median_ms),
            format!("{:.2} ms", measured.cpu_ms),
            growth * f64::from(smallest) / f64::from(stanzas)
        );
        Ok(())
    }
}

/// Every module with nothing to do, and one that plans a change.
fn tasks() -> Vec<Task> {
    let idle = pairs().map(|pair| Task {
        name: format!("{}, nothing to do", pair.ours),
        module: pair.ours,
        arguments: pair.ours_arguments,
        expected: Expected::Unchanged,
        small: None,
    });
    let change = Task {
        name: "pve_ovs_intport, staging one more".to_owned(),
        module: "pve_ovs_intport",
        arguments: json!({"name": "storage", "bridge": "vmbr0", "tag": 20, "cidr": "10.20.0.2/24",
                          "apply": false, "_ansible_check_mode": true}),
        expected: Expected::Changed,
        small: None,
    };
    idle.into_iter().chain([change]).collect()
}

/// The file with IntPorts added, listed by the bridge, until it has so many stanzas.
fn enlarged(file: &str, stanzas: u32) -> Result<String> {
    let mut parsed = Interfaces::parse(file.as_bytes());
    let there = u32::try_from(parsed.names().len())?;
    ensure!(there < stanzas, "the lab's own file has {there} stanzas");
    let (text, names) = interfaces::ports(stanzas - there)?;
    let mut bridge = parsed.stanza("vmbr0").context("the file has no vmbr0")?;
    let listed = format!("{}{names}", bridge.get("ovs_ports").unwrap_or_default());
    bridge.set("ovs_ports", Some(&listed));
    parsed.put(&bridge)?;
    Ok(format!("{}\n{text}", String::from_utf8(parsed.render())?))
}
