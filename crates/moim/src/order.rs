//! Orders to the server's main loop, from the admin socket.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use crate::{config::Problems, reload::Reloaded};

/// Orders that may wait; the routes wait for room.
const MAX_ORDERS: usize = 16;

/// An order, with the channel for its result.
#[derive(Debug)]
pub(crate) enum Order {
    /// Reload the configuration.
    Reload(oneshot::Sender<Result<Reloaded, Problems>>),
    /// Open no more rooms, and end once nobody is left, or after this time. An earlier bound stays.
    Drain(Option<Duration>, oneshot::Sender<()>),
    /// Execute the program on disk, which takes over all rooms. The result is its version.
    Upgrade(oneshot::Sender<Result<String, Problems>>),
}

/// The receiving end.
pub(crate) type OrderReceiver = mpsc::Receiver<Order>;

/// Creates the channel of orders.
pub(crate) fn orders() -> (mpsc::Sender<Order>, OrderReceiver) {
    mpsc::channel(MAX_ORDERS)
}
