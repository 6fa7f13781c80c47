//! Requests and events of links on other nodes, as JSON in frames. Unknown ones are of a later
//! version, and are skipped.

use bytes::Bytes;
use room::protocol::{RefusedEvent, SfuRequestKind};
use serde::{Deserialize, Serialize};
use sfu::{
    LinkQuality, PeerId, Permissions, RemoteShard, RoomId, Source, Speaker, Subscription, Viewport,
};

use crate::{
    cluster::Frame,
    shard::sfu::{
        EventSender, LinkTransport, PeerSetup, Request, RequestKind, RoomCommand, SfuEvent, Span,
    },
    signaling::sfu_rejection,
};

/// The largest message: a session description and what belongs to it.
const MAX_BYTES: usize = 1 << 20;
/// Shards of one node, and of all others of a room.
const MAX_SHARDS: usize = 64;
const MAX_REMOTES: usize = 1024;

/// The rank of a stream among all of its room: the number of the room's newest event, which rises
/// with each owner, and the count of the owner's streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(in crate::signaling) struct Order(pub(in crate::signaling) u64, pub(in crate::signaling) u64);

/// The first message of a stream.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Hello {
    room: u64,
    pub(super) order: Order,
    /// Peers that the room believes to be here, with their shards. Others are removed.
    pub(super) peers: Vec<(u8, PeerId)>,
}

impl Hello {
    pub(super) fn new(room: RoomId, order: Order, peers: Vec<(u8, PeerId)>) -> Self {
        Self { room: room.0, order, peers }
    }

    pub(super) fn room(&self) -> RoomId {
        RoomId(self.room)
    }

    pub(super) fn frame(&self) -> Bytes {
        Frame::Hello(json(self)).encode()
    }

    pub(super) fn parse(frame: &Frame) -> Option<Self> {
        let Frame::Hello(bytes) = frame else { return None };
        parse(bytes)
    }
}

/// A command for a shard.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Command {
    pub(super) shard: u8,
    pub(super) what: What,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) enum What {
    Offer(PeerId, String, Permissions),
    Answer(PeerId, String),
    Publish(PeerId, Vec<(String, Source)>, Permissions),
    Permit(PeerId, Permissions),
    Subscribe(PeerId, Vec<Viewport>, Permissions),
    Retire(PeerId),
    Leave(PeerId),
    Span { shards: Vec<u16>, remotes: Vec<(u16, bool)>, tells_speakers: bool },
}

impl Command {
    /// `None` for what is no command for other nodes.
    pub(super) fn of(shard: u8, command: RoomCommand) -> Option<Self> {
        let what = match command {
            RoomCommand::Peer { peer, request, .. } => match request {
                Request::Offer(sdp, setup) => What::Offer(peer, sdp, setup.permissions),
                Request::Answer(sdp) => What::Answer(peer, sdp),
                Request::Publish(tracks, setup) => What::Publish(peer, tracks, setup.permissions),
                Request::Permit(permissions) => What::Permit(peer, permissions),
                Request::Subscribe(views, setup) => What::Subscribe(peer, views, setup.permissions),
                Request::Retire => What::Retire(peer),
                Request::Leave => What::Leave(peer),
                Request::Probe(..) => return None,
            },
            RoomCommand::SetShards { span, .. } => What::Span {
                shards: span.shards,
                remotes: span.remotes.iter().map(|it| (it.shard, it.is_ingress)).collect(),
                tells_speakers: span.tells_speakers,
            },
            RoomCommand::Adopt { .. } => return None,
        };
        Some(Self { shard, what })
    }

    pub(super) fn frame(&self) -> Bytes {
        Frame::Event(json(self)).encode()
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        parse(bytes)
    }

    /// The command of a room whose events go to `events`.
    pub(super) fn into_command(self, room: RoomId, events: &EventSender) -> RoomCommand {
        let setup = |permissions| PeerSetup { permissions, events: events.clone() };
        let (peer, request) = match self.what {
            What::Offer(peer, sdp, permissions) => (peer, Request::Offer(sdp, setup(permissions))),
            What::Answer(peer, sdp) => (peer, Request::Answer(sdp)),
            What::Publish(peer, tracks, permissions) => {
                (peer, Request::Publish(tracks, setup(permissions)))
            }
            What::Permit(peer, permissions) => (peer, Request::Permit(permissions)),
            What::Subscribe(peer, views, permissions) => {
                (peer, Request::Subscribe(views, setup(permissions)))
            }
            What::Retire(peer) => (peer, Request::Retire),
            What::Leave(peer) => (peer, Request::Leave),
            What::Span { mut shards, remotes, tells_speakers } => {
                shards.truncate(MAX_SHARDS);
                let remote = |(shard, is_ingress)| RemoteShard { shard, is_ingress };
                let remotes = remotes.into_iter().take(MAX_REMOTES).map(remote).collect();
                let span = Span { shards, remotes, tells_speakers };
                return RoomCommand::SetShards { room, span, events: events.clone() };
            }
        };
        RoomCommand::Peer { room, peer, request }
    }
}

