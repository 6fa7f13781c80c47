//! Small worlds of browsers and one media server on a virtual clock.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::panic
)]

mod attacks;
mod churn;
mod descriptions;
mod forwarding;
mod grammar;
mod insider;
mod layers;
mod negotiation;
mod packets;
mod panics;
mod paths;
mod rough;
mod shards;
mod speech;
mod twcc;
mod world;
