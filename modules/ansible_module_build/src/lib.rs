//! Compiles `library/<module>.yml` into Rust source for the argument spec, from a build script.
