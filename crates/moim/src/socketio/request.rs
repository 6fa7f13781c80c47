//! What HTTP asks of a session's task.

use hyper::upgrade::OnUpgrade;
use socketio::{Body, Rejection};
use tokio::sync::oneshot;

/// A request, and where its answer goes. A request that is never answered was one to a session
/// that is gone.
#[derive(Debug)]
pub(super) enum Request {
    /// A GET waits for packets. Dropping its receiver means that the client hung up.
    Poll(oneshot::Sender<Result<Body, Rejection>>),
    /// A POST brought packets.
    Post(Vec<u8>, oneshot::Sender<Result<(), Rejection>>),
    /// The client wants to go on over this connection.
    Upgrade(OnUpgrade, oneshot::Sender<Result<(), Rejection>>),
}
