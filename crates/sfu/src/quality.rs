//! Quality of a peer's link, as an [`Sfu`](crate::Sfu) sees it: sampled at an interval, never per
//! packet.

use std::{net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::ids::{PeerId, Transport};

/// Step of a join, each of which ends at a moment that the server can see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinStep {
    /// From the first offer to the first validated path.
    Ice,
    /// From there until DTLS is connected.
    Dtls,
    /// From the first video that the page wants until its first keyframe is sent.
    FirstFrame,
}

/// Reason for which a subscriber is sent nothing of a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PauseReason {
    /// It does not fit the estimated bandwidth.
    Bandwidth,
    /// The page does not show it.
    Hidden,
    /// The peer has no receiving section left for it.
    Limit,
}

/// Counts of a shard that need no sampling.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MediaCounts {
    /// Videos paused for lack of bandwidth.
    pub paused_for_bandwidth: u64,
    /// Videos paused because a page hides them.
    pub paused_hidden: u64,
    /// Videos paused because the subscriber has no section for them.
    pub paused_by_limit: u64,
    /// Keyframe requests received from subscribers.
    pub keyframe_requests_received: u64,
    /// Keyframe requests sent to publishers, or to their shards.
    pub keyframe_requests_sent: u64,
}

/// Packets in one direction of a link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketCounts {
    /// Packets that should have arrived.
    pub expected: u64,
    /// Those that did not.
    pub lost: u64,
}

impl PacketCounts {
    /// Share of lost packets; `None` if there are too few to tell.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio may be rounded")]
    pub fn loss(self) -> Option<f64> {
        /// Fewer packets than this are one burst or one lost packet.
        const MIN_PACKETS: u64 = 50;
        (self.expected >= MIN_PACKETS).then(|| self.lost as f64 / self.expected as f64)
    }

    pub(crate) fn since(self, before: Self) -> Self {
        let expected = self.expected.saturating_sub(before.expected);
        // A packet that was reported as lost may arrive in the next interval.
        let lost = self.lost.saturating_sub(before.lost).min(expected);
        Self { expected, lost }
    }
}

/// Totals of a link since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct LinkTotals {
    pub(crate) sent: PacketCounts,
    pub(crate) received: PacketCounts,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
}

/// Quality of one connected link over an interval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkQuality {
    /// The peer.
    pub peer: PeerId,
    /// Time covered.
    pub interval: Duration,
    /// Transport of the path in use.
    pub transport: Transport,
    /// Remote address of the path in use.
    pub remote: SocketAddr,
    /// Newest round-trip time, from reports or else from transport-wide feedback.
    pub round_trip: Option<Duration>,
    /// Interarrival jitter that the peer reports (RFC 3550 §6.4.1), the highest of its streams.
    pub jitter: Option<Duration>,
    /// Packets to the peer.
    pub sent: PacketCounts,
    /// Packets from the peer.
    pub received: PacketCounts,
    /// Bytes of RTP to the peer.
    pub sent_bytes: u64,
    /// Bytes from the peer.
    pub received_bytes: u64,
    /// Estimated bandwidth to the peer, bits per second.
    pub estimate: Option<u64>,
    /// Videos that the peer is sent.
    pub videos: u16,
    /// Videos paused for lack of bandwidth.
    pub paused_for_bandwidth: u16,
    /// Videos paused because the page hides them.
    pub paused_hidden: u16,
    /// Videos for which the peer has no section.
    pub paused_by_limit: u16,
    /// Lowest of the heights sent, pixels.
    pub min_height: Option<u16>,
    /// True if packets of a camera or screen of the peer arrive.
    pub sends_video: bool,
    /// Keyframe requests of the peer for frames that it could not decode.
    pub keyframe_requests: u32,
    /// True if the link was silent for the interruption timeout.
    pub interrupted: bool,
}
