//! Waits for the response to one request of a client's stream.

use std::ops::Range;

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The transaction id within a STUN message (RFC 8489 §5).
const TRANSACTION_ID: Range<usize> = 8..20;
/// The first byte of responses, for every method we answer.
const RESPONSE: u8 = 0x01;
/// The first bytes of a success response to ConnectionBind (RFC 6062 §6.1).
const CONNECTION_BOUND: [u8; 2] = [0x01, 0x0B];

/// A request whose response is pending, shared by the reader and the writer of a stream.
#[derive(Default)]
pub(super) struct PendingResponse {
    transaction_id: Mutex<Option<Box<[u8]>>>,
    written: Notify,
}

impl PendingResponse {
    /// Sets the request whose response is pending.
    pub(super) fn expect(&self, request: &[u8]) {
        let transaction_id = request.get(TRANSACTION_ID).map(Box::from);
        *self.transaction_id.lock() = transaction_id;
    }

    /// Waits until the response has been written.
    pub(super) async fn written(&self) {
        self.written.notified().await;
    }

    /// Takes note of a written message. The success response to ConnectionBind does not count: the
    /// handoff of the stream follows it.
    pub(super) fn on_written(&self, message: &[u8]) {
        if message.first() != Some(&RESPONSE) || message.starts_with(&CONNECTION_BOUND) {
            return;
        }
        let mut expected = self.transaction_id.lock();
        if expected.as_deref().is_some_and(|id| message.get(TRANSACTION_ID) == Some(id)) {
            *expected = None;
            self.written.notify_one();
        }
    }
}
