//! Why there is no certificate yet, in words for the operator.

use serde::{Deserialize, Serialize};

/// Kinds of problems, which logs, metrics and the doctor name alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Code {
    /// The name has no address.
    #[serde(rename = "DNS-NONE")]
    DnsNone,
    /// The resolver does not answer for the name.
    #[serde(rename = "DNS-UNANSWERED")]
    DnsUnanswered,
    /// The name leads to another server.
    #[serde(rename = "DNS-ELSEWHERE")]
    DnsElsewhere,
    /// The name's IPv6 address leads to another server.
    #[serde(rename = "DNS-AAAA")]
    DnsAaaa,
    /// Nobody answers at the port that the CA dials.
    #[serde(rename = "PORT-443")]
    Port443,
    /// A proxy ends TLS for this name.
    #[serde(rename = "PROXIED")]
    Proxied,
    /// The CA's rate limit.
    #[serde(rename = "LIMIT")]
    Limit,
    /// This computer's clock is wrong.
    #[serde(rename = "CLOCK")]
    Clock,
    /// The CA does not answer, or fails itself.
    #[serde(rename = "CA-DOWN")]
    CaDown,
    /// DNS forbids this CA (RFC 8659).
    #[serde(rename = "CAA")]
    Caa,
    /// The CA signs no such name.
    #[serde(rename = "REJECTED")]
    Rejected,
    /// The CA refuses the account.
    #[serde(rename = "ACCOUNT")]
    Account,
    /// The CA found another answer than the proof.
    #[serde(rename = "PROOF")]
    Proof,
    /// Anything else.
    #[serde(rename = "OTHER")]
    Other,
}

impl Code {
    pub(super) const ALL: [Self; 14] = [
        Self::DnsNone,
        Self::DnsUnanswered,
        Self::DnsElsewhere,
        Self::DnsAaaa,
        Self::Port443,
        Self::Proxied,
        Self::Limit,
        Self::Clock,
        Self::CaDown,
        Self::Caa,
        Self::Rejected,
        Self::Account,
        Self::Proof,
        Self::Other,
    ];

    /// The code as logs and metrics write it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::DnsNone => "DNS-NONE",
            Self::DnsUnanswered => "DNS-UNANSWERED",
            Self::DnsElsewhere => "DNS-ELSEWHERE",
            Self::DnsAaaa => "DNS-AAAA",
            Self::Port443 => "PORT-443",
            Self::Proxied => "PROXIED",
            Self::Limit => "LIMIT",
            Self::Clock => "CLOCK",
            Self::CaDown => "CA-DOWN",
            Self::Caa => "CAA",
            Self::Rejected => "REJECTED",
            Self::Account => "ACCOUNT",
            Self::Proof => "PROOF",
            Self::Other => "OTHER",
        }
    }
}

/// A problem, with the remedy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) words: String,
}

impl Problem {
    pub(super) fn new(code: Code, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }
}
