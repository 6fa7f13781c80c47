//! What rooms tell a shard.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use sfu::{PeerId, RoomId, Source, Wish};
use tokio::sync::mpsc;

use super::news::News;
use crate::shard::Bell;

/// Orders that may wait for a shard; beyond, those who ask are refused and may try again.
const WAITING: usize = 4096;

/// Something a room wants of a peer's link.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) room: RoomId,
    pub(crate) peer: PeerId,
    pub(crate) request: Request,
}

/// What.
#[derive(Debug)]
pub(crate) enum Request {
    /// Take an offer; the room hears of it there.
    Offer(String, News),
    /// Take the answer to our offer.
    Answer(String),
    /// The sending sections of the next offer.
    Publish(Vec<(String, Source)>, News),
    /// What the page shows.
    Subscribe(Vec<Wish>, News),
    /// The peer has left.
    Leave,
}

/// The rooms' end, where nobody waits.
#[derive(Debug, Clone)]
pub(crate) struct Orders {
    sender: mpsc::UnboundedSender<Order>,
    waiting: Arc<AtomicUsize>,
    bell: Arc<Bell>,
}

/// The shard's end.
pub(crate) struct Inbox {
    receiver: mpsc::UnboundedReceiver<Order>,
    waiting: Arc<AtomicUsize>,
}

/// The way from rooms to a shard that this bell wakes.
pub(crate) fn orders(bell: Arc<Bell>) -> (Orders, Inbox) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let waiting = Arc::<AtomicUsize>::default();
    (Orders { sender, waiting: Arc::clone(&waiting), bell }, Inbox { receiver, waiting })
}

impl Orders {
    /// Whether there is room for another order.
    pub(crate) fn have_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < WAITING && !self.sender.is_closed()
    }

    /// Tells the shard, once there [is room](Self::have_room). Who looks and then tells without
    /// waiting in between keeps the bound but for one order of each thread.
    ///
    /// That a peer leaves may be told in any case: each does so once, so that no more of these can
    /// wait than there are peers.
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
        let (orders, mut inbox) = orders(Arc::new(Bell::new(&poll).unwrap()));
        let order = |peer| {
            let request = Request::Answer("v=0".into());
            Order { room: RoomId(1), peer: PeerId(peer), request }
        };
        let told = (0..10_000).take_while(|n| {
            let room = orders.have_room();
            if room {
                orders.tell(order(*n));
            }
            room
        });
        assert_eq!(told.count(), WAITING);
        let came: Vec<u64> = (0..3).filter_map(|_| Some(inbox.try_next()?.peer.0)).collect();
        assert_eq!(came, [0, 1, 2]);
        assert!(orders.have_room());
        drop(inbox);
        assert!(!orders.have_room(), "the shard is gone");
        orders.tell(order(0));
    }
}
