//! The signal that the server shuts down gracefully.

use tokio::sync::watch;

/// Starts the drain, also when dropped.
#[derive(Debug)]
pub(crate) struct DrainStart(watch::Sender<bool>);

/// Observes whether the server drains.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<bool>);

/// Creates the signal of a server that isn't draining.
pub(crate) fn drain() -> (DrainStart, Drain) {
    let (sender, receiver) = watch::channel(false);
    (DrainStart(sender), Drain(receiver))
}

impl DrainStart {
    /// Starts the drain.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Drain {
    /// True once the drain has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes once the drain has begun.
    pub(crate) async fn begun(&mut self) {
        // A dropped sender also means that the server stops.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}