/// An event for the room.
#[derive(Debug, Serialize, Deserialize)]
pub(in crate::signaling) enum RemoteSfuEvent {
    Answer(PeerId, String),
    Offer(PeerId, String),
    Subscribed(PeerId, Vec<Subscription>),
    SubscribedEncodings(PeerId, Source, bool, Vec<String>),
    Refused(PeerId, RefusedEvent),
    Interrupted(PeerId, bool),
    Quality(Vec<(LinkQuality, LinkTransport)>),
    Speakers(Vec<Speaker>),
}

impl RemoteSfuEvent {
    /// The peer whose offer this answers or refuses.
    pub(in crate::signaling) fn answered(&self) -> Option<PeerId> {
        match self {
            Self::Answer(peer, _) => Some(*peer),
            Self::Refused(peer, refused) if refused.what == SfuRequestKind::Offer => Some(*peer),
            _ => None,
        }
    }

    /// A request of a peer that this node refuses.
    pub(super) fn refused(peer: PeerId, request: RequestKind, why: &sfu::Rejection) -> Self {
        Self::Refused(peer, sfu_rejection::event(request, why))
    }

    pub(super) fn frame(&self) -> Bytes {
        Frame::Packet(json(self)).encode()
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        parse(bytes)
    }
}

impl From<SfuEvent> for RemoteSfuEvent {
    fn from(event: SfuEvent) -> Self {
        match event {
            SfuEvent::Answer(peer, sdp) => Self::Answer(peer, sdp),
            SfuEvent::Offer(peer, sdp) => Self::Offer(peer, sdp),
            SfuEvent::Subscribed(peer, tracks) => Self::Subscribed(peer, tracks),
            SfuEvent::SubscribedEncodings(peer, source, is_shown, rids) => {
                Self::SubscribedEncodings(peer, source, is_shown, rids)
            }
            SfuEvent::RequestRefused(peer, request, why) => Self::refused(peer, request, &why),
            SfuEvent::Interrupted(peer, interrupted) => Self::Interrupted(peer, interrupted),
            SfuEvent::Quality(links) => Self::Quality(links),
            SfuEvent::Speakers(speakers) => Self::Speakers(speakers),
        }
    }
}

/// A value as JSON. Values of these types can always be written.
fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).unwrap_or_default().into()
}

fn parse<T: for<'de> Deserialize<'de>>(bytes: &[u8]) -> Option<T> {
    (bytes.len() <= MAX_BYTES).then(|| serde_json::from_slice(bytes).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::sfu::event_channel;

    #[test]
    fn commands_survive_their_bytes() {
        let (events, _receiver) = event_channel();
        let setup = || PeerSetup { permissions: Permissions::all(), events: events.clone() };
        let peer = PeerId(u64::MAX - 5);
        let view = Viewport { peer: PeerId(7), source: Source::Camera, width: 640, height: 360 };
        let requests = [
            Request::Offer("v=0".into(), setup()),
            Request::Answer("v=0".into()),
            Request::Publish(vec![("0".into(), Source::ScreenShare)], setup()),
            Request::Permit(Permissions { publish: Vec::new(), subscribe: false }),
            Request::Subscribe(vec![view], setup()),
            Request::Retire,
            Request::Leave,
        ];
        let room = RoomId(u64::MAX);
        let mut commands: Vec<_> =
            requests.map(|request| RoomCommand::Peer { room, peer, request }).into();
        let remotes = vec![RemoteShard { shard: 77, is_ingress: true }];
        let span = Span { shards: vec![0, 3], remotes, tells_speakers: true };
        commands.push(RoomCommand::SetShards { room, span, events: events.clone() });
        for command in commands {
            let told = format!("{command:?}");
            let sent = Command::of(3, command).unwrap().frame();
            // The head of a frame has five bytes.
            let command = Command::parse(&sent[5..]).unwrap();
            assert_eq!(command.shard, 3);
            assert_eq!(format!("{:?}", command.into_command(room, &events)), told);
        }
    }

    #[test]
    fn events_survive_their_bytes_and_bad_ones_are_none() {
        let peer = PeerId(u64::MAX);
        let events = [
            SfuEvent::Answer(peer, "v=0".into()),
            SfuEvent::Interrupted(peer, true),
            SfuEvent::SubscribedEncodings(peer, Source::Camera, true, vec!["h".into()]),
            SfuEvent::RequestRefused(peer, RequestKind::Offer, sfu::Rejection::Full),
            SfuEvent::Speakers(vec![Speaker { peer, level: 90 }]),
        ];
        for event in events.map(RemoteSfuEvent::from) {
            let read = RemoteSfuEvent::parse(&event.frame()[5..]).unwrap();
            assert_eq!(format!("{read:?}"), format!("{event:?}"));
        }
        assert!(RemoteSfuEvent::parse(br#"{"Later":1}"#).is_none());
        assert!(Command::parse(&vec![b' '; MAX_BYTES + 1]).is_none());
        assert!(Hello::parse(&Frame::Disconnect).is_none());
    }
}
