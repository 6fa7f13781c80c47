//! Facts about a call. What was not measured is absent or 0.

use serde::{Deserialize, Serialize};

/// Measurements of a call over its last seconds.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Call {
    /// The worst transport of its connections.
    pub transport: Option<CallTransport>,
    /// Sent media, by connection: one to the media server, or one to each participant.
    pub sent: Vec<Sent>,
    /// Received media, by participant.
    pub publishers: Vec<Publisher>,
    /// Largest jitter (ms).
    pub jitter_ms: f64,
    /// Share of sound that was made up.
    pub concealed: f64,
    /// Share of received frames that were not shown.
    pub dropped: f64,
    /// Share of the time for which the encoder was limited by the computer.
    pub limited_cpu: f64,
    /// Share of the time for which the encoder was limited by bandwidth.
    pub limited_bandwidth: f64,
    /// Bandwidth that the browser estimates for sending (kb/s).
    pub available_kbps: Option<f64>,
    /// Time to encode a frame (ms).
    pub encode_ms: f64,
    /// Frames encoded per second.
    pub encoded_rate: f64,
    /// Frames captured per second.
    pub captured_rate: f64,
    /// Height of the captured video.
    pub height: u32,
}

/// Transport of a connection, from its selected candidate pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum CallTransport {
    /// UDP, also by a relay.
    Udp,
    /// TCP, also by a relay.
    Tcp,
    /// A relay over TLS.
    Tls,
}

/// Statistics of the media sent over one connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Sent {
    /// Packets.
    pub packets: u32,
    /// Packets of these that the other end has missed.
    pub lost: u32,
    /// Round-trip time (ms).
    pub rtt_ms: Option<f64>,
}

/// Statistics of the media received from one participant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Publisher {
    /// Packets that arrived.
    pub packets: u32,
    /// Packets that did not.
    pub lost: u32,
    /// A camera's frames arrived.
    pub has_picture: bool,
    /// They stood still for a second or more.
    pub is_still: bool,
}
