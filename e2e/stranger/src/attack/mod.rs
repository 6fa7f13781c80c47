//! The attacks. Each keeps to one address and tells how much it has tried.

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

use crate::{target::Target, witness::during};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Attack {
    /// As many TURN allocations as can be had
    Allocations,
    /// As many rooms as can be had, by a dialect
    Rooms,
    /// Pairs of which one never reads
    SlowReaders,
    /// Offers that are slow to parse
    SlowSdp,
    /// Offers that are large to keep
    LargeSdp,
    /// Offers in which one payload type stands for two codecs
    CodecClash,
    /// Authenticated RTP whose transport-wide sequence numbers run backwards
    Twcc,
    /// Datagrams of every protocol from a source that has proven nothing
    UdpFlood,
    /// Rooms made to have long lists sent to everybody in a lobby
    Lobby,
    /// Guesses of a room's password
    Guesses,
    /// Malformed and useless WebSocket messages
    Websocket,
    /// Connections that begin and never go on
    HalfOpen,
}

/// Counts what became of what was tried.
#[derive(Clone, Default)]
pub(crate) struct Counts(Arc<Mutex<BTreeMap<String, u64>>>);

impl Counts {
    pub(crate) fn add(&self, what: &str, count: u64) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // As many kinds as the attacks name, and some reasons of refusals.
        if counts.contains_key(what) || counts.len() < 64 {
            *counts.entry(what.to_owned()).or_default() += count;
        }
    }

    /// Counts a success, or a failure by its reason.
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

/// Attacks for so long, and lets go of everything.
pub(crate) async fn run(attack: Attack, target: Target, time: Duration) -> anyhow::Result<Value> {
    let counts = Counts::default();
    let by = counts.clone();
    match attack {
        Attack::Allocations => during(time, allocations::run(target, by)).await,
        Attack::Rooms => during(time, rooms::run(target, by)).await,
        Attack::SlowReaders => during(time, slow_readers::run(target, by)).await,
        Attack::SlowSdp => during(time, offers::run(target, by, offers::slow)).await,
        Attack::LargeSdp => during(time, offers::run(target, by, offers::large)).await,
        Attack::CodecClash => during(time, offers::run(target, by, offers::codec_clash)).await,
        Attack::Twcc => during(time, twcc::run(target, by)).await,
        Attack::UdpFlood => during(time, udp_flood::run(target, by)).await,
        Attack::Lobby => during(time, lobby::run(target, by)).await,
        Attack::Guesses => during(time, guesses::run(target, by)).await,
        Attack::Websocket => during(time, websocket::run(target, by)).await,
        Attack::HalfOpen => during(time, half_open::run(target, by)).await,
    }
    Ok(json!({"attack": format!("{attack:?}"), "counts": counts.json()}))
}
