//! Commands from the main runtime to a shard.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::{
    node_table::NodeTable,
    report::Report,
    sfu::command::Command as SfuCommand,
    turn::{
        command::{ClientMessage, Command as TurnCommand},
        frozen::LeftByShard,
    },
    waker::Waker,
};
use crate::net::reachable::ReachableAddresses;

/// A command to a shard or to one of its services.
pub(crate) enum ShardCommand {
    /// A message of a TURN client over TCP or TLS. It may carry data for the SFU.
    TurnMessage(ClientMessage),
    Turn(TurnCommand),
    Sfu(SfuCommand),
    /// The server's addresses have changed.
    Addresses(Arc<ReachableAddresses>),
    /// The nodes of the cluster have changed.
    Nodes(Arc<NodeTable>),
    /// Requests a report.
    Report(oneshot::Sender<Report>),
    /// Requests the relay's allocations for the next process, of at most this size in bytes.
    FreezeRelay(usize, oneshot::Sender<LeftByShard>),
    /// Stops the shard.
    Stop,
}

impl From<ClientMessage> for ShardCommand {
    fn from(message: ClientMessage) -> Self {
        Self::TurnMessage(message)
    }
}

impl From<TurnCommand> for ShardCommand {
    fn from(command: TurnCommand) -> Self {
        Self::Turn(command)
    }
}

impl From<SfuCommand> for ShardCommand {
    fn from(command: SfuCommand) -> Self {
        Self::Sfu(command)
    }
}

/// A command was not sent, as its shard has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the shard has stopped")]
pub(crate) struct SendCommandError;

/// Sends commands to one shard.
#[derive(Clone)]
pub(crate) struct CommandSender {
    commands: mpsc::Sender<ShardCommand>,
    waker: Arc<Waker>,
}

impl CommandSender {
    pub(super) fn new(commands: mpsc::Sender<ShardCommand>, waker: Arc<Waker>) -> Self {
        Self { commands, waker }
    }

    /// Sends a command, once the queue has room.
    pub(crate) async fn send(
        &self,
        command: impl Into<ShardCommand>,
    ) -> Result<(), SendCommandError> {
        self.commands.send(command.into()).await.map_err(|_| SendCommandError)?;
        self.waker.wake();
        Ok(())
    }

    /// Returns once the shard has stopped and its sockets are closed.
    pub(super) async fn closed(&self) {
        self.commands.closed().await;
    }
}
