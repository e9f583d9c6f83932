//! The two file locks: ours for a whole apply, Proxmox's own for the moment between reading and writing.
