//! Telling everybody that the server is about to stop.

use tokio::sync::watch;

/// Starts the draining; dropped, it does so too.
#[derive(Debug)]
pub(crate) struct DrainStart(watch::Sender<bool>);

/// Knows whether the server drains.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<bool>);

/// A server that isn't draining yet.
pub(crate) fn drain() -> (DrainStart, Drain) {
    let (sender, receiver) = watch::channel(false);
    (DrainStart(sender), Drain(receiver))
}

impl DrainStart {
    /// Draining begins.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Drain {
    /// Whether it has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it has begun.
    pub(crate) async fn begun(&mut self) {
        // A sender that is gone means that the server stops, too.
        let _ = self.0.wait_for(|begun| *begun).await;
    }
}
