//! The bounded queue of outgoing messages of one TCP or TLS client, from a shard to the task of the
//! connection on the main runtime.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
};

/// Messages that may wait for a client.
const MAX_MESSAGES: usize = 512;
/// Bytes that may wait for a client: a second of good video.
const MAX_BYTES: usize = 256 * 1024;

/// An item of the queue.
pub(super) enum Outgoing<H> {
    Message(Bytes),
    /// The end of the messages; the stream is used otherwise from here on.
    Handoff(H),
}

/// The shard's end of the queue.
pub(crate) struct TcpClient<H> {
    items: mpsc::Sender<Outgoing<H>>,
    queued_bytes: Arc<AtomicUsize>,
}

/// The connection's end of the queue.
pub(crate) struct OutgoingQueue<H> {
    items: mpsc::Receiver<Outgoing<H>>,
    queued_bytes: Arc<AtomicUsize>,
}

/// The reason why a message was dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum QueueMessageError {
    #[error("the client reads too slowly")]
    Full,
    #[error("the connection is closed")]
    Closed,
}

/// Creates an empty queue.
pub(super) fn tcp_client<H>() -> (TcpClient<H>, OutgoingQueue<H>) {
    let (sender, receiver) = mpsc::channel(MAX_MESSAGES);
    let queued_bytes = Arc::<AtomicUsize>::default();
    (
        TcpClient { items: sender, queued_bytes: Arc::clone(&queued_bytes) },
        OutgoingQueue { items: receiver, queued_bytes },
    )
}

impl<H> TcpClient<H> {
    /// Queues a message of a head, a payload and zero bytes. A message that finds the queue full is
    /// dropped: relayed media is worthless late.
    pub(super) fn send(
        &self,
        head: &[u8],
        payload: &[u8],
        padding: usize,
    ) -> Result<(), QueueMessageError> {
        let len = head.len() + payload.len() + padding;
        // Only this end adds, so no other thread can exceed the bound in between.
        if self.queued_bytes.load(Ordering::Relaxed) + len > MAX_BYTES {
            let is_closed = self.items.is_closed();
            return Err(if is_closed {
                QueueMessageError::Closed
            } else {
                QueueMessageError::Full
            });
        }
        let mut message = BytesMut::with_capacity(len);
        message.extend_from_slice(head);
        message.extend_from_slice(payload);
        message.resize(len, 0);
        self.queued_bytes.fetch_add(len, Ordering::Relaxed);
        self.items.try_send(Outgoing::Message(message.freeze())).map_err(|error| {
            self.queued_bytes.fetch_sub(len, Ordering::Relaxed);
            match error {
                mpsc::error::TrySendError::Full(_) => QueueMessageError::Full,
                mpsc::error::TrySendError::Closed(_) => QueueMessageError::Closed,
            }
        })
    }

    /// Queues a packet with RFC 4571 framing.
    pub(super) fn send_framed(&self, packet: &[u8]) -> Result<(), QueueMessageError> {
        // Our packets are no longer than a datagram.
        let length = u16::try_from(packet.len()).map_err(|_| QueueMessageError::Full)?;
        self.send(&length.to_be_bytes(), packet, 0)
    }

    /// Queues a handoff behind all messages. Returns false if the queue is full or closed.
    pub(super) fn hand_off(&self, handoff: H) -> bool {
        self.items.try_send(Outgoing::Handoff(handoff)).is_ok()
    }
}

impl<H> OutgoingQueue<H> {
    /// Writes messages to the stream until a handoff, which is returned, or until the shard's end
    /// is dropped. Calls `on_written` for each message.
    ///
    /// Each message is one write: inside TLS it becomes a record of its own, which some clients
    /// (coturn's) rely on.
    pub(super) async fn write_to(
        &mut self,
        stream: &mut (impl AsyncWrite + Unpin),
        mut on_written: impl FnMut(&[u8]),
    ) -> io::Result<Option<H>> {
        while let Some(first) = self.items.recv().await {
            let mut next = Some(first);
            while let Some(item) = next {
                match item {
                    Outgoing::Message(message) => {
                        stream.write_all(&message).await?;
                        self.queued_bytes.fetch_sub(message.len(), Ordering::Relaxed);
                        on_written(&message);
                        next = self.items.try_recv().ok();
                    }
                    Outgoing::Handoff(handoff) => {
                        stream.flush().await?;
                        return Ok(Some(handoff));
                    }
                }
            }
            stream.flush().await?;
        }
        stream.shutdown().await?;
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn queue_of_a_slow_client_is_bounded_in_bytes() {
        let (client, mut queue) = tcp_client::<Infallible>();
        let message = [7; 1000];
        let sent = (0..1000).filter(|_| client.send(&message, &[], 0).is_ok()).count();
        assert_eq!(sent, MAX_BYTES / message.len());
        assert_eq!(client.send(&message, &[], 0), Err(QueueMessageError::Full));
        // A pipe for one message.
        let (mut written, mut reader) = tokio::io::duplex(message.len());
        let writing = tokio::spawn(async move {
            queue.write_to(&mut written, |_| {}).await.unwrap();
        });
        tokio::task::yield_now().await;
        assert_eq!(client.send(&message, &[], 0), Ok(()), "one is written");
        assert_eq!(client.send(&message, &[], 0), Err(QueueMessageError::Full));
        drop(client);
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert_eq!(read.len(), (sent + 1) * message.len());
        writing.await.unwrap();
    }

    #[tokio::test]
    async fn queue_of_a_slow_client_is_bounded_in_messages() {
        let (client, queue) = tcp_client::<Infallible>();
        let sent = (0..10_000).filter(|_| client.send(b"x", &[], 0).is_ok()).count();
        assert_eq!(sent, MAX_MESSAGES);
        drop(queue);
        assert_eq!(client.send(b"x", &[], 0), Err(QueueMessageError::Closed));
    }
}
