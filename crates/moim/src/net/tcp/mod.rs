//! The TCP side of the one port: listening, admission, and protocol detection.

pub(crate) mod admission;
mod bind;
mod connection;
mod counters;
mod delegate;
mod idle_timeout;
mod listener;
mod peer_user;
mod prefixed;
mod protocol;
mod proxy_header;
#[cfg(target_os = "linux")]
mod sock_diag;
mod stream;

pub(crate) use admission::Admission;
pub(crate) use bind::{BoundListeners, bind, describe_bind_error};
pub(crate) use connection::Connection;
pub(crate) use counters::ConnectionCounters;
pub(crate) use delegate::delegate_async_write;
pub(crate) use idle_timeout::IdleTimeout;
pub(crate) use listener::accept;
pub(crate) use peer_user::is_of_this_user;
pub(crate) use prefixed::Prefixed;
pub(crate) use protocol::Protocol;
pub(crate) use proxy_header::ProxyHeader;
pub(crate) use stream::Stream;
