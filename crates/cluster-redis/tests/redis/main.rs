//! The driver with a real server: the same results as the model's, and the checker's rules.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

#[path = "../../../cluster/tests/worlds/checker.rs"]
#[allow(dead_code, reason = "the simulation uses the rest")]
mod checker;
mod conformance;
mod connection;
#[path = "../../../cluster/tests/worlds/engine.rs"]
#[allow(dead_code, reason = "faults and replicas belong to the tests of the core")]
mod engine;
mod rules;
#[path = "../server/mod.rs"]
mod server;

use cluster::{NodeId, Slot};
use cluster_redis::Engine;

use crate::server::RedisProcess;

const SECRET: [u8; 32] = [7; 32];

fn node(slot: u16, boot: u64) -> NodeId {
    NodeId { slot: Slot::new(slot).unwrap(), boot }
}

/// An engine that is connected.
async fn open(server: &RedisProcess, secret: &[u8; 32]) -> Engine {
    let engine = Engine::open(server.url().parse().unwrap(), secret).unwrap();
    engine.wait_for(|status| status.is_connected).await;
    engine
}
