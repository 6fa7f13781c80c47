//! Messages of the media server, as the room's task has them.

use cluster::NodeId;
use room::{
    FromSfu,
    protocol::{
        ParticipantId, SdpType, SessionDescription, Speaker, SubscribedTrack, TrackSource,
        Unavailable, WantedEvent,
    },
};
use sfu::Source;

use super::{placement::Placement, remote_media::RemoteSfuEvent};
use crate::shard::sfu::LinkTransport;

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
    /// The link of a participant is lost, and all sockets of the node whose process is gone.
    Lost(ParticipantId, Option<NodeId>),
    /// For a participant that left, or of a retired link.
    Stale,
}

impl SfuMessage {
    /// The message of an event, for participants of these links.
    pub(super) fn of(placement: &Placement, event: RemoteSfuEvent) -> Self {
        let (peer, message) = match event {
            RemoteSfuEvent::Answer(peer, sdp) => (peer, description(SdpType::Answer, sdp)),
            RemoteSfuEvent::Offer(peer, sdp) => (peer, description(SdpType::Offer, sdp)),
            RemoteSfuEvent::Subscribed(peer, sections) => {
                // The publisher may have left in the meantime.
                let track = |section: sfu::Subscription| {
                    let participant = placement.of(section.peer)?.clone();
                    let is_current = placement.current(section.peer).is_some();
                    let source = from_sfu_source(section.source);
                    let unavailable = section.unavailable.map(|why| match why {
                        sfu::Unavailable::Codec => Unavailable::Codec,
                    });
                    let mid = section.mid;
                    let track = SubscribedTrack { mid, participant, source, unavailable };
                    Some((is_current, track))
                };
                let mut tracks: Vec<_> = sections.into_iter().filter_map(track).collect();
                // Of two links of a publisher the page is to have the newer one last.
                tracks.sort_by_key(|(is_current, _)| *is_current);
                (peer, FromSfu::Subscribed(tracks.into_iter().map(|(_, track)| track).collect()))
            }
            RemoteSfuEvent::SubscribedEncodings(peer, source, shown, rids) => (
                peer,
                FromSfu::Wanted(WantedEvent { source: from_sfu_source(source), shown, rids }),
            ),
            RemoteSfuEvent::Refused(peer, refused) => (peer, FromSfu::Refused(refused)),
            RemoteSfuEvent::Interrupted(peer, interrupted) => {
                return match placement.current(peer) {
                    Some(id) => Self::Interrupted(id.clone(), interrupted),
                    None => Self::Stale,
                };
            }
            RemoteSfuEvent::Speakers(speakers) => {
                let speaker = |speaker: sfu::Speaker| {
                    Some(Speaker {
                        participant: placement.of(speaker.peer)?.clone(),
                        level: speaker.level,
                    })
                };
                let mut told: Vec<Speaker> = Vec::new();
                for speaker in speakers.into_iter().filter_map(speaker) {
                    // The louder one of two links.
                    if told.iter().all(|known| known.participant != speaker.participant) {
                        told.push(speaker);
                    }
                }
                return Self::Speakers(told);
            }
            RemoteSfuEvent::Quality(links) => {
                let sample = |(link, transport): (sfu::LinkQuality, LinkTransport)| {
                    Some((placement.current(link.peer)?.clone(), link, transport))
                };
                return Self::Quality(links.into_iter().filter_map(sample).collect());
            }
        };
        // A retired link speaks for nobody.
        placement.current(peer).map_or(Self::Stale, |id| Self::To(id.clone(), message))
    }
}

fn description(kind: SdpType, sdp: String) -> FromSfu {
    FromSfu::Description(SessionDescription { kind, sdp })
}

pub(super) fn to_sfu_source(source: TrackSource) -> Source {
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
