//! JSON-RPC 1.0 over a unix socket, as Open vSwitch speaks it: no framing, each value ends where its JSON ends.
//!
//! One connection is one dialog under one deadline. What the results mean is none of this file's business.

use std::io::{self, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use serde::Deserialize;
use serde_json::{Value, json};

/// No message of a real database comes near this; it bounds what a broken peer can make us keep.
const MESSAGE_LIMIT: usize = 64 << 20;
/// How much of a message that cannot be understood is shown.
const EXCERPT: usize = 200;

/// Why a dialog ended. After any of these but [`Error::Refused`] the connection is of no further use.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody listens on the socket, or we may not use it.
    #[error("connecting to `{}`: {fact}; hint: check that its daemon runs, and run this as root", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What the kernel said.
        fact: io::Error,
    },
    /// Sending or receiving failed.
    #[error("talking to `{}`", socket.display())]
    Transfer {
        /// The socket.
        socket: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The deadline of the dialog passed.
    #[error("talking to `{}`: no answer in time", socket.display())]
    TimedOut {
        /// The socket.
        socket: PathBuf,
    },
    /// The peer hung up before it had answered.
    #[error("talking to `{}`: it closed the connection before it had answered", socket.display())]
    Closed {
        /// The socket.
        socket: PathBuf,
    },
    /// The peer sent something that is no JSON-RPC message, or the answer to something else.
    #[error("talking to `{}`: it sent something unexpected, `{excerpt}`", socket.display())]
    Garbled {
        /// The socket.
        socket: PathBuf,
        /// Beginning of what it sent.
        excerpt: String,
    },
    /// The peer sent a message larger than 64 MiB.
    #[error("talking to `{}`: it sent a message of more than {MESSAGE_LIMIT} bytes", socket.display())]
    TooLarge {
        /// The socket.
        socket: PathBuf,
    },
    /// The peer understood the call and said no.
    #[error("calling `{method}` on `{}`: {error}", socket.display())]
    Refused {
        /// The socket.
        socket: PathBuf,
        /// The method called.
        method: String,
        /// The peer's own words: a text from unixctl, an object from a database.
        error: Value,
    },
}

/// A connection to `ovsdb-server`, or to the control socket of a daemon.
#[derive(Debug)]
pub struct Connection {
    stream: UnixStream,
    socket: PathBuf,
    deadline: Instant,
    /// Bytes received and not yet handed out.
    received: Vec<u8>,
    calls: u64,
}

#[derive(Deserialize)]
struct Message {
    id: Option<Value>,
    method: Option<String>,
    #[serde(default)]
    params: Value,
    result: Option<Value>,
    error: Option<Value>,
}

impl Connection {
    /// Connects. Nothing on this connection, connecting included, lasts beyond `deadline`.
    pub fn open(path: &Path, deadline: Instant) -> Result<Self, Error> {
        let failed = |fact: io::Error| {
            let socket = path.to_owned();
            if fact.kind() == io::ErrorKind::WouldBlock {
                Error::TimedOut { socket }
            } else {
                Error::Connect { socket, fact }
            }
        };
        let stream = connect_within(path, left(deadline)).map_err(failed)?;
        Ok(Self { stream, socket: path.to_owned(), deadline, received: Vec::new(), calls: 0 })
    }

