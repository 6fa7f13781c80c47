//! Rooms.

mod acting;
mod actor;
mod admitting;
mod devices;
mod hosting;
mod muting;
mod newcomer;
mod operator;
mod settings;
mod sfu;
mod snapshot;
mod state;
mod waiting;

pub use self::{
    settings::{Creator, HostRule, Limits, Settings},
    snapshot::Snapshot,
    state::Room,
};
