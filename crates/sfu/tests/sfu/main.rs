//! Simulations of browsers and a media server on a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic
)]

mod attacks;
mod churn;
mod congestion;
mod descriptions;
mod forged_packets;
mod forwarding;
mod grammar;
mod insider;
mod layers;
mod negotiation;
mod panics;
mod paths;
mod probes;
mod quality;
mod retiring;
mod servers;
mod shards;
mod speakers;
mod stacks;
mod twcc;
mod verdicts;
mod world;
