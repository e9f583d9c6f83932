//! JSON-RPC 1.0 over a unix socket, as Open vSwitch speaks it: no framing, each value ends where its JSON ends.
