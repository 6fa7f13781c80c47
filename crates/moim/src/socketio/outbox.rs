//! A socket's send queue, bounded in packets and bytes. Pushing never waits: a client that can't
//! keep up is dropped, so that a slow reader costs the others nothing. An empty queue holds no
//! buffer.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

use super::outgoing::Outgoing;

/// Bounds of one socket's send queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OutboxLimits {
    /// Number of packets.
    pub(crate) packets: usize,
    /// Total bytes of all packets.
    pub(crate) bytes: usize,
}

impl Default for OutboxLimits {
    fn default() -> Self {
        Self { packets: 2048, bytes: 2 << 20 }
    }
}

/// Receiving end of the queue, owned by the socket's task.
#[derive(Debug)]
pub(crate) struct Outbox(Arc<Shared>);

/// The queue exceeded its limits; the socket must be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Overflow;

/// State shared by both ends.
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
    /// Woken by a push or an overflow.
    taker: Option<Waker>,
    /// Woken by an overflow only.
    watcher: Option<Waker>,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    Overflown,
    CloseReason,
}

impl Shared {
    pub(super) fn new(limits: OutboxLimits) -> Self {
        Self { limits, state: Mutex::default() }
    }

    pub(super) fn bytes(&self) -> usize {
        self.state.lock().bytes
    }

    /// Discards the queue and reports an overflow to the task.
    pub(super) fn overflow(&self) {
        let waker = {
            let mut state = self.state.lock();
            if state.phase != Phase::Open {
                return;
            }
            state.overflow()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn push(&self, outgoing: Outgoing) {
        let waker = {
            let mut state = self.state.lock();
            if state.phase != Phase::Open {
                return;
            }
            state.bytes = state.bytes.saturating_add(outgoing.len());
            if state.waiting.len() >= self.limits.packets || state.bytes > self.limits.bytes {
                state.overflow()
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

impl State {
    /// Discards the queue; returns the waker to call.
    fn overflow(&mut self) -> Option<Waker> {
        self.phase = Phase::Overflown;
        self.waiting = VecDeque::new();
        self.bytes = 0;
        self.taker.take().or_else(|| self.watcher.take())
    }
}

impl Outbox {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(shared)
    }

    /// Takes all queued packets in order, at least one.
    ///
    /// # Errors
    /// [`Overflow`] after the limits were exceeded; the queued packets are lost.
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

    /// Waits for an overflow only, while the transport can't take packets.
    pub(crate) fn poll_overflow(&mut self, context: &mut Context<'_>) -> Poll<Overflow> {
        let mut state = self.0.state.lock();
        if state.phase == Phase::Overflown {
            return Poll::Ready(Overflow);
        }
        state.taker = None;
        register(&mut state.watcher, context);
        Poll::Pending
    }

    /// Async form of [`Outbox::poll_take`].
    pub(crate) async fn take(&mut self) -> Result<VecDeque<Outgoing>, Overflow> {
        std::future::poll_fn(|context| self.poll_take(context)).await
    }

    /// Takes the packets queued now; empty after an overflow.
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
        *state = State { phase: Phase::CloseReason, ..State::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::socketio::{Socket, SocketId};

    fn socket(packets: usize, bytes: usize) -> (Socket, Outbox) {
        Socket::new(SocketId("a".into()), OutboxLimits { packets, bytes })
    }

    #[tokio::test]
    async fn packets_are_taken_in_order_and_wake_the_task() {
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
    async fn packet_limit_overflows_permanently() {
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
    async fn byte_limit_overflows() {
        let (socket, mut outbox) = socket(100, 12);
        socket.emit("2[\"a\"]".into());
        socket.emit("2[\"a\"]".into());
        assert_eq!(outbox.take().await.unwrap().len(), 2);
        socket.emit("2[\"abcdefghijkl\"]".into());
        assert_eq!(outbox.take().await.unwrap_err(), Overflow);
    }

    #[test]
    fn closed_outbox_drops_packets() {
        let (socket, outbox) = socket(100, 1000);
        drop(outbox);
        let packet: Arc<str> = "2[\"a\"]".into();
        socket.emit(Arc::clone(&packet));
        assert_eq!(Arc::strong_count(&packet), 1);
    }
}
