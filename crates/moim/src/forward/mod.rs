//! Sockets whose room another node of the cluster owns: this node passes their events on, and what
//! the owner sends to them.
//!
//! A socket begins at its own node. At the first request that names a room, the node of the room is
//! looked up. If it is another one, a stream to it is opened, which stays for the socket's life:
//! there, a session is run as for a socket of its own.

mod door;
mod owner;
mod polling;
mod room_list;
mod service;
mod wire;

pub(crate) use self::{
    door::Clustered, polling::pass_on_sessions, room_list::keep_room_list, service::NodeService,
};
