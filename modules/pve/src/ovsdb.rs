//! The Open vSwitch database: what it holds, and transactions on it.
