//! The phases of a server's end: it serves, drains while its calls go on, then closes connections.

use tokio::sync::watch;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    /// Open rooms go on, and no others open.
    Draining,
    /// Connections close.
    Closing,
}

/// Moves the server to its next phase. It closes when this is dropped.
#[derive(Debug)]
pub(crate) struct DrainStart(watch::Sender<Phase>);

/// Observes the server's phase.
#[derive(Debug, Clone)]
pub(crate) struct Drain(watch::Receiver<Phase>);

/// Creates the signal of a server that serves.
pub(crate) fn drain() -> (DrainStart, Drain) {
    let (sender, receiver) = watch::channel(Phase::Serving);
    (DrainStart(sender), Drain(receiver))
}

impl DrainStart {
    /// Starts the drain.
    pub(crate) fn begin(&self) {
        self.0.send_if_modified(|phase| {
            let begins = *phase == Phase::Serving;
            if begins {
                *phase = Phase::Draining;
            }
            begins
        });
    }

    /// Has connections close.
    pub(crate) fn close(&self) {
        self.0.send_replace(Phase::Closing);
    }
}

impl Drain {
    /// True once the drain has begun.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow() > Phase::Serving
    }

    /// Completes once the drain has begun.
    pub(crate) async fn beginning(&mut self) {
        // A dropped sender also means that the server stops.
        let _ = self.0.wait_for(|phase| *phase > Phase::Serving).await;
    }

    /// Completes once connections are to close.
    pub(crate) async fn closing(&mut self) {
        // A dropped sender also means that the server stops.
        let _ = self.0.wait_for(|phase| *phase == Phase::Closing).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::Future;

    use super::*;

    #[tokio::test]
    async fn connections_close_only_after_the_drain() {
        let (start, drain) = drain();
        let mut observer = drain.clone();
        let mut closing = std::pin::pin!(observer.closing());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(!drain.has_begun());
        start.begin();
        assert!(drain.has_begun() && closing.as_mut().poll(&mut context).is_pending());
        start.close();
        start.begin();
        closing.await;
    }

    #[tokio::test]
    async fn dropped_start_closes() {
        let (start, mut drain) = drain();
        drop(start);
        drain.closing().await;
    }
}
