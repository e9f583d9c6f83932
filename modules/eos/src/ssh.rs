//! A shell on a host, over SSH: connected, the host known, the user logged in. What is said in it: `shell.rs`.

use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use ansible_module::fault::Fault;
use ssh2::{Channel, ErrorCode};

pub use crate::login::{Login, PrivateKey, Secret};

use crate::algorithms;
use crate::authentication;
use crate::known_hosts::{self, KnownHost, Refusal};
use crate::proxy::{self, Proxy};
use crate::stream::Stream;
use crate::tcp;
use crate::transport::{Stop, Transport};

/// Wide, so that the switch does not wrap the lines that it echoes; and without escape sequences to speak of.
const TERMINAL: (&str, u32, u32) = ("vt100", 512, 1000);

/// `LIBSSH2_ERROR_KEX_FAILURE`: no algorithm in common, among others.
const NOT_AGREED: ErrorCode = ErrorCode::Session(-5);

/// Why there is no shell.
#[derive(Debug, thiserror::Error)]
#[error("opening an SSH connection to `{host}` port {port}")]
pub struct Error {
    host: String,
    port: u16,
    source: Box<Cause>,
}

/// The step that failed.
#[derive(Debug, thiserror::Error)]
pub enum Cause {
    /// The files of known hosts cannot be read.
    #[error(transparent)]
    KnownHosts(#[from] known_hosts::Error),
    /// Nothing answers.
    #[error(transparent)]
    Tcp(#[from] tcp::Error),
    /// The command that leads there does not.
    #[error(transparent)]
    Proxy(#[from] proxy::Error),
    /// What answers has no algorithm in common with us.
    #[error("shaking hands: {0}")]
    Algorithms(algorithms::Mismatch),
    /// What answers does not talk as an SSH server does.
    #[error("shaking hands: {reason}; hint: {remedy}")]
    Handshake {
        /// What is wrong.
        reason: String,
        /// What helps.
        remedy: &'static str,
    },
    /// It is not known to be the host.
    #[error(transparent)]
    HostKey(#[from] Refusal),
    /// It does not let the user in.
    #[error(transparent)]
    Authentication(#[from] authentication::Error),
    /// It gives no shell, or another step did not come to an end.
    #[error("{step}")]
    Step {
        /// What was being done.
        step: &'static str,
        /// Why it was given up.
        source: Stop,
    },
}

impl Cause {
    /// Whether nobody answered in time. `None`: somebody did answer.
    fn silence(&self) -> Option<bool> {
        match self {
            Self::Handshake { .. } => Some(false),
            Self::Step { source, .. }
            | Self::Authentication(authentication::Error::Stopped { source, .. }) => {
                Some(matches!(source, Stop::TimedOut))
            }
            _ => None,
        }
    }
}

impl Error {
    /// Whether trying again may help: nobody was turned away.
    pub fn is_away(&self) -> bool {
        use authentication::Error as Login;
        matches!(
            *self.source,
            Cause::Tcp(_)
                | Cause::Proxy(_)
                | Cause::Handshake { .. }
                | Cause::Authentication(Login::Stopped { .. })
                | Cause::Step { .. }
        )
    }
}

/// A shell on a host. Closed when dropped, without waiting for an answer.
pub struct Connection {
    // Before the transport: it is closed first.
    channel: Channel,
    transport: Transport,
    // After it: it goes once nothing is said any more.
    _proxy: Option<Proxy>,
    notices: Vec<String>,
}

impl Connection {
    /// Opens a shell as `login` says, all of it within its time-out.
    pub fn open(login: &Login) -> Result<Self, Error> {
        connect(login).map_err(|cause| Error {
            host: login.host.clone(),
            port: login.port,
            source: cause.into(),
        })
    }

    /// What the user should know although it worked, such as lines of `known_hosts` that were skipped.
    pub fn notices(&self) -> &[String] {
        &self.notices
    }
}

fn connect(login: &Login) -> Result<Connection, Cause> {
    let deadline = Instant::now() + login.timeout;
    let known = login
        .host_key_checking
        .then(|| KnownHost::look_up(&login.host, login.port, login.known_hosts.as_deref()))
        .transpose()?;
    let (socket, proxy) = dial(login, deadline)?;
    match log_in(socket, login, known.as_ref(), deadline) {
        Ok((channel, transport)) => {
            let notices = known.map(KnownHost::into_notices).unwrap_or_default();
            Ok(Connection { channel, transport, _proxy: proxy, notices })
        }
        Err(cause) => Err(proxy.and_then(|proxy| proxy.blame(cause.silence()?)).map_or(cause, Cause::Proxy)),
    }
}

/// The socket to the host, and the command at its other end where there is one.
fn dial(login: &Login, deadline: Instant) -> Result<(OwnedFd, Option<Proxy>), Cause> {
    match &login.proxy {
        Some(command) => {
            let (socket, proxy) = Proxy::start(command)?;
            Ok((socket, Some(proxy)))
        }
        None => Ok((tcp::connect(&login.host, login.port, deadline)?.into(), None)),
    }
}

fn log_in(
    socket: OwnedFd,
    login: &Login,
    known: Option<&KnownHost>,
    deadline: Instant,
) -> Result<(Channel, Transport), Cause> {
    let keys: Vec<_> = known.into_iter().flat_map(KnownHost::keys).collect();
    let transport =
        Transport::open(socket, &keys, deadline).map_err(|stop| handshake(stop, login, deadline))?;
    if let Some(known) = known {
        let key = transport.host_key().ok_or_else(no_host_key)?;
        known.judge(&key)?;
    }
    authentication::authenticate(&transport, login, deadline)?;
    let channel = start_shell(&transport, deadline)
        .map_err(|source| Cause::Step { step: "starting a shell", source })?;
    Ok((channel, transport))
}

/// What went wrong before the host had shown its key.
fn handshake(stop: Stop, login: &Login, deadline: Instant) -> Cause {
    let Stop::Failed(error) = stop else { return Cause::Step { step: "shaking hands", source: stop } };
    let mismatch = (error.code() == NOT_AGREED)
        .then(|| dial(login, deadline).ok())
        .flatten()
        .and_then(|(socket, _proxy)| algorithms::mismatch(socket, deadline));
    match mismatch {
        Some(mismatch) => Cause::Algorithms(mismatch),
        None => Cause::Handshake {
            reason: error.message().to_owned(),
            remedy: "see whether an SSH server listens there, and what its log says of this connection",
        },
    }
}

fn no_host_key() -> Cause {
    Cause::Handshake { reason: "the host key has no type".to_owned(), remedy: "see what SSH server it is" }
}

fn start_shell(transport: &Transport, deadline: Instant) -> Result<Channel, Stop> {
    let (term, columns, rows) = TERMINAL;
    let mut channel = transport.drive(deadline, || transport.session().channel_session())?;
    transport.drive(deadline, || channel.request_pty(term, None, Some((columns, rows, 0, 0))))?;
    transport.drive(deadline, || channel.handle_extended_data(ssh2::ExtendedData::Merge))?;
    transport.drive(deadline, || channel.shell())?;
    Ok(channel)
}

impl Stream for Connection {
    fn read_within(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize> {
        let deadline = Instant::now() + limit;
        loop {
            match self.channel.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(deadline)?,
                done => return done,
            }
        }
    }

    fn write_within(&mut self, mut bytes: &[u8], limit: Duration) -> io::Result<()> {
        let deadline = Instant::now() + limit;
        while !bytes.is_empty() {
            match self.channel.write(bytes) {
                // 0: the host has to make room first.
                Ok(0) => self.wait(deadline)?,
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait(deadline)?,
                Err(error) => return Err(error),
            }
        }
        // Nothing is left to flush: a packet is sent as it is written. libssh2's own flush drops what was received.
        Ok(())
    }
}

impl Connection {
    fn wait(&self, deadline: Instant) -> io::Result<()> {
        if self.transport.wait(deadline) { Ok(()) } else { Err(io::ErrorKind::TimedOut.into()) }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let _: Result<(), ssh2::Error> = self.channel.close();
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        use authentication::Error as Login;
        let fault = |code| Fault::from_error(code, &error);
        match &*error.source {
            Cause::KnownHosts(_) => fault("known_hosts_unreadable"),
            Cause::Tcp(tcp::Error::NotFound { .. }) => fault("host_not_found"),
            Cause::Tcp(tcp::Error::NotConnected { .. }) => fault("connection_failed"),
            Cause::Proxy(proxy::Error::Silent { .. }) => fault("timed_out"),
            Cause::Proxy(_) => fault("proxy_failed"),
            Cause::Algorithms(_) | Cause::Handshake { .. } => fault("handshake_failed"),
            Cause::HostKey(Refusal::Unknown { .. }) => fault("host_key_unknown"),
            Cause::HostKey(Refusal::Changed { .. }) => fault("host_key_changed"),
            Cause::HostKey(Refusal::Revoked { .. }) => fault("host_key_revoked"),
            Cause::Authentication(Login::KeyUnreadable { .. } | Login::KeyUnusable { .. }) => {
                fault("private_key_unusable")
            }
            Cause::Authentication(Login::NoCredentials { .. }) => fault("no_credentials"),
            Cause::Authentication(
                Login::Refused { .. }
                | Login::NotOffered { .. }
                | Login::Expired { .. }
                | Login::AskedMore { .. },
            ) => fault("authentication_failed"),
            Cause::Authentication(Login::Stopped { source, .. }) | Cause::Step { source, .. } => match source
            {
                Stop::TimedOut => fault("timed_out"),
                Stop::Failed(_) => fault("connection_lost"),
            },
        }
    }
}
