//! Which section of the client is which of the engine's, and what of it the engine knows.

use super::{
    Description, FormatKey, MediaType, Numbers, SdpError, Section,
    formats::{Codecs, OfferedFormat},
    planner::Planner,
    render,
};

/// Of a client's formats as many characters are repeated in a section that is rejected.
const FORMATS: usize = 256;

/// The sections of a link. A client's keep their places for good; those that can't be used, or not any
/// more, are none of the engine's.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(super) lines: Vec<LineOfClient>,
    pub(super) slots: Vec<Slot>,
    /// Formats whose numbers the engine will not change any more.
    pub(super) agreed: Vec<FormatKey>,
    pub(super) codecs: Codecs,
    /// Whether the last description had a BUNDLE group.
    bundles: bool,
}

/// A section as the client knows it.
#[derive(Debug, Clone)]
pub(super) struct LineOfClient {
    pub(super) mid: String,
    pub(super) media: String,
    pub(super) protocol: String,
    pub(super) formats: String,
    pub(super) kind: MediaType,
    pub(super) is_live: bool,
    pub(super) slot: Option<usize>,
}

/// A section as the engine knows it.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) mid: String,
    pub(super) kind: MediaType,
    /// Whether we offered it.
    pub(super) is_ours: bool,
    /// What the client offers on it.
    pub(super) formats: Vec<OfferedFormat>,
    /// Its encodings, as the client writes them.
    pub(super) rids: Vec<String>,
    pub(super) simulcast: Vec<(String, bool)>,
    pub(super) ssrcs: Vec<u32>,
}

/// A description for the engine, and the layout once the engine has taken it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) text: String,
    pub(crate) layout: Layout,
    /// Sources that the client names no longer.
    pub(crate) forgotten: Vec<u32>,
    /// The client's order of its bundle, without what is rejected.
    pub(crate) bundle: Vec<String>,
}

impl Layout {
    pub(crate) fn new() -> Self {
        Self {
            lines: Vec::new(),
            slots: Vec::new(),
            agreed: Vec::new(),
            codecs: Codecs::new(),
            bundles: false,
        }
    }

    /// The name by which the engine knows a section of the client.
    pub(crate) fn engine_mid(&self, mid: &str) -> Option<&str> {
        let line = self.lines.iter().find(|line| line.mid == mid && line.is_live)?;
        Some(self.slots.get(line.slot?)?.mid.as_str())
    }

    /// The encodings of a section, as the client writes them.
    pub(crate) fn rids(&self, engine_mid: &str) -> &[String] {
        self.slots.iter().find(|slot| slot.mid == engine_mid).map_or(&[], |slot| &slot.rids)
    }

    /// How many sources the engine is told to expect.
    pub(crate) fn sources(&self) -> usize {
        self.slots.iter().map(|slot| slot.ssrcs.len()).sum()
    }

    /// What to tell the engine of an offer.
    pub(crate) fn plan_offer(
        &self,
        offer: &Description<'_>,
        numbers: &Numbers,
    ) -> Result<Plan, SdpError> {
        if offer.sections.len() < self.lines.len() {
            let (before, now) = (self.lines.len(), offer.sections.len());
            return Err(SdpError::SectionsMissing { before, now });
        }
        let mut plan = Planner::new(self.clone(), offer, numbers, false);
        plan.layout.bundles = offer.bundle.is_some();
        for (index, section) in offer.sections.iter().enumerate() {
            plan.place_offered(index, section)?;
        }
        plan.finish()
    }

    /// What to tell the engine of an answer to an offer of ours, which had these sections besides.
    pub(crate) fn plan_answer(
        &self,
        answer: &Description<'_>,
        pending: &[(MediaType, String)],
        numbers: &Numbers,
    ) -> Result<Plan, SdpError> {
        let expected = self.lines.len() + pending.len();
        if answer.sections.len() != expected {
            let (before, now) = (expected, answer.sections.len());
            return Err(SdpError::SectionsMissing { before, now });
        }
        let mut layout = self.clone();
        for (kind, mid) in pending {
            layout.push_ours(*kind, mid);
        }
        let mut plan = Planner::new(layout, answer, numbers, true);
        for (index, section) in answer.sections.iter().enumerate() {
            plan.place_answered(index, section)?;
        }
        plan.finish()
    }

    fn push_ours(&mut self, kind: MediaType, mid: &str) {
        let media = if kind == MediaType::Audio { "audio" } else { "video" };
        self.lines.push(LineOfClient {
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

    /// The answer to a client's offer, out of the engine's.
    pub(crate) fn render_answer(&self, text: &str, bundle: &[String]) -> String {
        render::render(self, text, &[], self.bundles.then_some(bundle))
    }

    /// An offer of ours, out of the engine's, with the sections that are new in it.
    pub(crate) fn render_offer(&self, text: &str, pending: &[(MediaType, String)]) -> String {
        let live = self.lines.iter().filter(|line| line.is_live).map(|line| line.mid.clone());
        let mids: Vec<String> = live.chain(pending.iter().map(|(_, mid)| mid.clone())).collect();
        render::render(self, text, pending, Some(&mids))
    }

    /// A name for the engine: what the engine makes of the client's own, by which packets call their
    /// section, too; where that is taken, another.
    pub(super) fn name(&self, mid: &str) -> String {
        let is_taken = |name: &str| self.slots.iter().any(|slot| slot.mid == name);
        let own = (*str0m::media::Mid::from(mid)).to_owned();
        if !own.is_empty() && !is_taken(&own) {
            return own;
        }
        let others = (0..).map(|number| format!("moim{number}"));
        others.into_iter().find(|name| !is_taken(name)).unwrap_or_default()
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
}

impl LineOfClient {
    pub(super) fn is_rtp(&self) -> bool {
        matches!(self.kind, MediaType::Audio | MediaType::Video)
    }

    pub(super) fn new(section: &Section<'_>, is_live: bool, slot: Option<usize>) -> Self {
        let mut formats = section.formats.trim();
        while formats.len() > FORMATS {
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
}

impl Slot {
    /// Whether the client offers something with a format that the engine writes so.
    pub(super) fn knows(
        &self,
        (encoding, fmtp): (&str, &str),
        what: impl Fn(&OfferedFormat) -> Option<u8>,
    ) -> bool {
        self.formats.iter().any(|format| {
            let same = format.key.encoding().eq_ignore_ascii_case(encoding)
                && format.key.is_written_as(encoding, fmtp);
            same && what(format).is_some()
        })
    }
}
