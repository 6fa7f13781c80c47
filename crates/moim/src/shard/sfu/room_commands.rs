//! What rooms tell a shard.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sfu::{PeerId, RoomId, Source, Viewport};
use tokio::sync::mpsc;

use super::events::News;
use crate::shard::{Bell, Pulse};

/// Orders that may wait for a shard; beyond, those who ask are refused and may try again.
const WAITING: usize = 4096;

/// Something a room wants.
#[derive(Debug)]
pub(crate) enum Order {
    /// Of a peer's link.
    Peer { room: RoomId, peer: PeerId, request: Request },
    /// Its peers are on these shards from now on. This shard is or was one of them.
    Span { room: RoomId, shards: Vec<u16>, news: News },
}

/// What is wanted of a link.
#[derive(Debug)]
pub(crate) enum Request {
    /// Take an offer; the room hears of it there.
    Offer(String, News),
    /// Take the answer to our offer.
    Answer(String),
    /// The sending sections of the next offer.
    Publish(Vec<(String, Source)>, News),
    /// What the page shows.
    Subscribe(Vec<Viewport>, News),
    /// The peer has left.
    Leave,
}

/// What of it a room hears of if it is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Offer,
    Answer,
    Publish,
    Subscribe,
}

impl Request {
    pub(super) fn asked(&self) -> Option<Asked> {
        match self {
            Self::Offer(..) => Some(Asked::Offer),
            Self::Answer(_) => Some(Asked::Answer),
            Self::Publish(..) => Some(Asked::Publish),
            Self::Subscribe(..) => Some(Asked::Subscribe),
            Self::Leave => None,
        }
    }

    pub(super) fn news(&self) -> Option<&News> {
        match self {
            Self::Offer(_, news) | Self::Publish(_, news) | Self::Subscribe(_, news) => Some(news),
            Self::Answer(_) | Self::Leave => None,
        }
    }
}

/// The rooms' end, where nobody waits.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    sender: mpsc::UnboundedSender<Order>,
    waiting: Arc<AtomicUsize>,
    bell: Arc<Bell>,
    pulse: Arc<Pulse>,
}

/// The shard's end.
pub(crate) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Order>,
    waiting: Arc<AtomicUsize>,
}

/// The way from rooms to a shard that this bell wakes and this pulse is of.
pub(crate) fn orders(bell: Arc<Bell>, pulse: Arc<Pulse>) -> (Orders, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::<AtomicUsize>::default();
    (Orders { sender, waiting: Arc::clone(&waiting), bell, pulse }, Inbox { receiver, waiting })
}

impl Orders {
    /// Whether there is room for another order.
    pub(crate) fn have_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < WAITING && !self.sender.is_closed()
    }

    /// Whether links may begin on the shard: it is there and comes round.
    pub(crate) fn is_well(&self) -> bool {
        self.pulse.is_well() && !self.sender.is_closed()
    }

    /// Tells the shard, once there [is room](Self::have_room). Who looks and then tells without
    /// waiting in between keeps the bound but for one order of each thread.
    ///
    /// That a peer leaves, and where the others are then, may be told in any case: each leaves once,
    /// so that no more of these can wait than there are peers.
    pub(crate) fn tell(&self, order: Order) {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // A shard that is gone has forgotten its peers already.
        let _ = self.sender.send(order);
        self.bell.ring();
    }
}

impl Inbox {
    pub(crate) fn try_next(&mut self) -> Option<Order> {
        let order = self.receiver.try_recv().ok()?;
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(order)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_that_takes_nothing_is_soon_told_nothing() {
        let poll = mio::Poll::new().unwrap();
        let (orders, mut inbox) = orders(Arc::new(Bell::new(&poll).unwrap()), Arc::default());
        let order = |peer| {
            let request = Request::Answer("v=0".into());
            Order::Peer { room: RoomId(1), peer: PeerId(peer), request }
        };
        let told = (0..10_000).take_while(|n| {
            let room = orders.have_room();
            if room {
                orders.tell(order(*n));
            }
            room
        });
        assert_eq!(told.count(), WAITING);
        for told in 0..3 {
            let came = inbox.try_next();
            assert!(matches!(came, Some(Order::Peer { peer, .. }) if peer.0 == told), "{came:?}");
        }
        assert!(orders.have_room());
        drop(inbox);
        assert!(!orders.have_room(), "the shard is gone");
        orders.tell(order(0));
    }
}
