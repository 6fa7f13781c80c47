//! What waits to be written to a client over TCP or TLS: so much, and no more.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::{Bytes, BytesMut};
use tokio::sync::mpsc;
use turn::ToClient;

use super::peers::Peer;

/// Messages that may wait for a client.
const MESSAGES: usize = 512;
/// Bytes that may wait for a client: a second of good video.
const BYTES: usize = 256 * 1024;

/// What is for a client.
pub(super) enum Outgoing {
    /// A message.
    Message(Bytes),
    /// From here on its stream is a peer's.
    Splice(Peer),
    /// From the request on that was answered by nothing else, its stream is that shard's.
    Lead(u8),
}

/// The shard's end of a client's queue.
pub(crate) struct Client {
    messages: mpsc::Sender<Outgoing>,
    waiting: Arc<AtomicUsize>,
}

/// The connection's end of it.
pub(crate) struct Waiting {
    messages: mpsc::Receiver<Outgoing>,
    waiting: Arc<AtomicUsize>,
}

/// Why a message was not queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unsent {
    /// The client can't take as much.
    Slow,
    /// The connection is gone.
    Gone,
}

/// An empty queue.
pub(crate) fn queue() -> (Client, Waiting) {
    let (sender, receiver) = mpsc::channel(MESSAGES);
    let waiting = Arc::<AtomicUsize>::default();
    (
        Client { messages: sender, waiting: Arc::clone(&waiting) },
        Waiting { messages: receiver, waiting },
    )
}

impl Client {
    /// Queues a message, unless too much is waiting: what is relayed is worth nothing late.
    pub(super) fn send(&self, packet: &ToClient<'_>) -> Result<(), Unsent> {
        self.send_pieces(packet.header.as_bytes(), packet.payload, packet.padding)
    }

    /// Queues a packet behind its length (RFC 4571 §2), likewise.
    pub(crate) fn send_framed(&self, packet: &[u8]) -> Result<(), Unsent> {
        // Ours are no longer than a datagram.
        let length = u16::try_from(packet.len()).map_err(|_| Unsent::Slow)?;
        self.send_pieces(&length.to_be_bytes(), packet, 0)
    }

    fn send_pieces(&self, head: &[u8], payload: &[u8], padding: usize) -> Result<(), Unsent> {
        let len = head.len() + payload.len() + padding;
        // Only this end adds, so the sum can't be passed by another.
        if self.waiting.load(Ordering::Relaxed) + len > BYTES {
            return if self.messages.is_closed() { Err(Unsent::Gone) } else { Err(Unsent::Slow) };
        }
        let mut message = BytesMut::with_capacity(len);
        message.extend_from_slice(head);
        message.extend_from_slice(payload);
        message.resize(len, 0);
        self.waiting.fetch_add(len, Ordering::Relaxed);
        self.messages.try_send(Outgoing::Message(message.freeze())).map_err(|error| {
            self.waiting.fetch_sub(len, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => Unsent::Slow,
                mpsc::error::TrySendError::Closed(_) => Unsent::Gone,
            }
        })
    }

    /// Has the client's stream joined with a peer's, behind all messages; whether there was room to
    /// say so.
    pub(super) fn splice(&self, peer: Peer) -> bool {
        self.messages.try_send(Outgoing::Splice(peer)).is_ok()
    }

    /// Has the client's stream given to another shard. If there is no room to say so it ends, as do
    /// all whose queue is gone.
    pub(super) fn lead(self, shard: u8) {
        let _ = self.messages.try_send(Outgoing::Lead(shard));
    }
}

impl Waiting {
    /// What is next, once there is something; none when no more comes.
    pub(super) async fn next(&mut self) -> Option<Outgoing> {
        self.messages.recv().await
    }

    /// What is next, if there is something now.
    pub(super) fn try_next(&mut self) -> Option<Outgoing> {
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
        let sent = (0..1000).filter(|_| client.send_pieces(&message, &[], 0).is_ok()).count();
        assert_eq!(sent, BYTES / message.len());
        assert_eq!(client.send_pieces(&message, &[], 0), Err(Unsent::Slow));
        let Some(Outgoing::Message(taken)) = waiting.next().await else { panic!("a message") };
        assert_eq!(taken, message.as_slice());
        assert_eq!(client.send_pieces(&message, &[], 0), Err(Unsent::Slow), "not written yet");
        waiting.written(taken.len());
        assert_eq!(client.send_pieces(&message, &[], 0), Ok(()));
        assert_eq!(std::iter::from_fn(|| waiting.try_next()).count(), sent);
    }

    #[tokio::test]
    async fn many_small_messages_are_bounded_too() {
        let (client, waiting) = queue();
        assert_eq!(
            (0..10_000).filter(|_| client.send_pieces(b"x", &[], 0).is_ok()).count(),
            MESSAGES
        );
        drop(waiting);
        assert_eq!(client.send_pieces(b"x", &[], 0), Err(Unsent::Gone));
    }
}
