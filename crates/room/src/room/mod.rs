//! Rooms.

mod devices;
mod hosting;
mod muting;
mod newcomer;
mod settings;
mod sfu;
mod state;
mod waiting;

pub use self::{
    settings::{Creator, HostRule, Limits, Settings},
    state::Room,
};
