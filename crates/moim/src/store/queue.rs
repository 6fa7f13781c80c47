//! The bounded queue of writes.

use std::{
    collections::VecDeque,
    sync::mpsc,
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use super::{
    counts::StoreCounts,
    write::{Change, Done, Importance, Write},
};
use crate::log_throttle::LogThrottle;

/// Writes that may wait. Each room adds one every ten seconds, so this is minutes of a stuck disk.
pub(super) const CAPACITY: usize = 8192;
/// Samples may fill three quarters of it.
const SAMPLES_CAPACITY: usize = CAPACITY / 4 * 3;
/// Interval between log lines about dropped writes.
const DROPPED_INTERVAL: Duration = Duration::from_secs(60);

/// An entry of the queue.
pub(super) enum Entry {
    Write(Write),
    /// Reports that all entries before are written.
    Flush(mpsc::Sender<()>),
}

/// The queue between the rest of the server and the writer.
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    dropped: LogThrottle,
}

#[derive(Default)]
struct State {
    entries: VecDeque<Entry>,
    dropped_full: u64,
    dropped_failed: u64,
    is_closed: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue").field("counts", &self.counts()).finish()
    }
}

impl Queue {
    pub(super) fn new() -> Self {
        let dropped = LogThrottle::every(DROPPED_INTERVAL);
        Self { state: Mutex::default(), filled: Condvar::new(), dropped }
    }

    /// Adds a change, or drops and counts it. Returns whether it was added.
    pub(super) fn push(&self, importance: Importance, change: Change, done: Option<Done>) -> bool {
        let capacity = match importance {
            Importance::Sample => SAMPLES_CAPACITY,
            Importance::Record => CAPACITY,
        };
        let mut state = self.state.lock();
        if state.entries.len() >= capacity {
            state.dropped_full += 1;
            let dropped = state.dropped_full;
            drop(state);
            if importance == Importance::Record && self.dropped.is_due(Instant::now()) {
                tracing::error!(dropped, "the store's queue is full, so records are lost");
            }
            return false;
        }
        state.entries.push_back(Entry::Write(Write { change, done }));
        drop(state);
        self.filled.notify_one();
        true
    }

    /// Waits until all entries are written, or until the patience ends. Returns whether they are.
    pub(super) fn flush(&self, patience: Duration) -> bool {
        let (done, written) = mpsc::channel();
        let mut state = self.state.lock();
        state.entries.push_back(Entry::Flush(done));
        drop(state);
        self.filled.notify_one();
        written.recv_timeout(patience).is_ok()
    }

    /// Wakes the writer, since nobody has the store any more.
    pub(super) fn close(&self) {
        self.state.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// Waits for entries until a time, and takes up to `max` of them.
    pub(super) fn take(&self, until: Instant, max: usize) -> Vec<Entry> {
        let mut state = self.state.lock();
        while state.entries.is_empty() && !state.is_closed {
            if self.filled.wait_until(&mut state, until).timed_out() {
                break;
            }
        }
        let count = state.entries.len().min(max);
        state.entries.drain(..count).collect()
    }

    /// Counts writes that the database has refused.
    pub(super) fn failed(&self, writes: u64) {
        let mut state = self.state.lock();
        state.dropped_failed += writes;
    }

    pub(super) fn counts(&self) -> StoreCounts {
        let state = self.state.lock();
        StoreCounts {
            depth: state.entries.len(),
            dropped_full: state.dropped_full,
            dropped_failed: state.dropped_failed,
        }
    }
}
