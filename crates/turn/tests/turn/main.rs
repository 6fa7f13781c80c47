//! The server in a virtual world: networks, hours and attackers on a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "panics are test failures"
)]

mod attack;
mod bandwidth;
mod credentials;
mod discovery;
mod errors;
mod families;
mod lifetimes;
mod members;
mod mobility;
mod mutation;
mod parser;
mod quotas;
mod relaying;
mod requests;
mod reservations;
mod restart;
mod siblings;
mod tcp;
mod world;
