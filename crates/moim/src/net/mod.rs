//! Sockets and addresses: the one port over TCP, TLS and UDP, and limits per client prefix.

pub(crate) mod addresses;
pub(crate) mod auto_announce;
pub(crate) mod bearer;
pub(crate) mod client_prefix;
pub(crate) mod cookie;
pub(crate) mod descriptors;
pub(crate) mod drain;
pub(crate) mod expected;
pub(crate) mod host;
pub(crate) mod http_client;
pub(crate) mod inherited;
mod interface_events;
pub(crate) mod interfaces;
mod masked;
pub(crate) mod port_mapping;
pub(crate) mod quota;
pub(crate) mod reach;
pub(crate) mod reachability;
pub(crate) mod reachable;
pub(crate) mod resolver;
pub(crate) mod tcp;
pub(crate) mod tls;
pub(crate) mod udp;
