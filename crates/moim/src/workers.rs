//! The threads of the main runtime, whose wake-ups are coalesced where messages come densely.

use std::{
    cell::{Cell, RefCell},
    io, thread,
    time::Instant,
};

use tokio::runtime::{Builder, Runtime};

use crate::shard::coalesce::{Received, WakeCoalescer};

thread_local! {
    static RECEIVED: Cell<Received> = Cell::default();
    static COALESCER: RefCell<WakeCoalescer> = RefCell::default();
}

/// Starts a runtime with a worker on each core.
pub(crate) fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().on_thread_park(delay).build()
}

/// Counts bytes that this thread has read from a client.
pub(crate) fn count_read(bytes: usize) {
    RECEIVED.with(|received| {
        let mut sum = received.get();
        sum += Received { reads: 1, bytes };
        received.set(sum);
    });
}

/// Delays this thread before it parks, so that it finds more messages when it wakes.
fn delay() {
    let delay = COALESCER.with_borrow_mut(|coalescer| {
        coalescer.on_poll(Instant::now(), RECEIVED.take());
        // The runtime's timers have a resolution of a millisecond, so a delay makes none late.
        coalescer.delay(|| None)
    });
    if let Some(delay) = delay {
        thread::sleep(delay);
    }
}
