//! Commands from rooms to an SFU service.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sfu::{PeerId, Permissions, Rejection, RemoteShard, RoomId, Source, Viewport};
use tokio::{sync::mpsc, time::sleep};

use super::{
    events::{EventSender, SfuEvent},
    request_kind::RequestKind,
};
use crate::shard::{pulse::Pulse, waker::Waker};

/// Commands that may wait for a shard. Beyond that, requests are refused and may be repeated.
const MAX_COMMANDS: usize = 4096;
/// Interval at which commands of other nodes look for room in a full queue.
const FULL_PAUSE: Duration = Duration::from_millis(10);

/// A command of a room.
#[derive(Debug)]
pub(crate) enum RoomCommand {
    /// A request of one peer.
    Peer { room: RoomId, peer: PeerId, request: Request },
    /// The shards that the room's peers are on from now on. Sent to those shards, and to one that
    /// the room has left.
    SetShards { room: RoomId, span: Span, events: EventSender },
    /// The room runs on another node from now on, or anew: its events go there, peers that it does
    /// not know of are removed, and it is told of those that are not here.
    Adopt { room: RoomId, peers: Vec<PeerId>, events: EventSender },
}

impl RoomCommand {
    /// The event that refuses a request; `None` for what can't be refused.
    pub(crate) fn refusal(&self, why: Rejection) -> Option<SfuEvent> {
        let Self::Peer { peer, request, .. } = self else { return None };
        Some(SfuEvent::RequestRefused(*peer, request.kind()?, why))
    }
}

/// The shards of a room, as one of them is to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Those of this node.
    pub(crate) shards: Vec<u16>,
    /// Those of other nodes, with which this one exchanges tracks.
    pub(crate) remotes: Vec<RemoteShard>,
    /// This node tells the room of its speakers.
    pub(crate) tells_speakers: bool,
}

/// A request of a peer.
#[derive(Debug)]
pub(crate) enum Request {
    /// An SDP offer.
    Offer(String, PeerSetup),
    /// The offer of a probe, which becomes the only peer of its room.
    Probe(String, EventSender),
    /// The answer to our offer.
    Answer(String),
    /// The sources of the sending sections in the next offer, by mid.
    Publish(Vec<(String, Source)>, PeerSetup),
    /// What the peer may send and receive from now on.
    Permit(Permissions),
    /// The tracks that the peer wants to receive.
    Subscribe(Vec<Viewport>, PeerSetup),
    /// The participant has another link from now on, and keeps this one for a while.
    Retire,
    /// The peer has left the room.
    Leave,
}

/// What each request has that may be the first of a peer.
#[derive(Debug, Clone)]
pub(crate) struct PeerSetup {
    /// What it may send and receive from now on.
    pub(crate) permissions: Permissions,
    /// The receiver of its events.
    pub(crate) events: EventSender,
}

impl Request {
    /// The kind of the request; `None` for one that can't be refused.
    pub(super) fn kind(&self) -> Option<RequestKind> {
        match self {
            Self::Offer(..) | Self::Probe(..) => Some(RequestKind::Offer),
            Self::Answer(_) => Some(RequestKind::Answer),
            Self::Publish(..) => Some(RequestKind::Publish),
            Self::Subscribe(..) => Some(RequestKind::Subscribe),
            Self::Permit(_) | Self::Retire | Self::Leave => None,
        }
    }

    pub(super) fn events(&self) -> Option<&EventSender> {
        match self {
            Self::Offer(_, setup) | Self::Publish(_, setup) | Self::Subscribe(_, setup) => {
                Some(&setup.events)
            }
            Self::Probe(_, events) => Some(events),
            Self::Answer(_) | Self::Permit(_) | Self::Retire | Self::Leave => None,
        }
    }
}

/// The rooms' end of the queue, which never blocks.
#[derive(Debug, Clone)]
pub(crate) struct RoomCommandSender {
    commands: mpsc::UnboundedSender<RoomCommand>,
    queued: Arc<AtomicUsize>,
    waker: Arc<Waker>,
    pulse: Arc<Pulse>,
}

/// The shard's end of the queue.
pub(crate) struct RoomCommandReceiver {
    commands: mpsc::UnboundedReceiver<RoomCommand>,
    queued: Arc<AtomicUsize>,
}

/// Creates the queue of a shard with this waker and pulse.
pub(crate) fn room_commands(
    waker: Arc<Waker>,
    pulse: Arc<Pulse>,
) -> (RoomCommandSender, RoomCommandReceiver) {
    let (commands, receiver) = mpsc::unbounded_channel();
    let queued = Arc::<AtomicUsize>::default();
    (
        RoomCommandSender { commands, queued: Arc::clone(&queued), waker, pulse },
        RoomCommandReceiver { commands: receiver, queued },
    )
}

impl RoomCommandSender {
    /// Checks if there is room for another command.
    pub(crate) fn has_room(&self) -> bool {
        self.queued.load(Ordering::Relaxed) < MAX_COMMANDS && !self.commands.is_closed()
    }

    /// Waits until there is room, or the shard has stopped.
    pub(crate) async fn until_room(&self) {
        while !self.has_room() && !self.commands.is_closed() {
            sleep(FULL_PAUSE).await;
        }
    }

    /// Checks if new links may start on the shard: it runs and is responsive.
    pub(crate) fn is_available(&self) -> bool {
        self.pulse.is_responsive() && !self.commands.is_closed()
    }

    /// Busy share of the shard, thousandths.
    pub(crate) fn busy_permille(&self) -> u32 {
        self.pulse.busy_permille()
    }

    /// Sends a command. Callers check [`Self::has_room`] right before, without waiting in between,
    /// so that the bound is exceeded by one command per thread at most.
    ///
    /// [`Request::Retire`], [`Request::Leave`], [`RoomCommand::SetShards`] and [`RoomCommand::Adopt`] may always be sent: a
    /// peer leaves once, so no more of them can wait than there are peers. So may [`Request::Permit`], which must not be
    /// lost; it takes a host and a change. Those of other nodes wait for room, since nothing says how many there are.
    pub(crate) fn send(&self, command: RoomCommand) {
        self.queued.fetch_add(1, Ordering::Relaxed);
        // A shard that has stopped has forgotten its peers.
        let _ = self.commands.send(command);
        self.waker.wake();
    }
}

impl RoomCommandReceiver {
    pub(crate) fn try_next(&mut self) -> Option<RoomCommand> {
        let command = self.commands.try_recv().ok()?;
        self.queued.fetch_sub(1, Ordering::Relaxed);
        Some(command)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.commands.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn has_room_bounds_the_queue_of_a_stuck_shard() {
        let poll = mio::Poll::new().unwrap();
        let waker = Arc::new(Waker::new(&poll).unwrap());
        let (sender, mut receiver) = room_commands(waker, Arc::default());
        let command = |peer| {
            let request = Request::Answer("v=0".into());
            RoomCommand::Peer { room: RoomId(1), peer: PeerId(peer), request }
        };
        let sent = (0..10_000).take_while(|n| {
            let has_room = sender.has_room();
            if has_room {
                sender.send(command(*n));
            }
            has_room
        });
        assert_eq!(sent.count(), MAX_COMMANDS);
        for n in 0..3 {
            let next = receiver.try_next();
            let is_next = matches!(next, Some(RoomCommand::Peer { peer, .. }) if peer.0 == n);
            assert!(is_next, "{next:?}");
        }
        assert!(sender.has_room());
        drop(receiver);
        assert!(!sender.has_room(), "the shard has stopped");
        sender.send(command(0));
    }
}
