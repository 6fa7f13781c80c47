//! The moim binary: sockets, clock, configuration and storage around the sans-IO cores.

mod port;
mod socket;

fn main() {}
