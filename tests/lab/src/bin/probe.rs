//! `probe ADDRESS`: asks an address 100 times a second until its standard input ends, and prints what became of it.

use anyhow::{Context, Result};

fn main() -> Result<()> {
    let address = std::env::args().nth(1).context("usage: probe ADDRESS")?;
    lab::probe::until_closed(address.parse().with_context(|| format!("`{address}` is no IPv4 address"))?)
}
