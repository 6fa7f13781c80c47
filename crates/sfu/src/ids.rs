//! Names of things, minted by the caller.

use std::fmt;

pub(crate) use str0m::media::{Mid, Rid};

/// A room: its peers hear and see each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(pub u64);

/// A participant's link to the media server; unique in the whole server, over all shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(pub u64);

/// What a track shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Source {
    /// Somebody's voice.
    Microphone,
    /// Somebody's face.
    Camera,
    /// A shared screen or window.
    Screen,
    /// What the shared screen sounds like.
    ScreenAudio,
}

/// A published track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TrackId {
    /// Who publishes it.
    pub peer: PeerId,
    /// What it shows.
    pub source: Source,
}

/// How a datagram travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Transport {
    /// One datagram, one packet.
    Udp,
    /// ICE-TCP: packets framed by their length (RFC 4571); the framing is the driver's.
    Tcp,
}

/// Audio or video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Audio,
    Video,
}

impl Source {
    pub(crate) fn kind(self) -> Kind {
        match self {
            Self::Microphone | Self::ScreenAudio => Kind::Audio,
            Self::Camera | Self::Screen => Kind::Video,
        }
    }

    /// Whether it belongs to a shared screen rather than to a person.
    pub(crate) fn is_screen(self) -> bool {
        matches!(self, Self::Screen | Self::ScreenAudio)
    }
}

impl fmt::Display for TrackId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.peer.0, self.source)
    }
}
