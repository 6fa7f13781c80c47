//! A bound on how often one log line is written, for lines that strangers can cause.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Permission to log one line, at most once an interval.
#[derive(Debug)]
pub(crate) struct Reminder {
    interval: Duration,
    last: Mutex<Option<Instant>>,
}

impl Reminder {
    /// A reminder that is due at once, and then again after each `interval`.
    pub(crate) const fn every(interval: Duration) -> Self {
        Self { interval, last: Mutex::new(None) }
    }

    /// Takes the permission if the last one is long enough ago.
    pub(crate) fn is_due(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.is_none_or(|last| now.duration_since(last) >= self.interval);
        if due {
            *last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reminder_is_due_once_an_interval() {
        let reminder = Reminder::every(Duration::from_secs(60));
        let start = Instant::now();
        let due: Vec<bool> = [0, 1, 59, 60, 61, 119, 120]
            .map(|seconds| reminder.is_due(start + Duration::from_secs(seconds)))
            .into();
        assert_eq!(due, [true, false, false, true, false, false, true]);
    }
}
