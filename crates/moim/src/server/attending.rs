//! Notifications to the service manager while the server runs.

use std::{sync::Arc, time::Duration};

use tokio::{task::spawn_blocking, time::interval};

use crate::{
    net::drain::Drain,
    shard,
    signaling::{Census, Signaling},
    supervisor::Supervisor,
};

/// Interval in which the service manager gets a new status, at most.
const STATUS_INTERVAL: Duration = Duration::from_secs(5);

/// Tells the service manager about the server, and feeds its watchdog while every shard and this
/// runtime work.
pub(super) async fn attend(
    supervisor: Supervisor,
    shards: shard::Health,
    signaling: Option<Arc<Signaling>>,
    drain: Drain,
) {
    if !supervisor.is_present() {
        return;
    }
    let watchdog = supervisor.watchdog_interval();
    let mut ticks = interval(watchdog.unwrap_or(STATUS_INTERVAL).min(STATUS_INTERVAL));
    let mut told = String::new();
    loop {
        ticks.tick().await;
        let stuck = shards.stuck();
        let status = status(stuck, signaling.as_deref(), &drain);
        let news = (status != told).then(|| status.clone());
        told = status;
        // The manager may be busy.
        let tell = spawn_blocking(move || {
            if watchdog.is_some() && stuck == 0 {
                supervisor.feed();
            }
            news.iter().for_each(|status| supervisor.status(status));
        });
        let _ = tell.await;
    }
}

/// The server in one line, without names.
fn status(stuck: usize, signaling: Option<&Signaling>, drain: &Drain) -> String {
    let phase = match (stuck, drain.has_begun()) {
        (0, false) => "Serving",
        (0, true) => "Draining",
        _ => "A shard is stuck",
    };
    match signaling.map(Signaling::census) {
        Some(Census { rooms, participants, .. }) => {
            format!("{phase}; rooms: {rooms}, participants: {participants}")
        }
        None => format!("{phase}; relay alone"),
    }
}
