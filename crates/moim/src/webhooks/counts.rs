//! Counts of webhooks, for metrics.

/// Why an event was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum DropReason {
    /// Its receiver has as many as are kept.
    Full,
    /// It waited for seven days.
    Old,
    /// All attempts failed.
    Failed,
    /// Its receiver answered 410, or was removed or disabled.
    Gone,
    /// It did not fit the queue from the rooms.
    Feed,
}

/// Counts since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct WebhookCounts {
    /// Events that wait now.
    pub(crate) pending: usize,
    pub(crate) delivered: u64,
    /// Attempts that failed.
    pub(crate) failed_attempts: u64,
    dropped: [u64; DropReason::ALL.len()],
}

impl DropReason {
    pub(crate) const ALL: [Self; 5] = [Self::Full, Self::Old, Self::Failed, Self::Gone, Self::Feed];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Old => "old",
            Self::Failed => "failed",
            Self::Gone => "gone",
            Self::Feed => "feed",
        }
    }
}

impl WebhookCounts {
    pub(super) fn drop(&mut self, reason: DropReason, events: usize) {
        if let Some(count) = self.dropped.get_mut(reason as usize) {
            *count += events as u64;
        }
    }

    /// Events dropped for a reason.
    pub(crate) fn dropped(&self, reason: DropReason) -> u64 {
        self.dropped.get(reason as usize).copied().unwrap_or_default()
    }
}
