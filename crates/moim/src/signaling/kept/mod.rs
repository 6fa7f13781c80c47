//! Rooms that survive a restart, also a crash: locked rooms stay locked, hosts stay hosts, and the
//! chat is there. They are kept in the store, or without one, as settings alone, in a file.
//!
//! A room's task hands over what has changed and goes on; a background task hashes passwords and
//! queues the rows. Only the answer to a decision that must last, such as a ban, waits for them. After a
//! restart a room is kept until somebody enters, which opens it again.

mod file;
mod room;
mod rooms;
mod saving;
mod secret;
mod table;
#[cfg(test)]
mod tests;
mod waits;

pub(super) use self::{
    rooms::{Backing, KeptRooms},
    waits::{Unsaved, Unwritten, Writing},
};
