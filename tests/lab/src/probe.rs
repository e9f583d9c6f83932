//! For how long an address does not answer: 100 numbered ICMP echo requests a second, each sent at its time whether or not the
//! one before was answered. Who answers twice makes a measurement void (`README.md`: the datapath), so that is counted, too.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};

use crate::Lab;

const INTERVAL: Duration = Duration::from_millis(10);
/// For how long answers are waited for after the last request.
const PATIENCE: Duration = Duration::from_secs(1);
/// What it says when it has begun.
const BEGUN: &str = "probing";

/// What became of the requests.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Probed {
    /// Requests.
    pub sent: usize,
    /// Those that nobody answered.
    pub lost: usize,
    /// Answers to what was answered before.
    pub duplicates: usize,
    /// Milliseconds that the slowest answer took.
    pub slowest_ms: f64,
    /// Milliseconds by which a request was sent too late, at most: how exact all this is.
    pub late_ms: f64,
    /// Requests lost in a row, each such row.
    pub outages: Vec<Outage>,
}

/// A time without an answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// When the first of the lost requests was sent, in seconds of Unix time.
    pub at: f64,
    /// Requests.
    pub lost: usize,
    /// Milliseconds until the next one was sent that was answered.
    pub ms: f64,
}

impl Probed {
    /// The sum of its outages in milliseconds.
    pub fn ms(&self) -> f64 {
        self.outages.iter().map(|outage| outage.ms).fold(0.0, |all, ms| all + ms)
    }

    /// From when each request was sent, and which was answered when, in seconds of Unix time.
    fn new(sent: &[f64], answers: &[(usize, f64)]) -> Self {
        let Some(first) = sent.first() else { return Self::default() };
        let interval = INTERVAL.as_secs_f64();
        let mut probed = Self { sent: sent.len(), ..Self::default() };
        let mut is_answered = vec![false; sent.len()];
        for (number, at) in answers {
            let (Some(answered), Some(asked)) = (is_answered.get_mut(*number), sent.get(*number)) else {
                continue;
            };
            probed.duplicates += usize::from(*answered);
            *answered = true;
            probed.slowest_ms = probed.slowest_ms.max((at - asked) * 1e3);
        }
        let mut due = *first;
        let mut rows: Vec<(f64, usize, f64)> = Vec::new();
        let mut is_silent = false;
        for (at, answered) in sent.iter().zip(is_answered) {
            probed.late_ms = probed.late_ms.max((at - due) * 1e3);
            due += interval;
            match rows.last_mut().filter(|_| is_silent) {
                Some((_, lost, end)) => {
                    *end = if answered { *at } else { at + interval };
                    *lost += usize::from(!answered);
                }
                None if !answered => rows.push((*at, 1, at + interval)),
                None => {}
            }
            is_silent = !answered;
        }
        probed.outages =
            rows.into_iter().map(|(at, lost, end)| Outage { at, lost, ms: (end - at) * 1e3 }).collect();
        probed.lost = probed.outages.iter().map(|outage| outage.lost).sum();
        probed
    }
}

/// A probe at work in `control`.
#[derive(Debug)]
pub struct Probe {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Probe {
    /// Starts to ask `address`. `program` is one that calls [`until_closed`] with the address that it is given.
    pub fn start(lab: &Lab, program: &[&str], address: &str) -> Result<Self> {
        let mut child = lab
            .exec_command("control", &[program, &[address]].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a probe")?;
        let mut output = BufReader::new(child.stdout.take().context("the probe has no output")?);
        let mut line = String::new();
        output.read_line(&mut line)?;
        anyhow::ensure!(line.trim() == BEGUN, "the probe of {address} did not begin: {line}");
        Ok(Self { child, output })
    }

    /// Ends it.
    pub fn stop(mut self) -> Result<Probed> {
        drop(self.child.stdin.take());
        let mut text = String::new();
        self.output.read_to_string(&mut text)?;
        anyhow::ensure!(self.child.wait()?.success(), "the probe failed");
        serde_json::from_str(&text).context("reading what the probe told")
    }
}

/// Asks `address` until standard input ends, and then prints what became of it.
pub fn until_closed(address: Ipv4Addr) -> Result<()> {
    let socket =
        Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::ICMPV4)).context("making a socket for ICMP")?;
    socket.set_read_timeout(Some(INTERVAL))?;
    let mut listening = socket.try_clone()?;
    let id = u16::try_from(std::process::id() % 0x1_0000)?;
    let is_over = AtomicBool::new(false);
    writeln!(std::io::stdout(), "{BEGUN}")?;
    let probed = thread::scope(|scope| {
        let sender = scope.spawn(|| send(&socket, address, id, &is_over));
        let listener = scope.spawn(|| listen(&mut listening, id, &is_over));
        std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
        is_over.store(true, Ordering::Relaxed);
        let (Ok(sent), Ok(answers)) = (sender.join(), listener.join()) else {
            anyhow::bail!("a thread panicked")
        };
        Ok(Probed::new(&sent?, &answers?))
    })?;
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&probed)?)?)
}

