//! A room's way to the media server and back: names of participants on this side, numbers of peers
//! on the other.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use room::{
    FromSfu, ToSfu,
    protocol::{
        ParticipantId, SdpType, SessionDescription, Speaker, SubscribedTrack, TrackSource,
        Unavailable, WantedEvent,
    },
};
use sfu::{RoomId, Source, Viewport};

use super::{placement::Placement, refusal};
use crate::shard::sfu::{Letter, News, Order, Orders, Reader, Request, letters};

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

    /// A room's desk. Rooms take turns with the shards they begin on.
    pub(super) fn open(&self) -> Option<Desk> {
        let number = self.rooms.fetch_add(1, Ordering::Relaxed);
        let shards = self.shards.len();
        let home = usize::try_from(number).ok()?.checked_rem(shards)?;
        let (news, reader) = letters();
        let placement = Placement::new(Arc::clone(&self.peers), shards, home);
        Some(Desk {
            room: RoomId(number),
            shards: Arc::clone(&self.shards),
            placement,
            news,
            reader,
        })
    }
}

/// One room's desk.
#[derive(Debug)]
pub(super) struct Desk {
    room: RoomId,
    shards: Arc<[Orders]>,
    placement: Placement,
    news: News,
    reader: Reader,
}

/// What the media server says.
#[derive(Debug)]
pub(super) enum Said {
    /// To one participant.
    To(ParticipantId, FromSfu),
    /// Of one participant: nothing comes from it any more, or something again.
    Interrupted(ParticipantId, bool),
    /// To all: who speaks.
    Speakers(Vec<Speaker>),
    /// To somebody who is gone.
    Nobody,
}

impl Desk {
    /// Whether the media server can be told something of a participant's now: whether the shard of its
    /// link can be.
    pub(super) fn is_open(&self, from: &ParticipantId) -> bool {
        let shard = self.placement.shard(from, |shard| is_well(&self.shards, shard));
        self.shards.get(shard).is_some_and(Orders::have_room)
    }

    /// Tells the media server what a participant says.
    pub(super) fn tell(&mut self, from: &ParticipantId, said: ToSfu) {
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
                let wish = |track: room::protocol::WantedTrack| Viewport {
                    peer: self.placement.number(&track.participant),
                    source: theirs(track.source),
                    width: track.width,
                    height: track.height,
                };
                Request::Subscribe(tracks.into_iter().map(wish).collect(), news)
            }
            ToSfu::Nothing => return,
        };
        let shards = &self.shards;
        let (peer, shard, is_first) = self.placement.take(from, |shard| is_well(shards, shard));
        if is_first {
            self.span(None);
        }
        self.order(shard, Order::Peer { room: self.room, peer, request });
    }

    /// Ends a participant's link, if it has one.
    pub(super) fn unlink(&mut self, id: &ParticipantId) {
        let Some((peer, shard, was_last)) = self.placement.leave(id) else { return };
        let request = Request::Leave;
        self.order(shard, Order::Peer { room: self.room, peer, request });
        if was_last {
            self.span(Some(shard));
        }
    }

    /// The next thing the media server says.
    pub(super) async fn hear(&mut self) -> Said {
        let (peer, said) = match self.reader.next().await {
            Some(Letter::Answer(peer, sdp)) => (peer, description(SdpType::Answer, sdp)),
            Some(Letter::Offer(peer, sdp)) => (peer, description(SdpType::Offer, sdp)),
            Some(Letter::Subscribed(peer, sections)) => {
                // Whose track it was may have left meanwhile.
                let track = |section: sfu::Subscription| {
                    let participant = self.placement.of(section.peer)?.clone();
                    let source = ours(section.source);
                    let unavailable = section.unavailable.map(|why| match why {
                        sfu::Unavailable::Codec => Unavailable::Codec,
                    });
                    Some(SubscribedTrack { mid: section.mid, participant, source, unavailable })
                };
                (peer, FromSfu::Subscribed(sections.into_iter().filter_map(track).collect()))
            }
            Some(Letter::Wanted(peer, source, shown, rids)) => {
                (peer, FromSfu::Wanted(WantedEvent { source: ours(source), shown, rids }))
            }
            Some(Letter::Refused(peer, asked, refused)) => {
                (peer, FromSfu::Refused(refusal::told(asked, &refused)))
            }
            Some(Letter::Interrupted(peer, interrupted)) => {
                return match self.placement.of(peer) {
                    Some(id) => Said::Interrupted(id.clone(), interrupted),
                    None => Said::Nobody,
                };
            }
            Some(Letter::Speakers(speakers)) => {
                let speaker = |it: sfu::Speaker| {
                    Some(Speaker {
                        participant: self.placement.of(it.peer)?.clone(),
                        level: it.level,
                    })
                };
                return Said::Speakers(speakers.into_iter().filter_map(speaker).collect());
            }
            // It never is: this end holds one of the other.
            None => return Said::Nobody,
        };
        self.placement.of(peer).map_or(Said::Nobody, |id| Said::To(id.clone(), said))
    }

    /// Tells all shards of the room, and the one that was left, which they are now. A room that is on
    /// one alone has nothing to tell.
    fn span(&self, left: Option<usize>) {
        let shards = self.placement.shards();
        if shards.len() + usize::from(left.is_some()) < 2 {
            return;
        }
        let numbers: Vec<u16> = shards.iter().filter_map(|it| u16::try_from(*it).ok()).collect();
        for shard in shards.into_iter().chain(left) {
            let (room, shards, news) = (self.room, numbers.clone(), self.news.clone());
            self.order(shard, Order::Span { room, shards, news });
        }
    }

    fn order(&self, shard: usize, order: Order) {
        if let Some(orders) = self.shards.get(shard) {
            orders.tell(order);
        }
    }
}

