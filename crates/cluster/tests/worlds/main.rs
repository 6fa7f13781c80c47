//! Rooms of a cluster in small worlds, exhaustively, and in large ones, at random.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod checker;
mod engine;
mod explorer;
#[path = "../history/mod.rs"]
mod history;
mod large;
mod simulation;
mod world;
