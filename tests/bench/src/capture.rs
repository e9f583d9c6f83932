//! What is on the cables of `node1`: tcpdump at the switch's end of both.

use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use lab::probe::Outage;
use lab::{Lab, wait_until};

/// The switch's end of both cables.
const CABLES: [&str; 2] = ["Et7_1", "Et8_1"];
const FILE: &str = "/tmp/capture";
/// Seconds that are shown before and after an outage.
const AROUND: f64 = 0.025;

/// tcpdump at work.
pub struct Capture<'a> {
    lab: &'a Lab,
    child: Child,
}

/// What it saw, line by line.
pub struct Packets(Vec<(f64, String)>);

impl<'a> Capture<'a> {
    pub fn start(lab: &'a Lab) -> Result<Self> {
        // Until its input ends. It would change to a user of its own, whom the lab does not have.
        let script = format!(
            "tcpdump -Z root -i any -n -tt -l 'icmp or arp or ether proto 0x8809' >{FILE} 2>{FILE}.log &
             cat >/dev/null; kill $!; wait"
        );
        let child = lab.exec_command("switch", &["sh", "-c", &script]).stdin(Stdio::piped()).spawn()?;
        wait_until("tcpdump", Duration::from_secs(30), || {
            let told = lab.exec_command("switch", &["cat", &format!("{FILE}.log")]).output()?.stdout;
            Ok(String::from_utf8_lossy(&told).contains("listening on").then_some(()))
        })?;
        Ok(Self { lab, child })
    }

    pub fn stop(mut self) -> Result<Packets> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        let text = self.lab.read("switch", FILE)?;
        let lines =
            text.lines().filter(|line| line.split(' ').nth(1).is_some_and(|name| CABLES.contains(&name)));
        let packets = lines.map(|line| {
            let (at, rest) = line.split_once(' ').context("a line without its time")?;
            Ok((at.parse()?, rest.to_owned()))
        });
        let packets = packets.collect::<Result<Vec<_>>>()?;
        ensure!(!packets.is_empty(), "there was nothing on the cables");
        Ok(Packets(packets))
    }
}

impl Packets {
    /// What was there of LACP, of ARP, and to and from `address` around an outage, by milliseconds from its beginning.
    pub fn around(&self, outage: &Outage, address: &str) -> impl Iterator<Item = String> {
        let times = outage.at - AROUND..outage.at + outage.ms / 1e3 + AROUND;
        let ends = [format!(" > {address}: "), format!(" {address} > ")];
        let packets = self.0.iter().filter(move |(at, packet)| {
            let is_asked = !packet.contains(" ICMP ") || ends.iter().any(|end| packet.contains(end));
            times.contains(at) && is_asked
        });
        packets.map(|(at, packet)| format!("{:+8.1} ms  {packet}", (at - outage.at) * 1e3))
    }
}
