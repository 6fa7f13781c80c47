//! Rooms.

mod acting;
mod actor;
mod admitting;
mod chatting;
mod devices;
mod hands;
mod history;
mod hosting;
mod invitations;
mod inviting;
mod joining;
mod kept;
mod muting;
mod newcomer;
mod operator;
mod polling;
mod polls;
mod resuming;
mod settings;
mod sfu;
mod sharing;
mod snapshot;
mod state;
mod waiting;

pub use self::{
    invitations::{MAX_INVITATION_SECONDS, MAX_INVITATION_USES, MAX_INVITATIONS},
    kept::{KeptDevices, KeptState, Reopening, Unkept},
    polls::{MAX_POLL_OPTIONS, MAX_POLL_VOTERS, MAX_POLLS},
    settings::{Creator, HostRule, Limits, MAX_METADATA_BYTES, Settings},
    snapshot::Snapshot,
    state::Room,
};
