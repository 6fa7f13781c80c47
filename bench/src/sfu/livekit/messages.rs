//! The messages of LiveKit's signaling (`livekit_rtc.proto`) that a headless participant needs.
//! Other fields and messages are skipped when read.

use prost::{Message, Oneof};

/// `SessionDescription`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SessionDescription {
    /// `offer` or `answer`.
    #[prost(string, tag = "1")]
    pub(super) kind: String,
    #[prost(string, tag = "2")]
    pub(super) sdp: String,
    /// An answer repeats the offer's.
    #[prost(uint32, tag = "3")]
    pub(super) id: u32,
}

/// `AddTrackRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AddTrack {
    /// The id of the track in the offer (`a=msid`).
    #[prost(string, tag = "1")]
    pub(super) cid: String,
    /// `TrackType`: 0 for audio, 1 for video.
    #[prost(int32, tag = "3")]
    pub(super) kind: i32,
    #[prost(uint32, tag = "4")]
    pub(super) width: u32,
    #[prost(uint32, tag = "5")]
    pub(super) height: u32,
    /// `TrackSource`: 1 for a camera, 2 for a microphone.
    #[prost(int32, tag = "8")]
    pub(super) source: i32,
    /// No redundant audio (RFC 2198), which the participants don't offer.
    #[prost(bool, tag = "13")]
    pub(super) disable_red: bool,
}

/// `LeaveRequest`, from either side.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Leave {
    /// `DisconnectReason`.
    #[prost(int32, tag = "2")]
    pub(super) reason: i32,
}

/// `Ping`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Ping {
    /// Unix time in milliseconds; the server only repeats it.
    #[prost(int64, tag = "1")]
    pub(super) timestamp: i64,
}

/// `SignalRequest`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Request {
    #[prost(oneof = "Asked", tags = "1, 2, 4, 8, 16")]
    pub(super) asked: Option<Asked>,
}

/// The requests of a participant.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Asked {
    /// For the publisher's peer connection.
    #[prost(message, tag = "1")]
    Offer(SessionDescription),
    /// For the subscriber's peer connection.
    #[prost(message, tag = "2")]
    Answer(SessionDescription),
    #[prost(message, tag = "4")]
    AddTrack(AddTrack),
    #[prost(message, tag = "8")]
    Leave(Leave),
    #[prost(message, tag = "16")]
    Ping(Ping),
}

/// `SignalResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Response {
    #[prost(oneof = "Told", tags = "1, 2, 3, 8")]
    pub(super) told: Option<Told>,
}

/// The messages from the server.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum Told {
    #[prost(message, tag = "1")]
    Joined(Joined),
    /// For the publisher's peer connection.
    #[prost(message, tag = "2")]
    Answer(SessionDescription),
    /// For the subscriber's peer connection.
    #[prost(message, tag = "3")]
    Offer(SessionDescription),
    #[prost(message, tag = "8")]
    Leave(Leave),
}

/// `JoinResponse`.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Joined {
    /// Interval of [`Ping`]s in seconds.
    #[prost(int32, tag = "11")]
    pub(super) ping_interval: i32,
}
