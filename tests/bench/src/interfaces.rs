//! What the interfaces file costs by its size: read, and asked for every interface in it. Needs no lab.

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context, Result};
use pve::interfaces::Interfaces;

const STANZAS: [u32; 3] = [100, 1_000, 10_000];
const RUNS: usize = 15;

/// Measures and prints: the median of each size, and how many times as much it is as growth in proportion to the
/// smallest one would make it.
pub fn compare() -> Result<()> {
    println!("{:<46}{:>10}{:>9}", "interfaces file: read, every interface asked for", "median", "ratio");
    let mut first = None;
    for stanzas in STANZAS {
        let took = median(&file(stanzas)?).context("no run")?;
        let each = took / f64::from(stanzas);
        let ratio = each / *first.get_or_insert(each);
        println!("{:<46}{:>10}{ratio:>9.2}", format!("  {stanzas} stanzas"), format!("{took:.2} ms"));
    }
    println!("\n{RUNS} runs each. Ratio: to growth in proportion to the file, from the smallest one.");
    Ok(())
}

/// A bridge of IntPorts, as many as it takes, the way Proxmox writes them.
fn file(stanzas: u32) -> Result<Vec<u8>> {
    let mut text = String::new();
    let mut ports = String::new();
    for port in 1..stanzas {
        write!(
            text,
            "auto port{port}\niface port{port} inet manual\n\tovs_type OVSIntPort\n\tovs_bridge vmbr0\n"
        )?;
        write!(text, "\tovs_mtu 1500\n\tovs_options tag={}\n# port {port}\n\n", port % 4094 + 1)?;
        write!(ports, " port{port}")?;
    }
    write!(text, "auto vmbr0\niface vmbr0 inet manual\n\tovs_type OVSBridge\n\tovs_ports{ports}\n\n")?;
    Ok(text.into_bytes())
}

fn median(bytes: &[u8]) -> Option<f64> {
    let mut times: Vec<f64> = (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            walk(bytes);
            start.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.get(RUNS / 2).copied()
}

fn walk(bytes: &[u8]) {
    let file = Interfaces::parse(bytes);
    for name in file.names() {
        std::hint::black_box((
            file.stanza(&name),
            file.kind(&name),
            file.claims(&name),
            file.detached(&name),
        ));
    }
}
