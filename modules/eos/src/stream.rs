//! The bytes of a dialog, with time limits. What they mean is the shell's business.
use std::io;
use std::time::Duration;
/// Two directions of bytes, each call with its own limit.
pub trait Stream {
    /// Reads what has arrived, waiting for the first byte at most `limit`. 0 is the end of the stream; `TimedOut` when nothing came.
    fn read_within(&mut self, buffer: &mut [u8], limit: Duration) -> io::Result<usize>;
    /// Writes all of `bytes` within `limit`, and flushes.
    fn write_within(&mut self, bytes: &[u8], limit: Duration) -> io::Result<()>;
}
