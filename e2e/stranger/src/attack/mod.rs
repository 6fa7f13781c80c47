//! The attacks. Each uses one address and counts its attempts.

mod allocations;
mod guesses;
mod half_open;
mod lobby;
mod offers;
mod rooms;
mod slow_readers;
mod twcc;
mod udp_flood;
mod websocket;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use clap::ValueEnum;
use serde_json::{Value, json};

use crate::{target::Target, witness::run_for};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Attack {
    /// As many TURN allocations as possible
    Allocations,
    /// As many rooms as possible, in a dialect
    Rooms,
    /// Pairs of participants, of which one never reads
    SlowReaders,
    /// Offers that are slow to parse
    SlowSdp,
    /// Offers that take much memory
    LargeSdp,
    /// Offers with the same payload type for two codecs
    CodecClash,
    /// Authenticated RTP with transport-wide sequence numbers that run backwards
    Twcc,
    /// Datagrams of every protocol from an unauthenticated source
    UdpFlood,
    /// New rooms, of which each sends a long list to the lobby
    Lobby,
    /// Guesses of a room's password
    Guesses,
    /// Malformed and useless WebSocket messages
    Websocket,
    /// Connections with incomplete requests or handshakes
    HalfOpen,
}

/// Maximum number of counters: one per outcome that attacks name, and some error messages.
const MAX_COUNTERS: usize = 64;

/// Counters of attempts and their outcomes.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Counts {
    pub(crate) fn add(&self, name: &str, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.contains_key(name) || counts.len() < MAX_COUNTERS {
            *counts.entry(name.to_owned()).or_default() += count;
        }
    }

    /// Counts a success, or a failure under its error message.
    pub(crate) fn outcome<T, E: std::fmt::Display>(&self, outcome: &Result<T, E>) {
        match outcome {
            Ok(_) => self.add("ok", 1),
            Err(error) => self.add(&format!("failed: {error}"), 1),
        }
    }

    fn json(&self) -> Value {
        json!(*self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Runs an attack for a duration, then drops all its connections.
pub(crate) async fn run(
    attack: Attack,
    target: Target,
    duration: Duration,
) -> anyhow::Result<Value> {
    let counts = Counts::default();
    let shared = counts.clone();
    match attack {
        Attack::Allocations => run_for(duration, allocations::run(target, shared)).await,
        Attack::Rooms => run_for(duration, rooms::run(target, shared)).await,
        Attack::SlowReaders => run_for(duration, slow_readers::run(target, shared)).await,
        Attack::SlowSdp => run_for(duration, offers::run(target, shared, offers::slow)).await,
        Attack::LargeSdp => run_for(duration, offers::run(target, shared, offers::large)).await,
        Attack::CodecClash => {
            run_for(duration, offers::run(target, shared, offers::codec_clash)).await;
        }
        Attack::Twcc => run_for(duration, twcc::run(target, shared)).await,
        Attack::UdpFlood => run_for(duration, udp_flood::run(target, shared)).await,
        Attack::Lobby => run_for(duration, lobby::run(target, shared)).await,
        Attack::Guesses => run_for(duration, guesses::run(target, shared)).await,
        Attack::Websocket => run_for(duration, websocket::run(target, shared)).await,
        Attack::HalfOpen => run_for(duration, half_open::run(target, shared)).await,
    }
    Ok(json!({"attack": format!("{attack:?}"), "counts": counts.json()}))
}
