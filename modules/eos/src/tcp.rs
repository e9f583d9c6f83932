//! A TCP connection to a host by its name, within a deadline. What is said over it is SSH's business.

use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The name has no address.
    #[error("looking up its address: {cause}; hint: check the spelling of `host`, or give its address")]
    NotFound {
        /// What the resolver said.
        cause: io::Error,
    },
    /// None of its addresses answered.
    #[error("connecting to {}; hint: check that the host is up, that its SSH server listens there, and that nothing in between blocks it", attempts.join(", to "))]
    NotConnected {
        /// Each address and what was wrong with it.
        attempts: Vec<String>,
    },
}

/// Connects to the first address of `host` that answers.
///
/// Each address is given its share of the time that is left. Looking up the name has no limit but that of the
/// resolver (resolv.conf(5), `timeout` and `attempts`): std has no call with one.
pub fn connect(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Error> {
    let addresses: Vec<_> =
        (host, port).to_socket_addrs().map_err(|cause| Error::NotFound { cause })?.collect();
    let mut attempts = Vec::new();
    for (address, waiting) in addresses.iter().zip((1..=addresses.len()).rev()) {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(waiting).unwrap_or(u32::MAX);
        // A limit of zero is refused, and after the deadline the reason is still wanted.
        let opened = TcpStream::connect_timeout(address, share.max(Duration::from_millis(1)));
        match opened.and_then(|stream| stream.set_nodelay(true).map(|()| stream)) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => {
                attempts.push(format!("{address}: no answer within {:.1} s", share.as_secs_f32()));
            }
            Err(error) => attempts.push(format!("{address}: {error}")),
        }
    }
    Err(Error::NotConnected { attempts })
}
