//! Waiting for the events of clients.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};

use crate::fleet::{Fleet, Id, Notice};

/// Timeout of expected events.
pub(super) const EVENT_TIMEOUT: Duration = Duration::from_secs(20);

/// Waits for a number of matching events; any other event is an error.
pub(super) fn await_events(
    fleet: &mut Fleet,
    count: usize,
    is_right: impl Fn(Id, &str) -> bool,
) -> anyhow::Result<()> {
    let end = Instant::now() + EVENT_TIMEOUT;
    let mut received = 0;
    while received < count {
        ensure!(Instant::now() < end, "{received} of {count} events in {EVENT_TIMEOUT:?}");
        for (id, notice) in fleet.poll(end)? {
            match notice {
                Notice::Event(event) if is_right(id, &event) => received += 1,
                other => bail!("client {id}: unexpected {other:?}"),
            }
        }
    }
    Ok(())
}
