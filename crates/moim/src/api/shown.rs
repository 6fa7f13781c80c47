//! Rooms and participants as the API shows them.

use quality::{EncoderLimit, Sample};
use room::{
    protocol::{MediaState, Policy, TopologyChoice, TrackSource},
    rights::Role,
};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use utoipa::ToSchema;

use super::problem::Problem;
use crate::signaling::{ParticipantDetails, RoomDetails};

/// A room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Room {
    /// Identifies the room among all that ever had its name.
    pub(super) id: String,
    /// Name and address.
    pub(super) name: String,
    /// False: it is kept from before a restart, and opens when somebody enters.
    pub(super) open: bool,
    /// When it opened.
    #[schema(format = DateTime)]
    pub(super) opened_at: String,
    /// Number of participants, reconnecting ones included.
    pub(super) participants: u32,
    /// Number of people in the waiting room.
    pub(super) waiting: usize,
    /// Its settings.
    pub(super) settings: Settings,
}

/// Settings of a room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Settings {
    /// Maximum number of participants.
    pub(super) capacity: u32,
    /// Joining requires a password.
    pub(super) has_password: bool,
    /// The topology.
    pub(super) topology: TopologyChoice,
    /// Rules; absent in a room without hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy: Option<Policy>,
    /// Text of the application that embeds the room.
    pub(super) metadata: String,
}

/// A participant.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Participant {
    /// Unique in the room.
    pub(super) id: String,
    /// Display name; not unique.
    pub(super) name: String,
    /// When it joined.
    #[schema(format = DateTime)]
    pub(super) joined_at: String,
    /// False while it is expected back.
    pub(super) connected: bool,
    /// What it sends, and its hand.
    pub(super) media: MediaState,
    /// Sources muted by a host.
    pub(super) muted: Vec<TrackSource>,
    /// It may receive media.
    pub(super) subscribes: bool,
    /// Role; absent in a room without hosts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) role: Option<Role>,
    /// The last ten seconds of its links; absent if nothing is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) quality: Option<Quality>,
}

/// Ten seconds of a participant's links. Absent values are unknown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Quality {
    /// Transport of its media: udp, tcp, relay_udp, relay_tcp or relay.
    #[serde(skip_serializing_if = "Option::is_none")]
    transport: Option<&'static str>,
    /// Round-trip time.
    #[serde(skip_serializing_if = "Option::is_none")]
    round_trip_ms: Option<u32>,
    /// Jitter.
    #[serde(skip_serializing_if = "Option::is_none")]
    jitter_ms: Option<u32>,
    /// Thousandths of the packets from it that were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss_up_permille: Option<u16>,
    /// Thousandths of the packets to it that were lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    loss_down_permille: Option<u16>,
    /// Kilobits per second from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    kbps_up: Option<u32>,
    /// Kilobits per second to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    kbps_down: Option<u32>,
    /// Pictures that stood still at its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    stalled_pictures: Option<u16>,
    /// Why its page encodes less than it could: cpu, bandwidth or other.
    #[serde(skip_serializing_if = "Option::is_none")]
    limited_by: Option<&'static str>,
    /// Its link was silent.
    interrupted: bool,
}

/// Somebody in the waiting room.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Waiting {
    /// Also the id of the participant, once admitted.
    pub(super) id: String,
    /// Display name.
    pub(super) name: String,
}

impl From<&RoomDetails> for Settings {
    fn from(room: &RoomDetails) -> Self {
        Self {
            capacity: room.summary.capacity,
            has_password: room.summary.locked,
            topology: room.topology,
            policy: room.policy,
            metadata: room.metadata.clone(),
        }
    }
}

impl From<&RoomDetails> for Room {
    fn from(room: &RoomDetails) -> Self {
        Self {
            id: room.id.clone(),
            name: room.summary.name.as_str().to_owned(),
            open: room.is_open,
            opened_at: date(room.opened),
            participants: room.summary.participants,
            waiting: room.waiting.len(),
            settings: room.into(),
        }
    }
}

impl From<&ParticipantDetails> for Participant {
    fn from(details: &ParticipantDetails) -> Self {
        let participant = &details.participant;
        Self {
            id: participant.id.as_str().to_owned(),
            name: participant.name.as_str().to_owned(),
            joined_at: date(details.joined),
            connected: details.is_connected,
            media: participant.media,
            muted: participant.muted.iter().collect(),
            subscribes: !participant.unsubscribed,
            role: participant.role,
            quality: details.quality.as_ref().map(Quality::from),
        }
    }
}

impl From<&Sample> for Quality {
    fn from(sample: &Sample) -> Self {
        let limit = sample.encoder_limit.filter(|limit| *limit != EncoderLimit::None);
        Self {
            transport: sample.transport.map(quality::Transport::name),
            round_trip_ms: sample.round_trip_ms,
            jitter_ms: sample.jitter_ms,
            loss_up_permille: sample.loss_up,
            loss_down_permille: sample.loss_down,
            kbps_up: sample.kbps_up,
            kbps_down: sample.kbps_down,
            stalled_pictures: sample.stalled,
            limited_by: limit.map(EncoderLimit::name),
            interrupted: sample.interrupted,
        }
    }
}

impl From<&room::protocol::Waiting> for Waiting {
    fn from(waiting: &room::protocol::Waiting) -> Self {
        Self { id: waiting.id.as_str().to_owned(), name: waiting.name.as_str().to_owned() }
    }
}

/// A time in text (RFC 3339), in milliseconds since 1970. `field` is its name in the request.
pub(super) fn milliseconds(field: &str, text: &str) -> Result<i64, Problem> {
    let date = OffsetDateTime::parse(text, &Rfc3339).ok();
    let date = date.and_then(|date| i64::try_from(date.unix_timestamp_nanos() / 1_000_000).ok());
    date.ok_or_else(|| Problem::invalid(format!("{field}: write 2027-01-31T12:00:00Z")))
}

/// A time in milliseconds since 1970, as text (RFC 3339).
pub(super) fn date(milliseconds: i64) -> String {
    let nanos = i128::from(milliseconds) * 1_000_000;
    let date = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_default()
}
