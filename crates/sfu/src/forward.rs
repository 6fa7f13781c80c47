//! One outgoing stream made of several incoming ones: numbers and timestamps go on without a break.

use crate::packet::Packet;
use std::time::Instant;

/// The highest number that a stream may start at: 16 bits without a rollover, since a receiver starts
/// at rollover 0 (RFC 3711 §3.3.1).
pub(crate) const HIGHEST_START: u64 = 0x7fff;

/// Rewrites packets of the layer that is on, whichever that is.
#[derive(Debug)]
pub(crate) struct Forwarder {
    /// Of the newest packet sent: its number, timestamp and when.
    seq: u64,
    newest: Option<(u32, Instant)>,
    feed: Option<Feed>,
}

/// The layer that is on.
#[derive(Debug, Clone, Copy)]
struct Feed {
    layer: usize,
    /// The first packet; older ones belong before the switch.
    first: u64,
    /// What the first packet has become.
    first_out: u64,
    /// Added to timestamps.
    time_offset: u32,
}

/// What a packet is sent as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rewritten {
    pub(crate) seq: u64,
    pub(crate) time: u32,
}

impl Forwarder {
    /// Starts counting after `start`.
    pub(crate) fn new(start: u64) -> Self {
        Self { seq: start.min(HIGHEST_START), newest: None, feed: None }
    }

    /// The layer that is on.
    pub(crate) fn layer(&self) -> Option<usize> {
        self.feed.map(|feed| feed.layer)
    }

    /// Nothing is on until the next switch.
    pub(crate) fn stop(&mut self) {
        self.feed = None;
    }

    /// Puts `layer` on, starting with `packet`.
    pub(crate) fn switch(&mut self, layer: usize, packet: &Packet) {
        let time = match self.newest {
            // The media clock goes on as the wall clock did, and by one at least, so that what comes
            // is a new frame.
            Some((time, at)) => {
                let passed = packet.at.saturating_duration_since(at).as_micros();
                let ticks = passed * u128::from(packet.format.clock_rate()) / 1_000_000;
                time.wrapping_add(u32::try_from(ticks).unwrap_or(u32::MAX).max(1))
            }
            None => packet.time,
        };
        self.feed = Some(Feed {
            layer,
            first: packet.seq,
            first_out: self.seq + 1,
            time_offset: time.wrapping_sub(packet.time),
        });
    }

    /// What a packet of the layer that is on becomes; none if it is older than the switch.
    pub(crate) fn rewrite(&mut self, packet: &Packet) -> Option<Rewritten> {
        let feed = self.feed?;
        let seq = feed.first_out + packet.seq.checked_sub(feed.first)?;
        let time = packet.time.wrapping_add(feed.time_offset);
        if seq > self.seq {
            self.seq = seq;
            self.newest = Some((time, packet.at));
        }
        Some(Rewritten { seq, time })
    }
}
