//! STUN and TURN server, sans-IO (RFC 8489, RFC 8656, RFC 6062, RFC 8016, RFC 5780).
//!
//! A [`Server`] takes the time and packets as arguments and returns packets to send; it asks its
//! driver to open and close relayed sockets. It owns no socket, no clock and no thread, so a test
//! can run hours of relaying on a virtual clock.
//!
//! # Driving a server
//!
//! 1. Pass packets and events to the `handle_*` methods. Each returns at most one packet to send.
//! 2. After each call, drain [`Server::poll_output`] and [`Server::poll_tcp_output`].
//! 3. Call [`Server::handle_timeout`] at [`Server::poll_timeout`].

mod bucket;
pub mod channel;
mod cidr;
mod credentials;
mod discovery;
pub mod dtls;
mod five_tuple;
mod member_credentials;
mod nonce;
mod policy;
mod rate;
pub mod rest;
mod server;
pub mod siblings;
pub mod stream;
pub mod stun;
mod ticket;

pub use cidr::{Cidr, ParseCidrError};
pub use credentials::User;
pub use discovery::Discovery;
pub use five_tuple::{FiveTuple, Transport};
pub use member_credentials::{MemberCredentials, Members};
pub use policy::is_public;
pub use server::{
    Config, ConnectPeerError, ConnectionId, Counters, Forward, FrozenAllocation, FrozenAllocations,
    Header, IcmpError, Limits, NonceKey, OpenRelayError, Output, PORTS, RelayId, ResponseCounts,
    Server, TcpOutput, ToClient, ToMedia, ToPeer, ToShard,
};
pub use ticket::requested_shard;
