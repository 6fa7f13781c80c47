//! A room's way to the media server and back: names of participants on this side, numbers of peers
//! on the other.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use room::{
    FromSfu, ToSfu,
    protocol::{
        ParticipantId, SdpType, SessionDescription, Speaker, SubscribedTrack, TrackSource,
        WantedEvent,
    },
};
use sfu::{PeerId, RoomId, Source, Wish};

use crate::media::{Letter, News, Order, Orders, Reader, Request, letters};

/// The media server, as rooms have it. Clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct MediaServer {
    shards: Arc<[Orders]>,
    rooms: Arc<AtomicU64>,
    peers: Arc<AtomicU64>,
}

impl MediaServer {
    /// Behind these shards, of which there is at least one.
    pub(crate) fn new(shards: Arc<[Orders]>) -> Self {
        Self { shards, rooms: Arc::default(), peers: Arc::default() }
    }

    /// A room's desk. Rooms take turns with the shards.
    pub(super) fn open(&self) -> Option<Desk> {
        let number = self.rooms.fetch_add(1, Ordering::Relaxed);
        let shards = u64::try_from(self.shards.len()).ok()?;
        let turn = usize::try_from(number.checked_rem(shards)?).ok()?;
        let orders = self.shards.get(turn)?.clone();
        let (news, reader) = letters();
        let (peers, by_id, by_peer) = (Arc::clone(&self.peers), HashMap::new(), HashMap::new());
        Some(Desk { room: RoomId(number), orders, peers, by_id, by_peer, news, reader })
    }
}

/// One room's desk.
#[derive(Debug)]
pub(super) struct Desk {
    room: RoomId,
    orders: Orders,
    /// The next number is nobody's yet, in no room.
    peers: Arc<AtomicU64>,
    by_id: HashMap<ParticipantId, PeerId>,
    by_peer: HashMap<PeerId, ParticipantId>,
    news: News,
    reader: Reader,
}

/// What the media server says.
#[derive(Debug)]
pub(super) enum Said {
    /// To one participant.
    To(ParticipantId, FromSfu),
    /// To all: who speaks.
    Speakers(Vec<Speaker>),
    /// To somebody who is gone.
    Nobody,
}

impl Desk {
    /// Whether the media server can be told something now.
    pub(super) fn is_open(&self) -> bool {
        self.orders.have_room()
    }

    /// Tells the media server what a participant says.
    pub(super) fn tell(&mut self, from: &ParticipantId, said: ToSfu) {
        let peer = self.peer(from);
        let news = self.news.clone();
        let request = match said {
            ToSfu::Description(SessionDescription { kind: SdpType::Offer, sdp }) => {
                Request::Offer(sdp, news)
            }
            ToSfu::Description(SessionDescription { sdp, .. }) => Request::Answer(sdp),
            ToSfu::Publish(tracks) => {
                let tracks = tracks.into_iter().map(|track| (track.mid, theirs(track.source)));
                Request::Publish(tracks.collect(), news)
            }
            ToSfu::Subscribe(tracks) => {
                let wish = |track: room::protocol::WantedTrack| Wish {
                    peer: self.peer(&track.participant),
                    source: theirs(track.source),
                    width: track.width,
                    height: track.height,
                };
                Request::Subscribe(tracks.into_iter().map(wish).collect(), news)
            }
            ToSfu::Nothing => return,
        };
        self.orders.tell(Order { room: self.room, peer, request });
    }

    /// Ends a participant's link, if it has one.
    pub(super) fn unlink(&mut self, id: &ParticipantId) {
        if let Some(peer) = self.by_id.remove(id) {
            self.by_peer.remove(&peer);
            self.leave(peer);
        }
    }

    /// The next thing the media server says.
    pub(super) async fn hear(&mut self) -> Said {
        let (peer, said) = match self.reader.next().await {
            Some(Letter::Answer(peer, sdp)) => (peer, description(SdpType::Answer, sdp)),
            Some(Letter::Offer(peer, sdp)) => (peer, description(SdpType::Offer, sdp)),
            Some(Letter::Subscribed(peer, sections)) => {
                // Whose track it was may have left meanwhile.
                let track = |section: sfu::Subscribed| {
                    let participant = self.by_peer.get(&section.peer)?.clone();
                    let source = ours(section.source);
                    Some(SubscribedTrack { mid: section.mid, participant, source })
                };
                (peer, FromSfu::Subscribed(sections.into_iter().filter_map(track).collect()))
            }
            Some(Letter::Wanted(peer, source, shown, rids)) => {
                (peer, FromSfu::Wanted(WantedEvent { source: ours(source), shown, rids }))
            }
            Some(Letter::Speakers(speakers)) => {
                let speaker = |it: sfu::Speaker| {
                    Some(Speaker {
                        participant: self.by_peer.get(&it.peer)?.clone(),
                        level: it.level,
                    })
                };
                return Said::Speakers(speakers.into_iter().filter_map(speaker).collect());
            }
            // It never is: this end holds one of the other.
            None => return Said::Nobody,
        };
        self.by_peer.get(&peer).map_or(Said::Nobody, |id| Said::To(id.clone(), said))
    }

    fn leave(&self, peer: PeerId) {
        self.orders.tell(Order { room: self.room, peer, request: Request::Leave });
    }

    fn peer(&mut self, id: &ParticipantId) -> PeerId {
        if let Some(peer) = self.by_id.get(id) {
            return *peer;
        }
        let peer = PeerId(self.peers.fetch_add(1, Ordering::Relaxed));
        self.by_id.insert(id.clone(), peer);
        self.by_peer.insert(peer, id.clone());
        peer
    }
}

/// However a room ends, no link of its outlives it.
impl Drop for Desk {
    fn drop(&mut self) {
        for peer in self.by_peer.keys() {
            self.leave(*peer);
        }
    }
}

fn description(kind: SdpType, sdp: String) -> FromSfu {
    FromSfu::Description(SessionDescription { kind, sdp })
}

fn theirs(source: TrackSource) -> Source {
    match source {
        TrackSource::Microphone => Source::Microphone,
        TrackSource::Camera => Source::Camera,
        TrackSource::Screen => Source::Screen,
        TrackSource::ScreenAudio => Source::ScreenAudio,
    }
}

fn ours(source: Source) -> TrackSource {
    match source {
        Source::Microphone => TrackSource::Microphone,
        Source::Camera => TrackSource::Camera,
        Source::Screen => TrackSource::Screen,
        Source::ScreenAudio => TrackSource::ScreenAudio,
    }
}