/// However a room ends, no link of its outlives it.
impl Drop for Desk {
    fn drop(&mut self) {
        for id in self.placement.everybody() {
            self.unlink(&id);
        }
    }
}

fn is_well(shards: &[Orders], shard: usize) -> bool {
    shards.get(shard).is_some_and(Orders::is_well)
}

fn description(kind: SdpType, sdp: String) -> FromSfu {
    FromSfu::Description(SessionDescription { kind, sdp })
}

fn theirs(source: TrackSource) -> Source {
    match source {
        TrackSource::Microphone => Source::Microphone,
        TrackSource::Camera => Source::Camera,
        TrackSource::Screen => Source::ScreenShare,
        TrackSource::ScreenAudio => Source::ScreenShareAudio,
    }
}

fn ours(source: Source) -> TrackSource {
    match source {
        Source::Microphone => TrackSource::Microphone,
        Source::Camera => TrackSource::Camera,
        Source::ScreenShare => TrackSource::Screen,
        Source::ScreenShareAudio => TrackSource::ScreenAudio,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::{Bell, Pulse, sfu};

    fn id(n: usize) -> ParticipantId {
        serde_json::from_value(format!("p{n}").into()).unwrap()
    }

    #[tokio::test]
    async fn a_shard_that_is_stuck_or_gone_refuses_its_own_links_alone() {
        let pulses = [Arc::<Pulse>::default(), Arc::default()];
        let polls = [(); 2].map(|()| mio::Poll::new().unwrap());
        let shards = pulses.iter().zip(&polls).map(|(pulse, poll)| {
            sfu::orders(Arc::new(Bell::new(poll).unwrap()), Arc::clone(pulse))
        });
        let (orders, mut inboxes): (Vec<_>, Vec<_>) = shards.unzip();
        let server = MediaServer::new(orders.into());
        // Rooms take turns with the shards they begin on.
        let mut here = server.open().unwrap();
        let there = server.open().unwrap();
        here.tell(&id(1), ToSfu::Publish(Vec::new()));
        assert!(inboxes[0].try_next().is_some());
        pulses[0].set_stuck(true);
        assert!(here.is_open(&id(1)), "what is stuck may come round, and has room");
        here.tell(&id(2), ToSfu::Publish(Vec::new()));
        assert!(inboxes[0].try_next().is_some(), "it is told that the room has another shard");
        assert!(inboxes[0].is_empty() && !inboxes[1].is_empty(), "who comes now begins elsewhere");
        drop(inboxes.remove(0));
        assert!(!here.is_open(&id(1)), "a link on a shard that is gone");
        assert!(here.is_open(&id(2)) && here.is_open(&id(3)) && there.is_open(&id(4)));
    }
}
