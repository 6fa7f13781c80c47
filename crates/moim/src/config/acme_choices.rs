//! Choices about certificates of a public CA, as given.

use clap::ValueEnum;
use serde::Deserialize;

/// When to get certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum AcmeMode {
    Auto,
    Off,
}

/// The kind of proof to give.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
pub(crate) enum ChallengeChoice {
    /// Whatever port is reachable.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// A TLS handshake at port 443 (RFC 8737).
    #[value(name = "tls-alpn-01")]
    #[serde(rename = "tls-alpn-01")]
    TlsAlpn01,
    /// An HTTP request at port 80 (RFC 8555 §8.3).
    #[value(name = "http-01")]
    #[serde(rename = "http-01")]
    Http01,
}

/// Whether to bind port 80 during an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Port80 {
    Auto,
    Off,
}
