//! A room's port to the media server. Maps participant ids to peer ids and back.

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
    rights::MediaRights,
};
use sfu::{Permissions, RoomId, Source, Viewport};

use super::{
    placement::{Assignment, Placement},
    sfu_rejection,
};
use crate::shard::sfu::{
    EventReceiver, EventSender, LinkTransport, PeerSetup, Request, RoomCommand, RoomCommandSender,
    SfuEvent, event_channel,
};

/// Handle to the media server. Clones share it.
#[derive(Debug, Clone)]
pub(crate) struct MediaServer {
    shards: Arc<[RoomCommandSender]>,
    rooms: Arc<AtomicU64>,
    peers: Arc<AtomicU64>,
}

impl MediaServer {
    /// Creates a handle to a media server of at least one shard.
    pub(crate) fn new(shards: Arc<[RoomCommandSender]>) -> Self {
        Self { shards, rooms: Arc::default(), peers: Arc::default() }
    }

    /// Busy share of the busiest shard, thousandths.
    pub(super) fn busy_permille(&self) -> u16 {
        let busiest = self.shards.iter().map(RoomCommandSender::busy_permille).max();
        u16::try_from(busiest.unwrap_or_default()).unwrap_or(1000)
    }

    /// Opens the port of a room. Rooms are assigned to home shards in turn.
    pub(super) fn open(&self) -> Option<SfuPort> {
        let number = self.rooms.fetch_add(1, Ordering::Relaxed);
        let shards = self.shards.len();
        let home = usize::try_from(number).ok()?.checked_rem(shards)?;
        let (events, receiver) = event_channel();
        let placement = Placement::new(Arc::clone(&self.peers), shards, home);
        Some(SfuPort {
            room: RoomId(number),
            shards: Arc::clone(&self.shards),
            placement,
            events,
            receiver,
        })
    }
}

/// One room's port to the media server.
#[derive(Debug)]
pub(super) struct SfuPort {
    room: RoomId,
    shards: Arc<[RoomCommandSender]>,
    placement: Placement,
    events: EventSender,
    receiver: EventReceiver,
}

/// A message from the media server.
#[derive(Debug)]
pub(super) enum SfuMessage {
    /// For one participant.
    To(ParticipantId, FromSfu),
    /// Media of a participant was interrupted or resumed.
    Interrupted(ParticipantId, bool),
    /// The active speakers, for all participants.
    Speakers(Vec<Speaker>),
    /// Samples of the quality of participants' links.
    Quality(Vec<(ParticipantId, sfu::LinkQuality, LinkTransport)>),
    /// For a participant that left.
    Stale,
}

impl SfuPort {
    /// Returns whether the shard of a participant's link accepts commands now.
    pub(super) fn can_send(&self, from: &ParticipantId) -> bool {
        let shard = self.placement.shard(from, |shard| is_healthy(&self.shards, shard));
        self.shards.get(shard).is_some_and(RoomCommandSender::has_room)
    }

    /// Sends a message of a participant with these rights.
    pub(super) fn send(&mut self, from: &ParticipantId, permitted: MediaRights, message: ToSfu) {
        let permissions = Permissions {
            publish: permitted.publish.iter().map(to_sfu_source).collect(),
            subscribe: permitted.subscribe,
        };
        let setup = |permissions| PeerSetup { permissions, events: self.events.clone() };
        let request = match message {
            ToSfu::Description(SessionDescription { kind: SdpType::Offer, sdp }) => {
                Request::Offer(sdp, setup(permissions))
            }
            ToSfu::Description(SessionDescription { sdp, .. }) => Request::Answer(sdp),
            ToSfu::Publish(tracks) => {
                let tracks =
                    tracks.into_iter().map(|track| (track.mid, to_sfu_source(track.source)));
                Request::Publish(tracks.collect(), setup(permissions))
            }
            // Without a link there is nothing to forbid; its first message says what is permitted.
            ToSfu::Permit if !self.placement.has_link(from) => return,
            ToSfu::Permit => Request::Permit(permissions),
            ToSfu::Subscribe(tracks) => {
                let setup = setup(permissions);
                let viewport = |track: room::protocol::WantedTrack| Viewport {
                    peer: self.placement.peer_id(&track.participant),
                    source: to_sfu_source(track.source),
                    width: track.width,
                    height: track.height,
                };
                Request::Subscribe(tracks.into_iter().map(viewport).collect(), setup)
            }
            ToSfu::Nothing => return,
        };
        let shards = &self.shards;
        let Assignment { peer, shard, changes_shards } =
            self.placement.assign(from, |shard| is_healthy(shards, shard));
        if changes_shards {
            self.update_span(None);
        }
        self.send_command(shard, RoomCommand::Peer { room: self.room, peer, request });
    }

    /// Ends a participant's link, if it has one.
    pub(super) fn unlink(&mut self, id: &ParticipantId) {
        let Some(assignment) = self.placement.release(id) else { return };
        let Assignment { peer, shard, changes_shards } = assignment;
        let request = Request::Leave;
        self.send_command(shard, RoomCommand::Peer { room: self.room, peer, request });
        if changes_shards {
            self.update_span(Some(shard));
        }
    }

