//! Shards: threads that own the UDP side of the one port.
//!
//! Each shard has sockets of its own for every address (`SO_REUSEPORT`: the kernel distributes
//! clients over them by address), a TURN service with its own relayed sockets, and an SFU service.
//! Nothing on the packet path is shared or locked. Shards exchange packets in batches over bounded
//! queues ([`inter_shard`]), and media of rooms with shards of other nodes ([`node_links`]). The main
//! runtime sends them commands ([`command`]). The two services don't know each other: each returns
//! what is meant for the other, and the [`router`] delivers it.

mod clock;
pub(crate) mod coalesce;
mod command;
mod handle;
mod inter_shard;
mod load;
mod node_links;
mod node_table;
mod pulse;
mod random;
mod report;
mod router;
pub(crate) mod sfu;
mod start;
mod tcp_client;
mod thread;
pub(crate) mod turn;
mod unreached;
mod upkeep;
mod waker;
mod wire;

pub(crate) use handle::Handle;
pub(crate) use node_links::{NodeConfig, NodeLinkCounters};
pub(crate) use node_table::{NodeTable, shard_number};
pub(crate) use pulse::Health;
#[cfg(test)]
pub(crate) use pulse::Pulse;
pub(crate) use report::Report;
pub(crate) use start::{Config, Started, default_shards, start};
pub(crate) use unreached::Unreached;
pub(crate) use upkeep::keep_informed;
#[cfg(test)]
pub(crate) use waker::Waker;
