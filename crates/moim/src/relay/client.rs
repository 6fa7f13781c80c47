//! What waits to be written to a client over TCP or TLS: so much, and no more.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Messages that may wait for a client.
const MESSAGES: usize = 512;
/// Bytes that may wait for a client: a second of good video.
const BYTES: usize = 256 * 1024;

/// The shard's end of a client's queue.
pub(super) struct Client {
    messages: mpsc::Sender<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// The connection's end of it.
pub(super) struct Waiting {
    messages: mpsc::Receiver<Bytes>,
    waiting: Arc<AtomicUsize>,
}

/// Why a message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unsent {
    /// The client can't take as much.
    Slow,
    /// The connection is gone.
    Gone,
}

/// An empty queue.
pub(super) fn queue() -> (Client, Waiting) {
    let (sender, receiver) = mpsc::channel(MESSAGES);
    let waiting = Arc::<AtomicUsize>::default();
    (
        Client { messages: sender, waiting: Arc::clone(&waiting) },
        Waiting { messages: receiver, waiting },
    )
}

impl Client {
    /// Queues a message, unless too much is waiting: what is relayed is worth nothing late.
    pub(super) fn send(&self, message: &[u8]) -> Result<(), Unsent> {
        // Only this end adds, so the sum can't be passed by another.
        if self.waiting.load(Ordering::Relaxed) + message.len() > BYTES {
            return if self.messages.is_closed() { Err(Unsent::Gone) } else { Err(Unsent::Slow) };
        }
        let len = message.len();
        self.waiting.fetch_add(len, Ordering::Relaxed);
        self.messages.try_send(Bytes::copy_from_slice(message)).map_err(|error| {
            self.waiting.fetch_sub(len, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => Unsent::Slow,
                mpsc::error::TrySendError::Closed(_) => Unsent::Gone,
            }
        })
    }
}

impl Waiting {
    /// The next message, once there is one; none when no more comes.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        self.messages.recv().await
    }

    /// The next message, if there is one now.
    pub(super) fn try_next(&mut self) -> Option<Bytes> {
        self.messages.try_recv().ok()
    }

    /// So many bytes have been written.
    pub(super) fn written(&self, bytes: usize) {
        self.waiting.fetch_sub(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_client_loses_messages_and_takes_no_more_memory() {
        let (client, mut waiting) = queue();
        let message = [7; 1000];
        let sent = (0..1000).filter(|_| client.send(&message).is_ok()).count();
        assert_eq!(sent, BYTES / message.len());
        assert_eq!(client.send(&message), Err(Unsent::Slow));
        let taken = waiting.next().await.unwrap();
        assert_eq!(taken, message.as_slice());
        assert_eq!(client.send(&message), Err(Unsent::Slow), "not written yet");
        waiting.written(taken.len());
        assert_eq!(client.send(&message), Ok(()));
        assert_eq!(std::iter::from_fn(|| waiting.try_next()).count(), sent);
    }

    #[tokio::test]
    async fn many_small_messages_are_bounded_too() {
        let (client, waiting) = queue();
        assert_eq!((0..10_000).filter(|_| client.send(b"x").is_ok()).count(), MESSAGES);
        drop(waiting);
        assert_eq!(client.send(b"x"), Err(Unsent::Gone));
    }
}