/// When each request was sent. One that the kernel does not take, as where there is no route or no neighbour, is lost as
/// one on the way is.
fn send(socket: &Socket, address: Ipv4Addr, id: u16, is_over: &AtomicBool) -> Result<Vec<f64>> {
    let address = SocketAddrV4::new(address, 0).into();
    let mut due = Instant::now();
    let mut sent = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due += INTERVAL;
        let number = u32::try_from(sent.len())?;
        sent.push(now()?);
        let _ = socket.send_to(&request(id, number), &address);
    }
    Ok(sent)
}

/// Which requests were answered, and when.
fn listen(socket: &mut Socket, id: u16, is_over: &AtomicBool) -> Result<Vec<(usize, f64)>> {
    let mut answers = Vec::new();
    let mut end = None;
    while end.is_none_or(|end| Instant::now() < end) {
        let mut packet = [0; 1500];
        match socket.read(&mut packet) {
            Ok(length) => {
                let at = now()?;
                answers.extend(
                    packet.get(..length).and_then(|packet| answered(packet, id)).map(|number| (number, at)),
                );
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("listening to ICMP"),
        }
        if end.is_none() && is_over.load(Ordering::Relaxed) {
            end = Some(Instant::now() + PATIENCE);
        }
    }
    Ok(answers)
}

fn now() -> Result<f64> {
    Ok(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64())
}

/// An echo request as RFC 792 has it, with its number in it.
fn request(id: u16, number: u32) -> Vec<u8> {
    let number = number.to_be_bytes();
    let [high, low] = id.to_be_bytes();
    let mut packet = vec![8, 0, 0, 0, high, low, number[2], number[3]];
    packet.extend(number);
    let words = packet.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
    let sum = words.sum::<u32>();
    let folded = (sum & 0xffff) + (sum >> 16);
    let folded = (folded & 0xffff) + (folded >> 16);
    let [_, _, third, fourth] = (!folded).to_be_bytes();
    packet[2..4].copy_from_slice(&[third, fourth]);
    packet
}

/// The number in the answer to a request with this id; a raw socket has the IPv4 header before it.
fn answered(packet: &[u8], id: u16) -> Option<usize> {
    let header = usize::from(packet.first()? & 0xf) * 4;
    let [0, 0, _, _, high, low, _, _, number @ ..] = packet.get(header..)? else { return None };
    let number = u32::from_be_bytes(*number.first_chunk()?);
    (u16::from_be_bytes([*high, *low]) == id).then(|| usize::try_from(number).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests in the times of their numbers, of which those in `lost` are not answered.
    fn probed(count: u32, lost: &[u32]) -> Probed {
        let sent: Vec<f64> = (0..count).map(|number| f64::from(number) / 100.0).collect();
        let answers: Vec<(usize, f64)> = (0..count)
            .filter(|number| !lost.contains(number))
            .map(|number| (number as usize, f64::from(number) / 100.0 + 0.001))
            .collect();
        Probed::new(&sent, &answers)
    }

    fn rows(probed: &Probed) -> Vec<(f64, usize, f64)> {
        probed.outages.iter().map(|one| (one.at, one.lost, one.ms.round())).collect()
    }

    #[test]
    fn requests_lost_in_a_row_are_one_outage_until_the_next_that_is_answered() {
        let told = probed(100, &[10, 11, 12, 50, 98, 99]);
        assert_eq!((told.sent, told.lost, told.duplicates), (100, 6, 0));
        assert_eq!(rows(&told), [(0.1, 3, 30.0), (0.5, 1, 10.0), (0.98, 2, 20.0)]);
        assert_eq!((told.slowest_ms.round(), told.ms().round()), (1.0, 60.0));
        assert_eq!(rows(&probed(3, &[0, 1, 2])), [(0.0, 3, 30.0)]);
        assert_eq!(Probed::new(&[], &[]), Probed::default());
    }

    #[test]
    fn an_answer_that_comes_twice_is_counted_and_one_to_nobodys_request_is_not() {
        let told = Probed::new(&[0.0, 0.01, 0.05], &[(0, 0.001), (0, 0.002), (1, 0.5), (7, 0.6)]);
        assert_eq!((told.lost, told.duplicates), (1, 1));
        assert_eq!((told.slowest_ms.round(), told.late_ms.round()), (490.0, 30.0));
    }

    #[test]
    fn a_request_is_known_by_its_number_and_its_checksum_is_right() {
        let mut packet = request(0x1234, 70_000);
        let words = packet.chunks_exact(2).map(|word| u32::from(word[0]) << 8 | u32::from(word[1]));
        assert_eq!(words.sum::<u32>() % 0xffff, 0);
        packet[0] = 0;
        let header = [&[0x45][..], &[0; 19]].concat();
        let packet = [header, packet].concat();
        assert_eq!(answered(&packet, 0x1234), Some(70_000));
        assert_eq!(answered(&packet, 0x1235), None);
        assert_eq!(answered(&packet[..24], 0x1234), None);
    }
}
