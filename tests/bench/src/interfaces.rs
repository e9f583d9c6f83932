//! What the interfaces file costs by its size: read, asked for every interface in it, and given one more. Needs no lab.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::Instant;

use anyhow::Result;
use pve::interfaces::{Interfaces, Stanza};

use crate::measure;

const STANZAS: [u32; 3] = [100, 1_000, 10_000];
const RUNS: usize = 15;

/// Measures and prints: the median of each size, and how many times as much it is as growth in proportion to the
/// smallest one would make it.
pub fn compare() -> Result<()> {
    println!("{:<46}{:>10}{:>9}", "interfaces file", "median", "ratio");
    row("read, every interface asked for", |bytes| {
        walk(bytes);
        Ok(())
    })?;
    row("read, one port more on the bridge", add)?;
    println!("\n{RUNS} runs each. Ratio: to growth in proportion to the file, from the smallest one.");
    Ok(())
}

fn row(what: &str, work: fn(&[u8]) -> Result<()>) -> Result<()> {
    println!("{what}");
    let mut first = None;
    for stanzas in STANZAS {
        let took = time(&file(stanzas)?, work)?;
        let each = took / f64::from(stanzas);
        let ratio = each / *first.get_or_insert(each);
        println!("{:<46}{:>10}{ratio:>9.2}", format!("  {stanzas} stanzas"), format!("{took:.2} ms"));
    }
    Ok(())
}

/// A bridge of IntPorts, as many as it takes.
fn file(stanzas: u32) -> Result<Vec<u8>> {
    let (text, names) = ports(stanzas - 1)?;
    let bridge = format!("auto vmbr0\niface vmbr0 inet manual\n\tovs_type OVSBridge\n\tovs_ports{names}\n\n");
    Ok((text + &bridge).into_bytes())
}

/// The stanzas of so many IntPorts, the way Proxmox writes them, and their names, a space before each.
pub fn ports(count: u32) -> Result<(String, String)> {
    let (mut text, mut names) = (String::new(), String::new());
    for port in 1..=count {
        write!(
            text,
            "auto port{port}\niface port{port} inet manual\n\tovs_type OVSIntPort\n\tovs_bridge vmbr0\n"
        )?;
        write!(text, "\tovs_mtu 1500\n\tovs_options tag={}\n# port {port}\n\n", port % 4094 + 1)?;
        write!(names, " port{port}")?;
    }
    Ok((text, names))
}

fn time(bytes: &[u8], work: fn(&[u8]) -> Result<()>) -> Result<f64> {
    let mut times = Vec::new();
    for _ in 0..RUNS {
        let start = Instant::now();
        work(bytes)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    measure::median(times)
}

fn walk(bytes: &[u8]) {
    let file = Interfaces::parse(bytes);
    for name in file.names() {
        black_box((file.stanza(&name), file.kind(&name), file.claims(&name), file.detached(&name)));
    }
}

fn add(bytes: &[u8]) -> Result<()> {
    let mut file = Interfaces::parse(bytes);
    let mut port = Stanza::new("mgmt", "manual");
    for (key, value) in [("ovs_type", "OVSIntPort"), ("ovs_bridge", "vmbr0"), ("ovs_options", "tag=10")] {
        port.set(key, Some(value));
    }
    file.put(&port)?;
    file.list_port("vmbr0", "mgmt")?;
    black_box(file.render());
    Ok(())
}
