//! The task that takes in what happens in rooms and delivers it.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::{
    delivery::Sender,
    event::{RoomEvents, RoomNews},
    failure::Outcome,
    outbox::Attempt,
    registry::{Shared, Webhooks},
};
use crate::{
    access::Access,
    config::WebhookConfig,
    net::http_client::HttpClient,
    store::{Store, ids},
};

/// Events taken from the rooms at once.
const BATCH: usize = 256;
/// The longest sleep: the wall clock, by which attempts are due, may be set.
const MAX_SLEEP: Duration = Duration::from_secs(60);

/// The task, not yet started.
pub(crate) struct Deliveries {
    shared: Arc<Shared>,
    feed: mpsc::Receiver<RoomNews>,
    sender: Sender,
}

impl Deliveries {
    /// Webhooks of a server, the task that delivers for them, and the feed for the rooms.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn new(
        store: Store,
        config: &WebhookConfig,
        access: Arc<Access>,
    ) -> anyhow::Result<(Webhooks, Self, RoomEvents)> {
        let (events, feed) = RoomEvents::new();
        let webhooks = Webhooks::load(store, config, events.clone())?;
        let sender = Sender { client: HttpClient::default(), access };
        let task = Self { shared: Arc::clone(&webhooks.0), feed, sender };
        Ok((webhooks, task, events))
    }

    /// Runs until the server ends.
    pub(crate) async fn run(mut self) {
        let mut attempts: JoinSet<(Attempt, Outcome)> = JoinSet::new();
        let mut batch = Vec::with_capacity(BATCH);
        let mut dropped = 0;
        loop {
            let due = self.begin(&mut attempts);
            tokio::select! {
                biased;
                taken = self.feed.recv_many(&mut batch, BATCH) => {
                    if taken == 0 {
                        return;
                    }
                    let now = ids::now();
                    self.shared.change_quietly(|core| {
                        batch.drain(..).for_each(|news| core.handle_news(now, news));
                    });
                    // Once all that was not dropped is handled, so that none of it opens a room again.
                    if self.feed.is_empty() && self.shared.events.dropped() != dropped {
                        dropped = self.shared.events.dropped();
                        let open = self.shared.events.open_rooms();
                        self.shared.change_quietly(|core| core.close_lost(now, &open));
                    }
                }
                Some(done) = attempts.join_next() => {
                    // An attempt that panicked is tried again with the next start.
                    if let Ok((attempt, outcome)) = done {
                        let now = ids::now();
                        self.shared.change_quietly(|core| {
                            core.handle_outcome(now, &attempt, &outcome);
                        });
                    }
                }
                () = self.shared.changed.notified() => {
                    // The feed is empty: it comes first.
                    for flush in self.shared.flushes.lock().drain(..) {
                        let _ = flush.send(());
                    }
                }
                () = sleep_until(due) => {}
            }
        }
    }

    /// Begins the attempts that are due; returns the time of the next one.
    fn begin(&self, attempts: &mut JoinSet<(Attempt, Outcome)>) -> Instant {
        let now = ids::now();
        let allows_private = **self.shared.allows_private.load();
        let (begun, next) = self.shared.change_quietly(|core| {
            let mut begun = Vec::new();
            while let Some(attempt) = core.poll_attempt(now) {
                let webhook = core.webhook(attempt.webhook).cloned();
                begun.extend(webhook.map(|webhook| (webhook, attempt)));
            }
            (begun, core.poll_timeout())
        });
        for (webhook, attempt) in begun {
            let sender = self.sender.clone();
            attempts.spawn(async move {
                let outcome = sender.deliver(&webhook, &attempt, allows_private).await;
                (attempt, outcome)
            });
        }
        let wait = next.map_or(MAX_SLEEP, |at| {
            Duration::from_millis(u64::try_from(at - now).unwrap_or_default())
        });
        Instant::now() + wait.min(MAX_SLEEP)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::AccessConfig,
        data::DataFolder,
        store::{Retention, outbox},
        webhooks::{EventKind, EventRoom, Form, NewWebhook, RoomEvent},
    };

    fn event(kind: EventKind, id: &str, seq: u64) -> RoomEvent {
        let room = EventRoom {
            id: id.to_owned(),
            name: id.to_owned(),
            opened: 1,
            capacity: 9,
            participants: 0,
            metadata: String::new(),
        };
        RoomEvent { kind, at: 1, seq, room, participant: None }
    }

    #[tokio::test]
    async fn room_whose_end_did_not_fit_the_feed_ends_for_its_receivers() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(folder.path()).unwrap();
        let store = Store::open(&data, Retention { samples_days: 7 }).unwrap();
        let config = WebhookConfig { allows_private: true, ..WebhookConfig::default() };
        let access = Arc::new(Access::new(AccessConfig::default()));
        let (webhooks, deliveries, events) =
            Deliveries::new(store.clone(), &config, access).unwrap();
        // Nobody is there: all events stay in the outbox.
        let url = "http://127.0.0.1:1/".to_owned();
        let new = NewWebhook { url, form: Form::Standard, events: EventKind::ALL.to_vec() };
        webhooks.create(new).unwrap();
        for room in ["lost", "open"] {
            events.publish(event(EventKind::RoomStarted, room, 1));
        }
        // A room that begins and ends, until the feed is full; the end of the last one may not fit.
        let mut number = 0;
        while events.dropped() == 0 {
            for kind in [EventKind::RoomStarted, EventKind::RoomFinished] {
                events.publish(event(kind, &format!("brief {number}"), 1));
            }
            number += 1;
        }
        events.publish(event(EventKind::RoomFinished, "lost", 2));
        assert!(events.dropped() > 1);
        let task = tokio::spawn(deliveries.run());
        webhooks.flush().await;
        task.abort();
        store.flush(Duration::from_secs(10));
        let rows = store.load(outbox::all).unwrap().unwrap();
        let kinds = |room: &str| -> Vec<_> {
            rows.iter().filter(|row| row.room == room).map(|row| row.event.as_str()).collect()
        };
        assert_eq!(kinds("lost"), ["room.started", "room.finished"]);
        assert_eq!(kinds("open"), ["room.started"]);
        assert_eq!(rows.len() % 2, 1, "of all others, the beginning and the end");
    }
}
