//! Wakes a shard that sleeps, and costs nothing while it is awake.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering, fence},
};

use mio::{Poll, Token, Waker};

/// The bell's own place among the sockets.
pub(crate) const BELL: Token = Token(usize::MAX);

/// Rung by whoever has put something where the shard looks before it sleeps.
#[derive(Debug)]
pub(crate) struct Bell {
    waker: Waker,
    asleep: AtomicBool,
}

impl Bell {
    pub(crate) fn new(poll: &Poll) -> io::Result<Self> {
        let waker = Waker::new(poll.registry(), BELL)?;
        Ok(Self { waker, asleep: AtomicBool::new(false) })
    }

    /// There is something to do.
    pub(crate) fn ring(&self) {
        // What was put there is seen by a shard that falls asleep after this look.
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed) {
            // It fails only where the shard is gone.
            let _ = self.waker.wake();
        }
    }

    /// The shard is about to look for the last time, and then sleep.
    pub(crate) fn doze(&self) {
        self.asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// The shard is awake.
    pub(crate) fn rise(&self) {
        self.asleep.store(false, Ordering::Relaxed);
    }
}
