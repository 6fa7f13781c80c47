//! The server in a virtual world: networks, hours and attackers in no time.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a test that fails says so"
)]

mod attack;
mod lifetimes;
mod mutation;
mod parser;
mod relaying;
mod requests;
mod tcp;
mod world;
