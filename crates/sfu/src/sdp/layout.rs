//! Mapping between the client's media sections and those of str0m.

use super::{
    FormatKey, MediaType, Section,
    description::SimulcastEncoding,
    formats::{Codecs, OfferedFormat},
};

/// Longest format list (bytes) that is repeated in a rejected section.
const MAX_FORMATS_BYTES: usize = 256;

/// The media sections of a link.
///
/// Those of the client keep their index for good. One that is unusable or stopped has no
/// counterpart in str0m.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(super) sections: Vec<ClientSection>,
    pub(super) slots: Vec<Slot>,
    /// Formats whose payload types str0m no longer changes.
    pub(super) negotiated: Vec<FormatKey>,
    pub(super) codecs: Codecs,
    /// True if the last offer had a BUNDLE group.
    pub(super) is_bundled: bool,
}

/// A media section of the client.
#[derive(Debug, Clone)]
pub(super) struct ClientSection {
    pub(super) mid: String,
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) formats: String,
    pub(super) kind: MediaType,
    pub(super) is_live: bool,
    pub(super) slot: Option<usize>,
}

/// A media section of str0m.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) mid: String,
    pub(super) kind: MediaType,
    /// True if we offered it.
    pub(super) is_ours: bool,
    /// Formats that the client offers.
    pub(super) formats: Vec<OfferedFormat>,
    /// Encodings, by the client's rids.
    pub(super) rids: Vec<String>,
    pub(super) simulcast: Vec<SimulcastEncoding<String>>,
    pub(super) ssrcs: Vec<u32>,
}

/// The `rtpmap` and `fmtp` that str0m writes for a payload type.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrittenFormat<'a> {
    pub(super) encoding: &'a str,
    pub(super) fmtp: &'a str,
}

impl Layout {
    pub(crate) fn new() -> Self {
        Self {
            sections: Vec::new(),
            slots: Vec::new(),
            negotiated: Vec::new(),
            codecs: Codecs::new(),
            is_bundled: false,
        }
    }

    /// str0m's mid for a section of the client.
    pub(crate) fn engine_mid(&self, mid: &str) -> Option<&str> {
        let section = self.sections.iter().find(|section| section.mid == mid && section.is_live)?;
        Some(self.slots.get(section.slot?)?.mid.as_str())
    }

    /// The encodings of a section, by the client's rids.
    pub(crate) fn rids(&self, engine_mid: &str) -> &[String] {
        self.slots.iter().find(|slot| slot.mid == engine_mid).map_or(&[], |slot| &slot.rids)
    }

    /// Number of SSRCs that str0m expects.
    pub(crate) fn expected_ssrcs(&self) -> usize {
        self.slots.iter().map(|slot| slot.ssrcs.len()).sum()
    }

    pub(super) fn push_ours(&mut self, kind: MediaType, mid: &str) {
        let media = if kind == MediaType::Audio { "audio" } else { "video" };
        self.sections.push(ClientSection {
            mid: mid.to_owned(),
            media: media.to_owned(),
            protocol: "UDP/TLS/RTP/SAVPF".to_owned(),
            formats: "0".to_owned(),
            kind,
            is_live: true,
            slot: Some(self.slots.len()),
        });
        self.slots.push(Slot { is_ours: true, ..Slot::new(kind, mid.to_owned()) });
    }

    /// A mid for str0m: the client's, as packets carry it, too. str0m truncates it; if the result
    /// is taken, another one is generated.
    pub(super) fn new_engine_mid(&self, mid: &str) -> String {
        let is_taken = |mid: &str| self.slots.iter().any(|slot| slot.mid == mid);
        let truncated = (*str0m::media::Mid::from(mid)).to_owned();
        if !truncated.is_empty() && !is_taken(&truncated) {
            return truncated;
        }
        let generated = (0..).map(|number| format!("moim{number}"));
        generated.into_iter().find(|mid| !is_taken(mid)).unwrap_or_default()
    }
}

impl ClientSection {
    pub(super) fn new(section: &Section<'_>, is_live: bool, slot: Option<usize>) -> Self {
        let mut formats = section.formats.trim();
        while formats.len() > MAX_FORMATS_BYTES {
            formats = formats.rsplit_once(' ').map_or("0", |(head, _)| head);
        }
        Self {
            mid: section.mid.to_owned(),
            media: section.media.to_owned(),
            protocol: section.protocol.to_owned(),
            formats: formats.to_owned(),
            kind: section.kind,
            is_live,
            slot,
        }
    }

    pub(super) fn is_rtp(&self) -> bool {
        matches!(self.kind, MediaType::Audio | MediaType::Video)
    }
}

impl Slot {
    pub(super) fn new(kind: MediaType, mid: String) -> Self {
        Self {
            mid,
            kind,
            is_ours: false,
            formats: Vec::new(),
            rids: Vec::new(),
            simulcast: Vec::new(),
            ssrcs: Vec::new(),
        }
    }

    /// Returns whether the client offers RTX or RED, as selected by `payload_type`, for a format.
    pub(super) fn offers(
        &self,
        written: WrittenFormat<'_>,
        payload_type: impl Fn(&OfferedFormat) -> Option<u8>,
    ) -> bool {
        self.formats.iter().any(|format| {
            format.key.encoding().eq_ignore_ascii_case(written.encoding)
                && format.key.matches(written.encoding, written.fmtp)
                && payload_type(format).is_some()
        })
    }
}
