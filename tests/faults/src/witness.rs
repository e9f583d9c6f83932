//! Who is at neither end: a host behind the switch that asks the management address for an answer five times a second.

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use lab::Lab;
use lab::uplink::MANAGEMENT;

/// A silence that counts.
const GAP: Duration = Duration::from_secs(1);
/// Its interface, on the switch but in nobody's configuration, and its address.
pub const NAME: &str = "witness";
const ADDRESS: &str = "10.10.0.9";

/// The host, and when it was answered.
pub struct Witness {
    pinging: Child,
    answers: Arc<Mutex<Vec<Instant>>>,
}

impl Witness {
    /// Plugs it in, and begins.
    pub fn start(lab: &Lab) -> Result<Self> {
        lab.sh(
            "switch",
            &format!(
                "ovs-vsctl --timeout=10 add-port sw {NAME} tag=10 -- set Interface {NAME} type=internal
                 ip address add {ADDRESS}/24 dev {NAME}
                 ip link set {NAME} up"
            ),
        )?;
        let mut pinging = lab
            .exec_command("switch", &["ping", "-n", "-i", "0.2", "-I", NAME, MANAGEMENT])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let output = BufReader::new(pinging.stdout.take().context("no output")?);
        let answers = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&answers);
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if line.contains("bytes from") {
                    heard.lock().unwrap_or_else(PoisonError::into_inner).push(Instant::now());
                }
            }
        });
        Ok(Self { pinging, answers })
    }

    /// Since when the node answers without a silence, looking no further back than `since`; none while it is silent.
    pub fn answered_since(&self, since: Instant) -> Option<Instant> {
        let answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = Instant::now();
        let mut back = None;
        for answer in answers.iter().rev() {
            if next.duration_since(*answer) > GAP {
                break;
            }
            if *answer < since {
                return Some(since);
            }
            (next, back) = (*answer, Some(*answer));
        }
        back
    }

    /// Whether it can log in, over a connection of its own.
    pub fn logs_in(lab: &Lab) -> Result<bool> {
        let config = lab.lab("ssh-config", &[])?;
        let words = ["ssh", "-F", config.trim(), "-b", ADDRESS, "-o", "ConnectTimeout=5", "node1", "true"];
        Ok(lab.exec_command("switch", &words).output()?.status.success())
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        let _ = self.pinging.kill();
        let _ = self.pinging.wait();
    }
}
