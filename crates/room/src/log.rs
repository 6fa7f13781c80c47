//! Numbered events of a room. Recent events are kept for clients that reconnect.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{audience::Audience, event::Event};

/// A logged event.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) number: u64,
    pub(crate) to: Audience,
    pub(crate) event: Arc<Event>,
    pub(crate) at: Instant,
}

/// Event log, bounded in bytes and age.
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

    /// A log with earlier entries, in order.
    pub(crate) fn restore(mut self, entries: impl IntoIterator<Item = Entry>, newest: u64) -> Self {
        self.entries.extend(entries);
        self.bytes = self.entries.iter().map(|entry| entry.event.byte_size()).sum();
        self.newest = self.entries.back().map_or(newest, |last| newest.max(last.number));
        self
    }

    /// Number of the newest event; 0 before the first.
    pub(crate) fn newest(&self) -> u64 {
        self.newest
    }

    /// Has the next event's number be above this one.
    pub(crate) fn begin(&mut self, number: u64) {
        self.newest = self.newest.max(number);
    }

    /// Appends an event; returns its number.
    pub(crate) fn push(&mut self, now: Instant, to: Audience, event: Arc<Event>) -> u64 {
        self.newest += 1;
        self.bytes += event.byte_size();
        self.entries.push_back(Entry { number: self.newest, to, event, at: now });
        self.newest
    }

    /// Removes the oldest event if it is too old or the log too large.
    pub(crate) fn pop_excess(&mut self, now: Instant) -> Option<Entry> {
        let oldest = self.entries.front()?;
        let aged = now.saturating_duration_since(oldest.at) >= self.max_age;
        if !aged && self.bytes <= self.max_bytes {
            return None;
        }
        self.pop_oldest()
    }

    /// Removes the oldest event if the log exceeds `max_bytes`.
    pub(crate) fn pop_above(&mut self, max_bytes: usize) -> Option<Entry> {
        (self.bytes > max_bytes).then(|| self.pop_oldest()).flatten()
    }

    /// Total size of the kept events, in bytes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn pop_oldest(&mut self) -> Option<Entry> {
        let oldest = self.entries.pop_front()?;
        self.bytes -= oldest.event.byte_size();
        if self.entries.is_empty() {
            // Free the memory of a busy room that went quiet. A room that keeps nothing doesn't
            // allocate anew for each event.
            self.entries.shrink_to(4);
        }
        Some(oldest)
    }

    /// Removes an event that a newer one supersedes, if still logged.
    pub(crate) fn retract(&mut self, number: u64) {
        let Ok(at) = self.entries.binary_search_by_key(&number, |entry| entry.number) else {
            return;
        };
        if let Some(entry) = self.entries.remove(at) {
            self.bytes -= entry.event.byte_size();
        }
    }

    /// Events after `number`, in order.
    pub(crate) fn after(&self, number: u64) -> impl Iterator<Item = &Entry> {
        let first = self.entries.partition_point(|entry| entry.number <= number);
        self.entries.range(first..)
    }

    /// Time at which the whole log has expired. Pushes remove single events, so a busy room needs
    /// no timer.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.entries.back().map(|newest| newest.at + self.max_age)
    }
}
