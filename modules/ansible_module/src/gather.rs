//! Collecting into ordered maps and sets with little code.

/// Every iterator can.
pub trait Gather: Iterator + Sized {
    /// `collect` for a `BTreeMap` or a `BTreeSet`, of the same outcome. The standard library's sorts first and builds
    /// from that, which puts 4 KB of sorting into a binary for every such call.
    fn gather<C: Default + Extend<Self::Item>>(self) -> C {
        let mut all = C::default();
        all.extend(self);
        all
    }
}

impl<I: Iterator> Gather for I {}
