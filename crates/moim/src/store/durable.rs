//! Writes that somebody waits for, since what is answered must not be undone by a crash.

use std::time::Duration;

use tokio::{sync::oneshot, time::timeout};

/// Time for a write to reach the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reason for which a write is not in the database, as far as is known. One that was late may still arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotWritten {
    #[error("the store has not written it: its queue is full")]
    Full,
    #[error("the store has not written it: the database has refused it")]
    Refused,
    #[error("the store has not written it: the database does not answer")]
    Late,
}

/// A write on its way to the database.
#[derive(Debug)]
#[must_use = "nobody knows whether it is written"]
pub(crate) struct Durable(State);

#[derive(Debug)]
enum State {
    Over(Result<(), NotWritten>),
    Queued(oneshot::Receiver<bool>),
}

impl Durable {
    /// There is nothing to write, or it is written.
    pub(crate) fn written() -> Self {
        Self(State::Over(Ok(())))
    }

    pub(super) fn full() -> Self {
        Self(State::Over(Err(NotWritten::Full)))
    }

    pub(super) fn queued(done: oneshot::Receiver<bool>) -> Self {
        Self(State::Queued(done))
    }

    /// False if the queue had no place.
    pub(crate) fn is_queued(&self) -> bool {
        !matches!(self.0, State::Over(Err(NotWritten::Full)))
    }

    /// Waits until it is in the database, where a crash of this process does not undo it.
    ///
    /// # Errors
    /// It may not be there.
    pub(crate) async fn wait(self) -> Result<(), NotWritten> {
        match self.0 {
            State::Over(result) => result,
            State::Queued(done) => match timeout(PATIENCE, done).await {
                Ok(Ok(true)) => Ok(()),
                Ok(Ok(false)) => Err(NotWritten::Refused),
                // The writer has ended with the write in its queue.
                Ok(Err(_)) | Err(_) => Err(NotWritten::Late),
            },
        }
    }
}
