//! The one port: what listens on it, and how it is told apart what arrives.

mod connection;

pub(crate) use connection::Connection;
