//! The statistics that a page reports: hints for the operator, which change nothing in the room.

use serde::{Deserialize, Serialize};

use super::types::ParticipantId;

/// Most participants named in one list of a report; more are ignored.
pub const MAX_REPORTED: usize = 64;

/// `report`: what a page has measured since its last report, every ten seconds. More than one in
/// five seconds is ignored. Numbers that the browser doesn't tell are absent.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ReportRequest {
    /// The worst transport of its links, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<ReportedTransport>,
    /// Longest round-trip time of its links, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round_trip: Option<u32>,
    /// Jitter of what it receives, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter: Option<u32>,
    /// Loss of what it sends, thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_up: Option<u16>,
    /// Loss of what it receives, thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_down: Option<u16>,
    /// Kilobits per second that it sends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kbps_up: Option<u32>,
    /// Kilobits per second that it receives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kbps_down: Option<u32>,
    /// Frames per second that it encodes, of its largest picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_up: Option<u16>,
    /// Frames per second that it decodes, of all pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames_down: Option<u16>,
    /// The encoder's `qualityLimitationReason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<ReportedLimit>,
    /// Concealed share of the sound that it played, thousandths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concealed: Option<u16>,
    /// Share of the time by which its timers were late, thousandths; absent if it was hidden, when
    /// browsers delay them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub late: Option<u16>,
    /// Freezes of all pictures.
    #[serde(default)]
    pub freezes: u16,
    /// Participants whose picture it receives.
    #[serde(default)]
    pub seen: Vec<ParticipantId>,
    /// Those whose picture stood still for a second or more.
    #[serde(default)]
    pub still: Vec<ParticipantId>,
}

/// A transport, as seen by the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ReportedTransport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// A relay, over UDP.
    RelayUdp,
    /// A relay, over TCP or TLS.
    RelayTcp,
}

/// The reason for which a browser encodes less than it could.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ReportedLimit {
    /// None.
    None,
    /// The processor.
    Cpu,
    /// The bandwidth.
    Bandwidth,
    /// Another one.
    Other,
}
