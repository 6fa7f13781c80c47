//! The relay over real sockets, over each transport and in each family.

mod client;
mod connections;
mod scenarios;
mod wire;

pub(crate) use client::{ALLOWED, Client, PASSWORD};
pub(crate) use wire::Transport;
