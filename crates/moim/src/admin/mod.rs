//! The admin socket: HTTP on a Unix socket in the data folder, for subcommands on this machine.
//!
//! Its mode is 0600, so only the server's user and root connect, and there is no other
//! authentication. It has a thread and a runtime of its own, so that it answers while the HTTP of
//! the port does not.

pub(crate) mod client;
mod phone;
mod reply;
mod routes;
mod socket;
mod tested;
mod vitals;

pub(crate) use routes::{Parts, router};
pub(crate) use socket::AdminSocket;
pub(crate) use tested::{Arrived, TestProofs};
pub(crate) use vitals::Vitals;
