//! From the main runtime into a shard.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{Report, sfu, turn, waker::Bell};

/// What the main runtime tells a shard.
pub(crate) enum Command {
    /// The relay's.
    Relay(turn::Command),
    /// The media server's.
    Media(sfu::Command),
    /// Somebody wants to know how it goes.
    Report(oneshot::Sender<Report>),
    /// All is to end.
    Stop,
}

/// The shard is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the shard has stopped")]
pub(crate) struct Gone;

/// The way into one shard.
#[derive(Clone)]
pub(crate) struct Door {
    commands: mpsc::Sender<Command>,
    bell: Arc<Bell>,
}

impl Door {
    pub(super) fn new(commands: mpsc::Sender<Command>, bell: Arc<Bell>) -> Self {
        Self { commands, bell }
    }

    /// Tells the shard, once there is room.
    pub(crate) async fn send(&self, command: Command) -> Result<(), Gone> {
        self.commands.send(command).await.map_err(|_| Gone)?;
        self.bell.ring();
        Ok(())
    }

    /// Returns once the shard is gone and its sockets are closed.
    pub(super) async fn closed(&self) {
        self.commands.closed().await;
    }
}
