//! Accounting of bytes that sessions hold outside of their queues: unsent packets and partially
//! received messages.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

use crate::net::client_prefix::ClientPrefix;

/// All holders of one application.
#[derive(Debug, Default)]
pub(crate) struct HeldBytes(Mutex<Holders>);

#[derive(Debug, Default)]
struct Holders {
    next: u64,
    by_number: HashMap<u64, Arc<Holder>>,
}

/// One session, or one POST whose body is being received.
#[derive(Debug)]
pub(crate) struct Holder {
    prefix: ClientPrefix,
    bytes: AtomicUsize,
    is_cut: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// Registration of a holder, owned by its task.
#[derive(Debug)]
pub(super) struct Holding {
    all: Arc<HeldBytes>,
    number: u64,
    holder: Arc<Holder>,
    /// The waker last registered. Comparing it is cheaper than locking.
    registered: Option<Waker>,
}

impl HeldBytes {
    /// Registers a holder with no bytes.
    pub(super) fn register(self: &Arc<Self>, prefix: ClientPrefix) -> Holding {
        let holder = Arc::new(Holder {
            prefix,
            bytes: AtomicUsize::new(0),
            is_cut: AtomicBool::new(false),
            waker: Mutex::default(),
        });
        let mut holders = self.0.lock();
        holders.next += 1;
        let number = holders.next;
        holders.by_number.insert(number, Arc::clone(&holder));
        drop(holders);
        Holding { all: Arc::clone(self), number, holder, registered: None }
    }

    /// Holders with a nonzero number of bytes.
    pub(crate) fn holders(&self) -> Vec<Arc<Holder>> {
        let holders = self.0.lock();
        holders.by_number.values().filter(|holder| holder.bytes() > 0).cloned().collect()
    }

    /// Total bytes of all holders.
    pub(crate) fn total(&self) -> usize {
        let holders = self.0.lock();
        holders.by_number.values().map(|holder| holder.bytes()).sum()
    }
}

impl Holder {
    /// Bytes held, as last reported.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Client prefix to which the bytes are attributed.
    pub(crate) fn prefix(&self) -> ClientPrefix {
        self.prefix
    }

    /// Makes the holder's task drop everything.
    pub(crate) fn cut(&self) {
        self.is_cut.store(true, Ordering::Release);
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Holding {
    /// Reports the bytes held.
    pub(super) fn set(&self, bytes: usize) {
        self.holder.bytes.store(bytes, Ordering::Relaxed);
    }

    /// Ready once the holder is cut.
    pub(super) fn poll_cut(&mut self, context: &Context<'_>) -> Poll<()> {
        let waker = context.waker();
        if self.registered.as_ref().is_none_or(|known| !known.will_wake(waker)) {
            self.registered = Some(waker.clone());
            let mut slot = self.holder.waker.lock();
            *slot = self.registered.clone();
        }
        // Checked after registering the waker, so that no cut is missed.
        match self.holder.is_cut.load(Ordering::Acquire) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut holders = self.all.0.lock();
        holders.by_number.remove(&self.number);
        let spare = holders.by_number.capacity() / 4;
        if holders.by_number.len() < spare {
            holders.by_number.shrink_to(spare);
        }
    }
}
