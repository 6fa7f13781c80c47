//! Rooms.

mod acting;
mod actor;
mod admitting;
mod devices;
mod history;
mod hosting;
mod joining;
mod kept;
mod muting;
mod newcomer;
mod operator;
mod resuming;
mod settings;
mod sfu;
mod snapshot;
mod state;
mod waiting;

pub use self::{
    kept::{KeptDevices, Reopening, Unkept},
    settings::{Creator, HostRule, Limits, Settings},
    snapshot::Snapshot,
    state::Room,
};
