//! An SSH session over a socket, every call of it under a deadline.
//!
//! libssh2 is used without blocking, and the waiting is done here: its own limit is per call, begins anew with
//! each, and a signal that is noticed while it waits looks to it like one that has passed.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use ssh2::{BlockDirections, ErrorCode, MethodType, Session};

use crate::host_key::{self, HostKey};

/// `LIBSSH2_ERROR_EAGAIN`: to be called again when the socket is ready.
const AGAIN: ErrorCode = ErrorCode::Session(-37);
/// No single wait is longer, because libssh2 may say that there is nothing to wait for.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Why a call was given up.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// The deadline passed.
    #[error(
        "the host did not answer in time; hint: see whether it is overloaded, or allow a longer `timeout`"
    )]
    TimedOut,
    /// libssh2 reports a failure.
    #[error("{}", _0.message())]
    Failed(ssh2::Error),
}

/// A session with a host whose key is to be judged before anything is sent that only the host may know.
pub struct Transport {
    session: Session,
    /// The session's own socket, to wait for.
    socket: Arc<OwnedFd>,
}

impl Transport {
    /// Shakes hands over `socket`. The types of the `known` keys are asked for first.
    pub fn open(socket: OwnedFd, known: &[&HostKey], deadline: Instant) -> Result<Self, Stop> {
        let mut session = Session::new().map_err(Stop::Failed)?;
        session.set_blocking(false);
        let supported = session.supported_algs(MethodType::HostKey).map_err(Stop::Failed)?;
        session
            .method_pref(MethodType::HostKey, &host_key::preference(&supported, known))
            .map_err(Stop::Failed)?;
        let socket = Arc::new(socket);
        session.set_tcp_stream(Arc::clone(&socket));
        let transport = Self { session: session.clone(), socket };
        transport.drive(deadline, || session.handshake())?;
        Ok(transport)
    }

    /// The libssh2 session, for calls within [`drive`](Self::drive).
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The key that the host has proven to hold. `None`: libssh2 accepted one whose bytes name no type.
    pub fn host_key(&self) -> Option<HostKey> {
        self.session.host_key().and_then(|(blob, _)| HostKey::from_blob(blob))
    }

    /// Makes `call` again and again until it no longer wants to wait for the socket.
    pub fn drive<T>(
        &self,
        deadline: Instant,
        mut call: impl FnMut() -> Result<T, ssh2::Error>,
    ) -> Result<T, Stop> {
        loop {
            match call() {
                Err(error) if error.code() == AGAIN => {
                    if !self.wait(deadline) {
                        return Err(Stop::TimedOut);
                    }
                }
                done => return done.map_err(Stop::Failed),
            }
        }
    }

    /// Waits until the socket is ready for what the session last wanted of it, or a little less. `false`: the
    /// deadline has passed.
    pub fn wait(&self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now()).min(LONGEST_WAIT);
        if left.is_zero() {
            return false;
        }
        let events = match self.session.block_directions() {
            BlockDirections::Outbound => PollFlags::POLLOUT,
            BlockDirections::Both => PollFlags::POLLIN | PollFlags::POLLOUT,
            BlockDirections::Inbound | BlockDirections::None => PollFlags::POLLIN,
        };
        // Ready or not, the call is made again, and tells what is wrong with the socket.
        is_ready(&self.socket, events, left);
        true
    }
}

/// Waits until `socket` is ready for `events`, at most for so long.
pub fn is_ready(socket: &OwnedFd, events: PollFlags, limit: Duration) -> bool {
    let limit = PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX);
    poll(&mut [PollFd::new(socket.as_fd(), events)], limit).is_ok_and(|ready| ready > 0)
}

impl Drop for Transport {
    fn drop(&mut self) {
        // A courtesy that nobody waits for.
        let _: Result<(), ssh2::Error> = self.session.disconnect(None, "", None);
    }
}
