//! Facts about a visitor. What the page could not find out is absent.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{call_facts::Call, computer::Encoder, devices::Devices};
use crate::reach::FamilySummary;

/// Facts that the page gathers. They come from anybody, so they judge nothing but themselves.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Facts {
    /// The page is a secure context.
    pub secure: Option<bool>,
    /// Signaling over a WebSocket.
    pub web_socket: Attempt,
    /// Signaling by polling.
    pub polling: Attempt,
    /// The media server over UDP.
    pub udp: Attempt,
    /// The media server over UDP and IPv6, where both sides have addresses.
    pub udp6: Attempt,
    /// The media server over TCP.
    pub tcp: Attempt,
    /// An allocation over UDP.
    pub turn_udp: Attempt,
    /// An allocation over TCP.
    pub turn_tcp: Attempt,
    /// An allocation over TLS.
    pub turn_tls: Attempt,
    /// Mapping of the NAT.
    pub nat: Option<Nat>,
    /// Address that STUN sees.
    pub stun_address: Option<IpAddr>,
    /// Number of host candidates.
    pub host_candidates: Option<u32>,
    /// Quality of the line.
    pub line: Option<Line>,
    /// Speed of the video encoder.
    pub encoder: Option<Encoder>,
    /// The visitor's clock minus the server's.
    pub clock_offset_ms: Option<f64>,
    /// Camera and microphone, where the visitor let the page test them.
    pub devices: Option<Devices>,
    /// A call, where the visitor is in one.
    pub call: Option<Call>,
}

/// Outcome of an attempt to connect.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Attempt {
    /// Data went there and back.
    Passed,
    /// No answer in time.
    Failed,
    /// Not tried, or the outcome says nothing.
    #[default]
    Unknown,
}

/// Mapping of a NAT (RFC 4787 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Nat {
    /// One port for all destinations, or no NAT.
    EndpointIndependent,
    /// Another port for each destination.
    EndpointDependent,
}

/// Small and large messages to the probe peer and back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Line {
    /// Small messages sent.
    pub sent: u32,
    /// Small messages of these that reached the server.
    pub arrived: u32,
    /// Small messages of these that came back.
    pub returned: u32,
    /// Large messages sent.
    pub large_sent: u32,
    /// Large messages that came back.
    pub large_returned: u32,
    /// Median round-trip time (ms).
    pub rtt_ms: f64,
}

/// Facts that the server knows about the visitor.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Host of the page.
    pub host: String,
    /// Address of the server that the visitor should reach.
    pub address: String,
    /// IPv6 address of the server.
    pub address6: Option<String>,
    /// Port of the server.
    pub port: u16,
    /// Source address of the visitor's HTTP.
    pub client: Option<IpAddr>,
    /// What others proved over the visitor's address family.
    pub outside: Outside,
    /// The visitor's TLS was opened on the way.
    pub is_intercepted: bool,
}

/// Outside networks of the last day.
pub type Outside = FamilySummary;
