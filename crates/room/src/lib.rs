//! Rooms and participants, sans-IO.
//!
//! A [`Room`] takes the time and the requests of connections, and returns effects. It is
//! independent of sockets, tasks and SDP. The [`Lobby`] lists the rooms. The [`dialect`]s translate
//! for clients of other Socket.IO servers.

mod address;
mod audience;
pub mod chat;
mod credential;
mod device;
pub mod dialect;
mod event;
pub mod file;
mod hex;
mod invitation;
mod lobby;
mod log;
pub mod name;
mod opaque;
mod participant;
mod pass;
pub mod password;
pub mod poll;
pub mod protocol;
mod reaction;
mod rejection;
mod request;
pub mod rights;
mod room;
mod roster;
mod sdp;
mod sfu_message;
mod sharing;
mod token;
mod topology;

pub use address::Address;
pub use credential::{Credential, CredentialError};
pub use device::{DeviceHash, DeviceSecret, DeviceSecretError};
pub use event::{
    Event, FileMessage, Foreign, MAX_CANDIDATE_BYTES, MAX_FOREIGN_BYTES, MAX_SDP_BYTES,
    MAX_SFU_SDP_BYTES, Message,
};
pub use invitation::PresentedInvitation;
pub use lobby::Lobby;
pub use opaque::Opaque;
pub use participant::Participant;
pub use pass::Pass;
pub use reaction::{Reaction, ReactionError};
pub use rejection::Rejection;
pub use request::{
    Admission, Chat, Connection, Departure, Effect, Hosting, Inviting, Join, MAX_MID_BYTES,
    MAX_WANTED_TRACKS, Operation, Polling, Recipients, Reply, Request, Resume,
};
pub use room::{
    Creator, HostRule, KeptDevices, KeptState, Limits, MAX_INVITATION_SECONDS, MAX_INVITATION_USES,
    MAX_INVITATIONS, MAX_METADATA_BYTES, MAX_POLL_OPTIONS, MAX_POLL_VOTERS, MAX_POLLS, Reopening,
    Room, Settings, Snapshot, Unkept,
};
pub use sfu_message::{FromSfu, ToSfu};
pub use sharing::FileSharing;
