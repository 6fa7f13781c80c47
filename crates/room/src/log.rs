//! A room's events, numbered, the recent ones kept for those who reconnect.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{event::Event, roster::Seat};

/// To whom an event is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// One participant.
    One(Seat),
    /// All but one.
    AllBut(Seat),
    /// All.
    All,
}

impl Audience {
    pub(crate) fn includes(self, seat: Seat) -> bool {
        match self {
            Self::One(one) => one == seat,
            Self::AllBut(one) => one != seat,
            Self::All => true,
        }
    }
}

/// An event that happened.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) to: Audience,
    pub(crate) event: Arc<Event>,
    at: Instant,
}

/// The events, bounded in bytes and age.
#[derive(Debug)]
pub(crate) struct Log {
    entries: VecDeque<Entry>,
    newest: u64,
    bytes: usize,
    max_bytes: usize,
    max_age: Duration,
}

impl Log {
    pub(crate) fn new(max_bytes: usize, max_age: Duration) -> Self {
        Self { entries: VecDeque::new(), newest: 0, bytes: 0, max_bytes, max_age }
    }

    /// The number of the newest event, 0 before the first.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Gives the event the next number and keeps it.
    pub(crate) fn push(&mut self, now: Instant, to: Audience, event: Arc<Event>) -> u64 {
        self.newest += 1;
        self.bytes += event.weight();
        self.entries.push_back(Entry { number: self.newest, to, event, at: now });
        self.newest
    }

    /// Gives up the oldest event if it is too old or the log too large.
    pub(crate) fn pop_excess(&mut self, now: Instant) -> Option<Entry> {
        let oldest = self.entries.front()?;
        let aged = now.saturating_duration_since(oldest.at) >= self.max_age;
        if !aged && self.bytes <= self.max_bytes {
            return None;
        }
        self.pop_oldest()
    }

    /// Gives up the oldest event if the log holds more than `most` bytes.
    pub(crate) fn pop_above(&mut self, most: usize) -> Option<Entry> {
        (self.bytes > most).then(|| self.pop_oldest()).flatten()
    }

    /// Bytes of the events kept.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn pop_oldest(&mut self) -> Option<Entry> {
        let oldest = self.entries.pop_front()?;
        self.bytes -= oldest.event.weight();
        if self.entries.is_empty() {
            // A quiet room holds no memory of the busy one it was.
            self.entries.shrink_to_fit();
        }
        Some(oldest)
    }

    /// Takes an event out that a newer one makes void, if it is still there.
    pub(crate) fn retract(&mut self, number: u64) {
        let Ok(at) = self.entries.binary_search_by_key(&number, |entry| entry.number) else {
            return;
        };
        if let Some(entry) = self.entries.remove(at) {
            self.bytes -= entry.event.weight();
        }
    }

    /// What comes after the event `number`, in order.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.number <= number);
        self.entries.range(first..)
    }

    /// When the whole log will have aged. Single events are given up as others come, so a busy
    /// room needs no timer for them.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.entries.back().map(|newest| newest.at + self.max_age)
    }
}
