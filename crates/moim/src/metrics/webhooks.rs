//! Metrics of webhooks.

use super::page::Page;
use crate::webhooks::{DropReason, WebhookCounts};

/// Adds the metrics of webhooks.
pub(super) fn write(page: &mut Page, counts: &WebhookCounts) {
    page.gauge("webhooks_pending", "Events that wait for their receivers", counts.pending);
    page.counter("webhooks_delivered", "Events delivered to receivers", counts.delivered);
    page.counter(
        "webhooks_failed_attempts",
        "Attempts to deliver an event that failed",
        counts.failed_attempts,
    );
    page.counters(
        "webhooks_dropped",
        "Events that receivers will not get: too many or too old, all attempts failed, the receiver \
         is gone, or the queue from the rooms was full",
        "reason",
        &DropReason::ALL.map(|reason| (reason.name(), counts.dropped(reason))),
    );
}
