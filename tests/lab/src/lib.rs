//! Helpers of the lab tests.