    /// Waits for the next message.
    pub(super) async fn next(&mut self) -> SfuMessage {
        let (peer, message) = match self.receiver.next().await {
            Some(SfuEvent::Answer(peer, sdp)) => (peer, description(SdpType::Answer, sdp)),
            Some(SfuEvent::Offer(peer, sdp)) => (peer, description(SdpType::Offer, sdp)),
            Some(SfuEvent::Subscribed(peer, sections)) => {
                // The publisher may have left in the meantime.
                let track = |section: sfu::Subscription| {
                    let participant = self.placement.of(section.peer)?.clone();
                    let source = from_sfu_source(section.source);
                    let unavailable = section.unavailable.map(|why| match why {
                        sfu::Unavailable::Codec => Unavailable::Codec,
                    });
                    Some(SubscribedTrack { mid: section.mid, participant, source, unavailable })
                };
                (peer, FromSfu::Subscribed(sections.into_iter().filter_map(track).collect()))
            }
            Some(SfuEvent::SubscribedEncodings(peer, source, shown, rids)) => (
                peer,
                FromSfu::Wanted(WantedEvent { source: from_sfu_source(source), shown, rids }),
            ),
            Some(SfuEvent::RequestRefused(peer, request, rejection)) => {
                (peer, FromSfu::Refused(sfu_rejection::event(request, &rejection)))
            }
            Some(SfuEvent::Interrupted(peer, interrupted)) => {
                return match self.placement.of(peer) {
                    Some(id) => SfuMessage::Interrupted(id.clone(), interrupted),
                    None => SfuMessage::Stale,
                };
            }
            Some(SfuEvent::Speakers(speakers)) => {
                let speaker = |speaker: sfu::Speaker| {
                    Some(Speaker {
                        participant: self.placement.of(speaker.peer)?.clone(),
                        level: speaker.level,
                    })
                };
                return SfuMessage::Speakers(speakers.into_iter().filter_map(speaker).collect());
            }
            Some(SfuEvent::Quality(links)) => {
                let sample = |(link, transport): (sfu::LinkQuality, LinkTransport)| {
                    Some((self.placement.of(link.peer)?.clone(), link, transport))
                };
                return SfuMessage::Quality(links.into_iter().filter_map(sample).collect());
            }
            // Unreachable: the port itself holds a sender.
            None => return SfuMessage::Stale,
        };
        self.placement.of(peer).map_or(SfuMessage::Stale, |id| SfuMessage::To(id.clone(), message))
    }

    /// Sends the room's set of shards to all of them and to the one that was left. Not needed while
    /// the room is on a single shard.
    fn update_span(&self, left: Option<usize>) {
        let shards = self.placement.shards();
        if shards.len() + usize::from(left.is_some()) < 2 {
            return;
        }
        let numbers: Vec<u16> =
            shards.iter().filter_map(|shard| u16::try_from(*shard).ok()).collect();
        for shard in shards.into_iter().chain(left) {
            let command = RoomCommand::SetShards {
                room: self.room,
                shards: numbers.clone(),
                events: self.events.clone(),
            };
            self.send_command(shard, command);
        }
    }

    fn send_command(&self, shard: usize, command: RoomCommand) {
        if let Some(commands) = self.shards.get(shard) {
            commands.send(command);
        }
    }
}

/// Ends all links of the room, however it ends.
impl Drop for SfuPort {
    fn drop(&mut self) {
        for id in self.placement.ids() {
            self.unlink(&id);
        }
    }
}

fn is_healthy(shards: &[RoomCommandSender], shard: usize) -> bool {
    shards.get(shard).is_some_and(RoomCommandSender::is_available)
}

fn description(kind: SdpType, sdp: String) -> FromSfu {
    FromSfu::Description(SessionDescription { kind, sdp })
}

fn to_sfu_source(source: TrackSource) -> Source {
    match source {
        TrackSource::Microphone => Source::Microphone,
        TrackSource::Camera => Source::Camera,
        TrackSource::Screen => Source::ScreenShare,
        TrackSource::ScreenAudio => Source::ScreenShareAudio,
    }
}

fn from_sfu_source(source: Source) -> TrackSource {
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
    use crate::shard::{Pulse, Waker, sfu};

    fn id(n: usize) -> ParticipantId {
        serde_json::from_value(format!("p{n}").into()).unwrap()
    }

    #[tokio::test]
    async fn stuck_or_gone_shard_rejects_its_own_links_only() {
        let pulses = [Arc::<Pulse>::default(), Arc::default()];
        let polls = [(); 2].map(|()| mio::Poll::new().unwrap());
        let shards = pulses.iter().zip(&polls).map(|(pulse, poll)| {
            sfu::room_commands(Arc::new(Waker::new(poll).unwrap()), Arc::clone(pulse))
        });
        let (senders, mut receivers): (Vec<_>, Vec<_>) = shards.unzip();
        let server = MediaServer::new(senders.into());
        let mut here = server.open().unwrap();
        let there = server.open().unwrap();
        here.send(&id(1), MediaRights::ALL, ToSfu::Publish(Vec::new()));
        assert!(receivers[0].try_next().is_some());
        pulses[0].set_stuck(true);
        assert!(here.can_send(&id(1)), "a stuck shard may recover and has queue space");
        here.send(&id(2), MediaRights::ALL, ToSfu::Publish(Vec::new()));
        assert!(receivers[0].try_next().is_some(), "receives the new set of shards");
        assert!(receivers[0].is_empty() && !receivers[1].is_empty(), "new links begin elsewhere");
        drop(receivers.remove(0));
        assert!(!here.can_send(&id(1)), "link on a gone shard");
        assert!(here.can_send(&id(2)) && here.can_send(&id(3)) && there.can_send(&id(4)));
    }
}
