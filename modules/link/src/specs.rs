//! The argument spec of this crate's module, as the build script compiled it from `library/lacp_link_check.yml`.

/// The description of a link, and what both ends report.
pub mod lacp_link_check {
    include!(concat!(env!("OUT_DIR"), "/lacp_link_check.rs"));
}
