//! The threads of the main runtime, which rest where messages come thick and fast.

use std::{
    cell::{Cell, RefCell},
    io, thread,
    time::Instant,
};

use tokio::runtime::{Builder, Runtime};

use crate::shard::coalesce::{Found, Pace};

thread_local! {
    static FOUND: Cell<Found> = Cell::default();
    static PACE: RefCell<Pace> = RefCell::default();
}

/// A runtime with a worker on each core.
pub(crate) fn start() -> io::Result<Runtime> {
    Builder::new_multi_thread().enable_all().on_thread_park(rest).build()
}

/// A client's messages of so many bytes were read on this thread.
pub(crate) fn count_read(bytes: usize) {
    FOUND.with(|found| {
        let mut sum = found.get();
        sum += Found { reads: 1, bytes };
        found.set(sum);
    });
}

/// This thread has nothing left to do.
fn rest() {
    let rest = PACE.with_borrow_mut(|pace| {
        pace.handle_look(Instant::now(), FOUND.take());
        // The runtime's timers are no finer than a millisecond.
        pace.rest(|| None)
    });
    if let Some(rest) = rest {
        thread::sleep(rest);
    }
}
