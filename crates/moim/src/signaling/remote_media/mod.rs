//! Links of participants on other nodes than that of their room.
//!
//! The node of the room opens a stream to each node that has links of its participants. It sends
//! requests, and gets events, each in their order. If the stream breaks, the other node keeps the
//! links for a while, so that media goes on: the room's node opens the stream again, or another
//! node takes the room over. If the node can't be reached, the room begins the links anew elsewhere.

mod host;
mod last_requests;
mod remote;
mod wire;

pub(super) use self::{
    host::MediaHost,
    remote::{Beginning, RemoteEvent, RemoteNode, StreamEnd},
    wire::{Order, RemoteSfuEvent},
};
