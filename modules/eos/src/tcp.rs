//! A TCP connection to a host by its name, within a deadline. What is said over it is SSH's business.

use std::io;
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
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
/// Looking up the name has no limit but that of the resolver (resolv.conf(5), `timeout` and `attempts`): std has no
/// call with one.
pub fn connect(host: &str, port: u16, deadline: Instant) -> Result<TcpStream, Error> {
    first_of(&look_up(host, port)?, deadline)
}

/// The addresses of a name, or the one that `host` is, with its zone where it has one: `fe80::1%eth0`.
fn look_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let addresses = (host, port).to_socket_addrs().map_err(|cause| Error::NotFound { cause })?;
    Ok(addresses.collect())
}

/// Each address is given its share of the time that is left.
fn first_of(addresses: &[SocketAddr], deadline: Instant) -> Result<TcpStream, Error> {
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

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn the_next_address_is_tried_where_one_refuses_or_cannot_be_reached() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let here = listener.local_addr().unwrap();
        // A group, to which TCP connects nobody: no packet leaves this machine.
        let nowhere: SocketAddr = format!("[ff02::1]:{}", free.port()).parse().unwrap();
        let soon = || Instant::now() + Duration::from_secs(20);
        let connected = first_of(&[nowhere, free, here], soon()).unwrap();
        assert_eq!(connected.peer_addr().unwrap(), here);
        let Err(Error::NotConnected { attempts }) = first_of(&[nowhere, free], soon()) else { panic!() };
        assert!(attempts[0].starts_with(&format!("{nowhere}: ")), "{attempts:?}");
        assert_eq!(attempts[1], format!("{free}: Connection refused (os error 111)"));
    }

    #[test]
    fn an_address_is_its_own_name_and_keeps_its_zone() {
        let port = 2222;
        assert_eq!(look_up("2001:db8::1", port).unwrap(), ["[2001:db8::1]:2222".parse().unwrap()]);
        let [SocketAddr::V6(address)] = look_up("fe80::1%lo", port).unwrap()[..] else { panic!() };
        assert_ne!(address.scope_id(), 0);
        assert!(look_up("fe80::1%none", port).is_err());
    }
}
