//! Wakes a sleeping shard from other threads, and costs nothing while the shard is awake.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering, fence},
};

use mio::{Poll, Token};

/// The waker's token among the mio events of a shard.
pub(super) const WAKER_TOKEN: Token = Token(usize::MAX);

/// Wakes a shard after something was put into one of its queues.
#[derive(Debug)]
pub(crate) struct Waker {
    waker: mio::Waker,
    is_asleep: AtomicBool,
}

impl Waker {
    pub(crate) fn new(poll: &Poll) -> io::Result<Self> {
        let waker = mio::Waker::new(poll.registry(), WAKER_TOKEN)?;
        Ok(Self { waker, is_asleep: AtomicBool::new(false) })
    }

    /// Wakes the shard if it is asleep. Call it after filling the queue.
    pub(crate) fn wake(&self) {
        // Pairs with the fence of `prepare_sleep`: either the shard sees the filled queue, or this
        // load sees it asleep.
        fence(Ordering::SeqCst);
        if self.is_asleep.load(Ordering::Relaxed) && self.is_asleep.swap(false, Ordering::Relaxed) {
            // Fails only if the shard is gone.
            let _ = self.waker.wake();
        }
    }

    /// Announces sleep. The shard must check its queues once more before it sleeps.
    pub(super) fn prepare_sleep(&self) {
        self.is_asleep.store(true, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    /// Marks the shard as awake.
    pub(super) fn awake(&self) {
        self.is_asleep.store(false, Ordering::Relaxed);
    }
}
