//! Rooms, participants and tracks in LiveKit's JSON.

use room::{
    protocol::TrackSource,
    rights::{Right, Rights, Sources},
};
use serde_json::{Value, json};

use crate::signaling::{ParticipantDetails, RoomDetails};

/// The beginning of a participant's `sid`.
pub(super) const SID: &str = "PA_";

/// `livekit.Room`.
pub(super) fn room(room: &RoomDetails) -> Value {
    let sends = |one: &&ParticipantDetails| sources(one).next().is_some();
    json!({
        "sid": format!("RM_{}", room.id),
        "name": room.summary.name.as_str(),
        "maxParticipants": room.summary.capacity,
        "creationTime": (room.opened / 1000).to_string(),
        "creationTimeMs": room.opened.to_string(),
        "metadata": room.metadata,
        "numParticipants": room.summary.participants,
        "numPublishers": room.participants.iter().filter(sends).count(),
    })
}

/// `livekit.ParticipantInfo`.
pub(super) fn participant(details: &ParticipantDetails) -> Value {
    let one = &details.participant;
    let tracks: Vec<_> = sources(details).map(|source| track(details, source)).collect();
    json!({
        "sid": format!("{SID}{}", one.id.as_str()),
        "identity": identity(details),
        "name": one.name.as_str(),
        "state": if details.is_connected { "ACTIVE" } else { "DISCONNECTED" },
        "joinedAt": (details.joined / 1000).to_string(),
        "joinedAtMs": details.joined.to_string(),
        "isPublisher": !tracks.is_empty(),
        "tracks": tracks,
        "permission": permission(details.rights),
    })
}

/// `livekit.ParticipantPermission`. Without `canPublishSources`, all sources.
fn permission(rights: Rights) -> Value {
    let sources: Vec<_> = rights.sources().iter().map(source_name).collect();
    json!({
        "canSubscribe": rights.has(Right::Subscribe),
        "canPublish": !sources.is_empty(),
        "canPublishData": rights.has(Right::Chat),
        "canPublishSources": if rights.sources() == Sources::ALL { Vec::new() } else { sources },
    })
}

fn source_name(source: TrackSource) -> &'static str {
    match source {
        TrackSource::Microphone => "MICROPHONE",
        TrackSource::Camera => "CAMERA",
        TrackSource::Screen => "SCREEN_SHARE",
        TrackSource::ScreenAudio => "SCREEN_SHARE_AUDIO",
    }
}

/// The identity of a participant's token, or its id.
pub(super) fn identity(details: &ParticipantDetails) -> &str {
    details.identity.as_deref().unwrap_or(details.participant.id.as_str())
}

/// `livekit.TrackInfo`.
pub(super) fn track(details: &ParticipantDetails, source: TrackSource) -> Value {
    let kind = match source {
        TrackSource::Microphone | TrackSource::ScreenAudio => "AUDIO",
        TrackSource::Camera | TrackSource::Screen => "VIDEO",
    };
    json!({
        "sid": sid(details, source),
        "type": kind,
        "source": source_name(source),
        "muted": details.participant.muted.has(source),
    })
}

/// The source of a track by its `sid`.
pub(super) fn source_of(details: &ParticipantDetails, wanted: &str) -> Option<TrackSource> {
    TrackSource::ALL.into_iter().find(|source| sid(details, *source) == wanted)
}

/// Sources that are on, or muted by a host.
fn sources(details: &ParticipantDetails) -> impl Iterator<Item = TrackSource> {
    let (media, muted) = (details.participant.media, details.participant.muted);
    TrackSource::ALL.into_iter().filter(move |source| {
        let is_on = match source {
            TrackSource::Microphone => media.mic,
            TrackSource::Camera => media.camera,
            TrackSource::Screen | TrackSource::ScreenAudio => media.screen,
        };
        is_on || muted.has(*source)
    })
}

fn sid(details: &ParticipantDetails, source: TrackSource) -> String {
    let letter = match source {
        TrackSource::Microphone => "A",
        TrackSource::Camera => "V",
        TrackSource::Screen => "S",
        TrackSource::ScreenAudio => "SA",
    };
    format!("TR_{letter}_{}", details.participant.id.as_str())
}
