//! Waiting for the answer to one request of a client's stream.

use parking_lot::Mutex;
use tokio::sync::Notify;

/// The bytes of a message that pair a response with its request (RFC 8489 §5).
const TRANSACTION: std::ops::Range<usize> = 8..20;
/// How responses begin, of all methods we answer.
const RESPONSE: u8 = 0x01;
/// How a success response to ConnectionBind begins (RFC 6062 §6.1).
const CONNECTION_BOUND: [u8; 2] = [0x01, 0x0B];

/// Between who reads a stream and who writes it.
#[derive(Default)]
pub(super) struct Answers {
    /// The transaction of the request whose answer is waited for.
    awaited: Mutex<Option<Box<[u8]>>>,
    come: Notify,
}

impl Answers {
    /// The answer to this is waited for next.
    pub(super) fn expect(&self, request: &[u8]) {
        let transaction = request.get(TRANSACTION).map(Box::from);
        *self.awaited.lock() = transaction;
    }

    /// Returns once it has been written.
    pub(super) async fn come(&self) {
        self.come.notified().await;
    }

    /// This has been written. That a connection is bound is no answer yet: it is followed at once
    /// by what it means for the stream.
    pub(super) fn hear(&self, message: &[u8]) {
        if message.first() != Some(&RESPONSE) || message.starts_with(&CONNECTION_BOUND) {
            return;
        }
        let mut awaited = self.awaited.lock();
        if awaited.as_deref().is_some_and(|awaited| message.get(TRANSACTION) == Some(awaited)) {
            *awaited = None;
            self.come.notify_one();
        }
    }
}
