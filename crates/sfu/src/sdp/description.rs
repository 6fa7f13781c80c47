//! A parsed session description.

use std::fmt;

/// The session part of a description and its media sections.
#[derive(Debug)]
pub(crate) struct Description<'a> {
    pub(crate) ice_lite: bool,
    /// The mids of the BUNDLE group, if there is one (RFC 9143).
    pub(crate) bundle: Option<Vec<&'a str>>,
    /// The strongest one that str0m can verify, of the session or a section.
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) credentials: Option<Credentials<'a>>,
    pub(crate) setup: Option<Setup>,
    pub(crate) sections: Vec<Section<'a>>,
}

/// The hash of a DTLS certificate (RFC 8122 §5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fingerprint {
    pub(crate) hash: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// ICE username fragment and password (RFC 8839 §5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credentials<'a> {
    pub(crate) ufrag: &'a str,
    pub(crate) pwd: &'a str,
}

/// DTLS roles (RFC 8842 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    ActPass,
    Active,
    Passive,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MediaType {
    Audio,
    Video,
    Application,
    Other,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SdpDirection {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl SdpDirection {
    pub(crate) fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub(crate) fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// One media section (RFC 8866 §5.14).
#[derive(Debug)]
pub(crate) struct Section<'a> {
    pub(crate) media: &'a str,
    pub(crate) kind: MediaType,
    pub(crate) port: u16,
    pub(crate) protocol: &'a str,
    /// The format list as written.
    pub(crate) formats: &'a str,
    pub(crate) payload_types: Vec<u8>,
    pub(crate) mid: &'a str,
    pub(crate) direction: SdpDirection,
    pub(crate) bundle_only: bool,
    pub(crate) rtpmaps: Vec<RtpMap<'a>>,
    pub(crate) fmtps: Vec<(u8, &'a str)>,
    /// Payload type, or none for all of them, and the kind of feedback.
    pub(crate) feedback: Vec<(Option<u8>, &'a str)>,
    pub(crate) extensions: Vec<(u16, &'a str)>,
    /// In the order of their first `ssrc` lines.
    pub(crate) ssrcs: Vec<u32>,
    /// SSRC and RTX SSRC (RFC 5576 §4.2, RFC 4588 §8.8).
    pub(crate) fid_groups: Vec<(u32, u32)>,
    /// SSRCs of forward error correction (RFC 5956 §4.3).
    pub(crate) fec_ssrcs: Vec<u32>,
    /// Encodings in the send direction (RFC 8851).
    pub(crate) rids: Vec<&'a str>,
    pub(crate) simulcast: Vec<SimulcastEncoding<&'a str>>,
    pub(crate) max_message_size: Option<u64>,
}

/// An encoding of a simulcast description (RFC 8853 §5.1).
#[derive(Debug, Clone, Copy)]
pub(crate) struct SimulcastEncoding<T> {
    pub(crate) rid: T,
    /// The encoding is paused at first, marked by a tilde.
    pub(crate) is_paused: bool,
}

impl<T: fmt::Display> fmt::Display for SimulcastEncoding<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.is_paused { "~" } else { "" }, self.rid)
    }
}

/// Writes the encodings of a simulcast description.
pub(super) fn join(encodings: &[SimulcastEncoding<String>]) -> String {
    let encodings: Vec<String> = encodings.iter().map(ToString::to_string).collect();
    encodings.join(";")
}

/// A payload type's codec (RFC 8866 §6.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RtpMap<'a> {
    pub(crate) payload_type: u8,
    pub(crate) codec: &'a str,
    pub(crate) clock_rate: u32,
    pub(crate) channels: u8,
}

impl Section<'_> {
    /// Returns whether the section is stopped or rejected by a port of zero. In a bundle the zero
    /// only says that the section shares the address of the bundle (RFC 9143 §7.1.3).
    pub(crate) fn is_rejected(&self, bundle: Option<&[&str]>) -> bool {
        let bundled = bundle.is_some_and(|mids| mids.contains(&self.mid));
        self.port == 0 && !self.bundle_only && !bundled
    }
}