    /// When the dialog has to be over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Calls `method` with `params`, a JSON array, and returns the result.
    ///
    /// While waiting, the peer's `echo` requests are answered and its notifications passed over.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a call consumes its parameters, as `json!` makes them"
    )]
    pub fn call(&mut self, method: &str, params: Value) -> Result<Value, Error> {
        self.calls += 1;
        let id = Value::from(self.calls);
        self.send(&json!({ "method": method, "params": params, "id": id }))?;
        loop {
            let raw = self.receive()?;
            let message: Message = ansible_module::json::read(&raw).map_err(|_| self.garbled(&raw))?;
            match message {
                Message { method: Some(request), id: Some(id), params, .. } if request == "echo" => {
                    self.send(&json!({ "id": id, "result": params, "error": null }))?;
                }
                Message { method: Some(_), .. } => {}
                Message { id: answered, result, error, .. } if answered.as_ref() == Some(&id) => {
                    return match error {
                        None => Ok(result.unwrap_or_default()),
                        Some(error) => Err(Error::Refused {
                            socket: self.socket.clone(),
                            method: method.to_owned(),
                            error,
                        }),
                    };
                }
                Message { .. } => return Err(self.garbled(&raw)),
            }
        }
    }

    fn send(&mut self, message: &Value) -> Result<(), Error> {
        let message = message.to_string();
        let mut rest = message.as_bytes();
        while !rest.is_empty() {
            self.stream.set_write_timeout(Some(self.left()?)).map_err(|error| self.failed(error))?;
            match self.stream.write(rest) {
                Ok(sent) => rest = rest.get(sent..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.failed(error)),
            }
        }
        Ok(())
    }

    /// The bytes of the next whole message.
    fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let mut end = End::default();
        let mut scanned = 0;
        loop {
            for &byte in self.received.get(scanned..).unwrap_or_default() {
                scanned += 1;
                match end.after(byte) {
                    Progress::Within => {}
                    Progress::Garbage => return Err(self.garbled(&self.received)),
                    Progress::Complete => {
                        let rest = self.received.split_off(scanned);
                        return Ok(std::mem::replace(&mut self.received, rest));
                    }
                }
            }
            if self.received.len() > MESSAGE_LIMIT {
                return Err(Error::TooLarge { socket: self.socket.clone() });
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> Result<(), Error> {
        let mut chunk = [0; 16 << 10];
        self.stream.set_read_timeout(Some(self.left()?)).map_err(|error| self.failed(error))?;
        match self.stream.read(&mut chunk) {
            Ok(0) => return Err(Error::Closed { socket: self.socket.clone() }),
            Ok(got) => self.received.extend_from_slice(chunk.get(..got).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(self.failed(error)),
        }
        Ok(())
    }

    /// Time left, never zero: a socket takes a zero time-out for none at all.
    fn left(&self) -> Result<Duration, Error> {
        let left = left(self.deadline);
        if left.is_zero() { Err(Error::TimedOut { socket: self.socket.clone() }) } else { Ok(left) }
    }

    fn failed(&self, source: io::Error) -> Error {
        let socket = self.socket.clone();
        if source.kind() == io::ErrorKind::WouldBlock {
            Error::TimedOut { socket }
        } else {
            Error::Transfer { socket, source }
        }
    }

    fn garbled(&self, raw: &[u8]) -> Error {
        let excerpt = String::from_utf8_lossy(raw.get(..EXCERPT).unwrap_or(raw)).into_owned();
        Error::Garbled { socket: self.socket.clone(), excerpt }
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// std's `connect` waits without limit while the listener's queue is full; on a unix socket the time-out for
/// sending counts for connecting too (socket(7)).
fn connect_within(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    if limit.is_zero() {
        return Err(io::ErrorKind::WouldBlock.into());
    }
    let address = UnixAddr::new(path)?;
    let stream =
        UnixStream::from(socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?);
    stream.set_write_timeout(Some(limit))?;
    connect(stream.as_raw_fd(), &address)?;
    Ok(stream)
}

enum Progress {
    Within,
    Complete,
    Garbage,
}

/// Finds the end of a JSON object byte by byte, so that a message that arrives in a thousand pieces is not parsed
/// a thousand times. Only the end: whether it is valid JSON is left to the parser.
#[derive(Default)]
struct End {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl End {
    fn after(&mut self, byte: u8) -> Progress {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return Progress::Within;
        }
        match byte {
            b'{' | b'[' if self.depth > 0 || byte == b'{' => self.depth += 1,
            b' ' | b'\t' | b'\r' | b'\n' if self.depth == 0 => {}
            _ if self.depth == 0 => return Progress::Garbage,
            b'"' => self.in_text = true,
            b'}' | b']' => self.depth -= 1,
            _ => {}
        }
        if self.depth == 0 && !byte.is_ascii_whitespace() { Progress::Complete } else { Progress::Within }
    }
}

#[cfg(test)]
mod tests;
