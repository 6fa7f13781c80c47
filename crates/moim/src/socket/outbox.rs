//! The way from whoever talks to a socket to the task that runs it: bounded in packets and in
//! bytes, never waiting. Whoever can't keep up is cut off, so that one slow reader costs the
//! others nothing. Empty it holds no buffer.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

use super::app::{Outgoing, Socket, SocketId};

/// How much may wait for one socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxLimits {
    /// Packets.
    pub(crate) packets: usize,
    /// Bytes of all packets together.
    pub(crate) bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { packets: 2048, bytes: 2 << 20 }
    }
}

/// The socket's end: what its task takes from.
#[derive(Debug)]
pub(crate) struct Outbox(Arc<Shared>);

/// More came than the limits allow, and the socket must be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow;

/// What both ends share.
#[derive(Debug)]
pub(super) struct Shared {
    limits: OutboxLimits,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Outgoing>,
    bytes: usize,
    phase: Phase,
    /// The task, if it would take what comes.
    taker: Option<Waker>,
    /// The task, if all it needs to know is that it is over.
    watcher: Option<Waker>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    Overflown,
    Gone,
}

impl Socket {
    /// A socket named `id` and the end its task holds.
    pub(crate) fn new(id: SocketId, limits: OutboxLimits) -> (Self, Outbox) {
        let shared = Arc::new(Shared { limits, state: Mutex::default() });
        (Self { id, outbox: Arc::clone(&shared) }, Outbox(shared))
    }

    /// Queues an encoded packet (see [`super::app::encode_event`]), in order, without waiting.
    pub(crate) fn emit(&self, packet: Arc<str>) {
        self.outbox.push(Outgoing::Packet(packet));
    }

    /// Closes the socket after what was queued before.
    pub(crate) fn disconnect(&self) {
        self.outbox.push(Outgoing::Disconnect);
    }

    /// Bytes that wait for the socket.
    pub(crate) fn queued(&self) -> usize {
        self.outbox.state.lock().bytes
    }

    /// Drops the socket as if it had been too slow; its client may resume.
    pub(crate) fn cut(&self) {
        let waker = {
            let mut state = self.outbox.state.lock();
            if state.phase != Phase::Open {
                return;
            }
            state.phase = Phase::Overflown;
            state.waiting = VecDeque::new();
            state.bytes = 0;
            state.taker.take().or_else(|| state.watcher.take())
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Queues whatever is to be sent.
    #[allow(dead_code, reason = "the conformance suite sends attachments")]
    pub(crate) fn send(&self, outgoing: Outgoing) {
        self.outbox.push(outgoing);
    }
}

impl Shared {
    fn push(&self, outgoing: Outgoing) {
        let waker = {
            let mut state = self.state.lock();
            if state.phase != Phase::Open {
                return;
            }
            state.bytes = state.bytes.saturating_add(outgoing.len());
            if state.waiting.len() >= self.limits.packets || state.bytes > self.limits.bytes {
                state.phase = Phase::Overflown;
                state.waiting = VecDeque::new();
                state.bytes = 0;
                state.taker.take().or_else(|| state.watcher.take())
            } else {
                state.waiting.push_back(outgoing);
                state.taker.take()
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Outbox {
    /// Everything that waits, at least one packet, in order.
    ///
    /// # Errors
    /// [`Overflow`] once more came than may wait; what waited is lost.
    pub(crate) fn poll_take(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Result<VecDeque<Outgoing>, Overflow>> {
        let mut state = self.0.state.lock();
        if state.phase == Phase::Overflown {
            return Poll::Ready(Err(Overflow));
        }
        if state.waiting.is_empty() {
            register(&mut state.taker, context);
            return Poll::Pending;
        }
        state.bytes = 0;
        Poll::Ready(Ok(std::mem::take(&mut state.waiting)))
    }

    /// As [`Outbox::poll_take`] while nothing could be sent: only an overflow ends the wait.
    pub(crate) fn poll_overflow(&mut self, context: &mut Context<'_>) -> Poll<Overflow> {
        let mut state = self.0.state.lock();
        if state.phase == Phase::Overflown {
            return Poll::Ready(Overflow);
        }
        state.taker = None;
        register(&mut state.watcher, context);
        Poll::Pending
    }

    /// As [`Outbox::poll_take`], waiting.
    #[cfg(test)]
    pub(crate) async fn take(&mut self) -> Result<VecDeque<Outgoing>, Overflow> {
        std::future::poll_fn(|context| self.poll_take(context)).await
    }

    /// What waits right now, in order; empty after an overflow.
    #[cfg(test)]
    pub(crate) fn take_now(&mut self) -> Vec<Outgoing> {
        let mut state = self.0.state.lock();
        state.bytes = 0;
        std::mem::take(&mut state.waiting).into()
    }
}

fn register(slot: &mut Option<Waker>, context: &Context<'_>) {
    match slot {
        Some(waker) => waker.clone_from(context.waker()),
        None => *slot = Some(context.waker().clone()),
    }
}

impl Drop for Outbox {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        *state = State { phase: Phase::Gone, ..State::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(packets: usize, bytes: usize) -> (Socket, Outbox) {
        Socket::new(SocketId("a".into()), OutboxLimits { packets, bytes })
    }

    #[tokio::test]
    async fn packets_come_out_in_order_and_wake_the_task() {
        let (socket, mut outbox) = socket(10, 100);
        let task = tokio::spawn(async move {
            let mut seen = Vec::new();
            while seen.len() < 3 {
                seen.extend(outbox.take().await.unwrap());
            }
            seen
        });
        tokio::task::yield_now().await;
        socket.emit("2[\"a\"]".into());
        tokio::task::yield_now().await;
        socket.emit("2[\"b\"]".into());
        socket.disconnect();
        let seen = task.await.unwrap();
        assert!(matches!(&seen[0], Outgoing::Packet(p) if &**p == "2[\"a\"]"));
        assert!(matches!(&seen[1], Outgoing::Packet(p) if &**p == "2[\"b\"]"));
        assert!(matches!(&seen[2], Outgoing::Disconnect));
    }

    #[tokio::test]
    async fn too_many_packets_overflow_for_good() {
        let (socket, mut outbox) = socket(2, 1000);
        for _ in 0..2 {
            socket.emit("2[\"a\"]".into());
        }
        assert_eq!(outbox.take().await.unwrap().len(), 2);
        for _ in 0..3 {
            socket.emit("2[\"a\"]".into());
        }
        assert_eq!(outbox.take().await.unwrap_err(), Overflow);
        socket.emit("2[\"a\"]".into());
        assert_eq!(outbox.take().await.unwrap_err(), Overflow);
        assert!(outbox.take_now().is_empty());
    }

    #[tokio::test]
    async fn too_many_bytes_overflow() {
        let (socket, mut outbox) = socket(100, 12);
        socket.emit("2[\"a\"]".into());
        socket.emit("2[\"a\"]".into());
        assert_eq!(outbox.take().await.unwrap().len(), 2);
        socket.emit("2[\"abcdefghijkl\"]".into());
        assert_eq!(outbox.take().await.unwrap_err(), Overflow);
    }

    #[test]
    fn a_socket_that_is_gone_keeps_nothing() {
        let (socket, outbox) = socket(100, 1000);
        drop(outbox);
        let packet: Arc<str> = "2[\"a\"]".into();
        socket.emit(Arc::clone(&packet));
        assert_eq!(Arc::strong_count(&packet), 1);
    }
}
