//! Requests to session tasks.

use hyper::upgrade::OnUpgrade;
use socketio::{Body, Rejection};
use tokio::sync::oneshot;

/// An HTTP request and the channel for its response. A dropped channel means that the session is
/// gone.
#[derive(Debug)]
pub(super) enum Request {
    /// A poll (GET). A dropped receiver means that the client disconnected.
    Poll(oneshot::Sender<Result<Body, Rejection>>),
    /// A POST with its body.
    Post(Vec<u8>, oneshot::Sender<Result<(), Rejection>>),
    /// An upgrade to a WebSocket on this connection.
    Upgrade(OnUpgrade, oneshot::Sender<Result<(), Rejection>>),
}
