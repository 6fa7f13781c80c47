//! Counts of what signaling refuses and measures.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use room::protocol::ErrorCode;

use crate::histogram::{Histogram, JOIN_SECONDS, SharedHistogram};

/// A limit on a client's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RateLimited {
    /// Events of one socket, which are delayed.
    Events,
    /// Requests of one socket to list, create, check and join rooms.
    Entries,
    Chats,
    Reactions,
    Votes,
    /// Requests of one host.
    Hosting,
    /// Offers to the media server.
    Offers,
    /// Rooms checked from one client prefix.
    Checks,
    /// Rooms opened from one client prefix.
    Creations,
    /// Rooms held open by one client prefix.
    Rooms,
    Passwords,
    /// Quality reports, which are ignored.
    Reports,
}

impl RateLimited {
    const NAMES: [(Self, &'static str); 12] = [
        (Self::Events, "events"),
        (Self::Entries, "entries"),
        (Self::Chats, "chats"),
        (Self::Reactions, "reactions"),
        (Self::Votes, "votes"),
        (Self::Hosting, "hosting"),
        (Self::Offers, "offers"),
        (Self::Checks, "checks"),
        (Self::Creations, "creations"),
        (Self::Rooms, "rooms"),
        (Self::Passwords, "passwords"),
        (Self::Reports, "reports"),
    ];
}

/// Counts since the start.
#[derive(Debug)]
pub(super) struct Counters {
    refusals: [AtomicU64; ErrorCode::ALL.len()],
    rate_limited: [AtomicU64; RateLimited::NAMES.len()],
    freezes: AtomicU64,
    socket: SharedHistogram,
    room: SharedHistogram,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            refusals: Default::default(),
            rate_limited: Default::default(),
            freezes: AtomicU64::new(0),
            socket: SharedHistogram::new(JOIN_SECONDS),
            room: SharedHistogram::new(JOIN_SECONDS),
        }
    }
}

impl Counters {
    /// Counts a refused request.
    pub(super) fn refused(&self, code: ErrorCode) {
        let index = ErrorCode::ALL.iter().position(|known| *known == code);
        increment(index.and_then(|index| self.refusals.get(index)), 1);
    }

    /// Counts a request beyond a rate.
    pub(super) fn rate_limited(&self, what: RateLimited) {
        let index = RateLimited::NAMES.iter().position(|(known, _)| *known == what);
        increment(index.and_then(|index| self.rate_limited.get(index)), 1);
    }

    /// Counts freezes that a page has reported.
    pub(super) fn froze(&self, freezes: u64) {
        increment(Some(&self.freezes), freezes);
    }

    /// Takes in the time from a session's first request until its socket is connected.
    pub(super) fn socket_connected(&self, after: Duration) {
        self.socket.observe(after.as_secs_f64());
    }

    /// Takes in the time from a request to join until the room has admitted the participant.
    pub(super) fn room_joined(&self, after: Duration) {
        self.room.observe(after.as_secs_f64());
    }

    /// Reads all counts.
    pub(super) fn read(&self) -> Counts {
        let value = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let codes = ErrorCode::ALL.iter().map(|code| code.name());
        let limits = RateLimited::NAMES.iter().map(|(_, name)| *name);
        Counts {
            refusals: codes.zip(self.refusals.iter().map(value)).collect(),
            rate_limited: limits.zip(self.rate_limited.iter().map(value)).collect(),
            freezes: value(&self.freezes),
            socket: self.socket.read(),
            room: self.room.read(),
        }
    }
}

fn increment(count: Option<&AtomicU64>, by: u64) {
    count.into_iter().for_each(|count| {
        count.fetch_add(by, Ordering::Relaxed);
    });
}

/// Counts for metrics.
#[derive(Debug, Clone)]
pub(crate) struct Counts {
    /// Refused requests by error code.
    pub(crate) refusals: Vec<(&'static str, u64)>,
    /// Requests beyond a rate, by limit.
    pub(crate) rate_limited: Vec<(&'static str, u64)>,
    /// Freezes that pages have reported.
    pub(crate) freezes: u64,
    /// Times until sockets were connected.
    pub(crate) socket: Histogram,
    /// Times until rooms admitted participants.
    pub(crate) room: Histogram,
}
