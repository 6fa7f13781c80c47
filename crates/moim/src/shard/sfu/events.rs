//! Events from an SFU service to a room.

use sfu::{LinkQuality, PeerId, Rejection, Source, Speaker, Subscription};
use tokio::sync::mpsc;

use super::{link_quality::LinkTransport, request_kind::RequestKind};

/// Events that may wait for a room. Beyond that, speaker events are dropped, and a peer that misses
/// an event of its own link loses the link: its browser notices and starts a new one.
const MAX_EVENTS: usize = 1024;

/// An event of a room or of one of its peers.
#[derive(Debug)]
pub(crate) enum SfuEvent {
    /// The answer to a peer's offer.
    Answer(PeerId, String),
    /// An offer to a peer.
    Offer(PeerId, String),
    /// The tracks on the receiving sections of a peer's link.
    Subscribed(PeerId, Vec<Subscription>),
    /// True if a peer's video has subscribers, and the encodings (rids) that they need.
    SubscribedEncodings(PeerId, Source, bool, Vec<String>),
    /// A peer's request was refused.
    RequestRefused(PeerId, RequestKind, Rejection),
    /// A peer's link has gone silent (true), or carries packets again (false).
    Interrupted(PeerId, bool),
    /// Samples of the quality of the peers' links.
    Quality(Vec<(LinkQuality, LinkTransport)>),
    /// The speakers, the loudest first.
    Speakers(Vec<Speaker>),
}

/// The shard's end of a room's event channel.
#[derive(Debug, Clone)]
pub(crate) struct EventSender(mpsc::Sender<SfuEvent>);

/// The room's end of its event channel.
#[derive(Debug)]
pub(crate) struct EventReceiver(mpsc::Receiver<SfuEvent>);

/// Creates the event channel of a room.
pub(crate) fn event_channel() -> (EventSender, EventReceiver) {
    let (sender, receiver) = mpsc::channel(MAX_EVENTS);
    (EventSender(sender), EventReceiver(receiver))
}

impl EventSender {
    /// Sends an event of another node, once there is room.
    pub(crate) async fn deliver(&self, event: SfuEvent) {
        // Without a receiver the room has ended.
        let _ = self.0.send(event).await;
    }

    #[cfg(test)]
    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Sends an event without waiting. Returns false if the channel is full or closed.
    pub(super) fn send(&self, event: SfuEvent) -> bool {
        self.0.try_send(event).is_ok()
    }
}

impl EventReceiver {
    /// Waits for the next event. Returns `None` once every sender is gone.
    pub(crate) async fn next(&mut self) -> Option<SfuEvent> {
        self.0.recv().await
    }
}
