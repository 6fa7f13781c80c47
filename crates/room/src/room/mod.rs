//! Rooms.

mod settings;
mod sfu;
mod state;

pub use self::{
    settings::{Limits, Settings},
    state::Room,
};
