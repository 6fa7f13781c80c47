//! Links of participants on other nodes than that of their room.
//!
//! The node of the room opens a stream to each node that has links of its participants. It sends
//! requests, and gets events, each in their order. If the stream breaks, the room begins the links
//! anew elsewhere. The other node keeps them for a while, so that media goes on if another node
//! takes the room over.

mod host;
mod remote;
mod wire;

pub(super) use self::{
    host::MediaHost,
    remote::{Beginning, RemoteEvent, RemoteNode},
    wire::{Order, RemoteSfuEvent},
};
