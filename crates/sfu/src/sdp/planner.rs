//! The making of a plan: each section of a description in its place, numbers chosen, sources counted.

use foldhash::{HashSet, HashSetExt as _};

use super::{
    Description, MediaType, Numbers, SdpDirection, SdpError, Section,
    formats::{Codecs, OfferedFormat, offered},
    layout::{Layout, LineOfClient, Plan, Slot},
    write::{EngineSection, EngineText},
};
use crate::extensions;

/// Payload types that mean nothing by themselves (RFC 3551 §6, and RFC 5761 §4 for the lower ones).
const DYNAMIC: [std::ops::RangeInclusive<u8>; 2] = [96..=127, 35..=63];

/// Encodings of a section that the engine is told of.
const RIDS: usize = 4;
/// Sources of a section without encodings that the engine is told of.
const SSRCS: usize = 4;

/// A plan in the making.
pub(super) struct Planner<'a> {
    pub(super) layout: Layout,
    description: &'a Description<'a>,
    numbers: &'a Numbers,
    is_answer: bool,
    /// The only section that is taken where there is no group.
    lone: Option<usize>,
    /// What each slot is in this description.
    shown: Vec<Option<usize>>,
    codecs: Codecs,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        layout: Layout,
        description: &'a Description<'a>,
        numbers: &'a Numbers,
        is_answer: bool,
    ) -> Self {
        let bundle = description.bundle.as_deref();
        let usable = |section: &Section<'_>| {
            section.kind != MediaType::Other && !section.is_rejected(bundle)
        };
        let lone = description.sections.iter().position(usable);
        let shown = vec![None; layout.slots.len()];
        let codecs = Codecs::new();
        Self { layout, description, numbers, is_answer, lone, shown, codecs }
    }

    /// Whether a section is to be used as far as its transport goes.
    fn is_used(&self, index: usize, section: &Section<'_>) -> bool {
        let bundle = self.description.bundle.as_deref();
        let bundled = match bundle {
            Some(mids) => mids.contains(&section.mid),
            None => self.is_answer || self.lone == Some(index),
        };
        bundled && section.kind != MediaType::Other && !section.is_rejected(bundle)
    }

    pub(super) fn place_offered(
        &mut self,
        index: usize,
        section: &Section<'_>,
    ) -> Result<(), SdpError> {
        let number = index + 1;
        let mut is_live = self.is_used(index, section);
        let is_media = matches!(section.kind, MediaType::Audio | MediaType::Video);
        if is_live && is_media {
            self.codecs.take(section)?;
        }
        let known = self.layout.lines.get(index);
        let same = known.is_some_and(|line| line.mid == section.mid && line.kind == section.kind);
        let in_use = known.filter(|line| line.is_live).and_then(|line| line.slot);
        if in_use.is_some() && !same && is_live {
            return Err(SdpError::SectionReplaced(number));
        }
        let slot = match in_use {
            Some(slot) => Some(slot),
            None if is_live && (!is_media || !offered(section).is_empty()) => {
                self.make_slot(index, section)
            }
            None => None,
        };
        is_live &= slot.is_some();
        if is_live && let Some(slot) = slot {
            self.show(slot, index, section);
            // A section of ours that has lost all its formats can't go on.
            let is_bare = self.layout.slots.get(slot).is_none_or(|it| it.formats.is_empty());
            if is_media && is_bare {
                return Err(SdpError::NothingInCommon(number));
            }
        }
        // What the engine has in a former place stays there, turned off.
        let slot = slot.or_else(|| self.layout.lines.get(index).and_then(|line| line.slot));
        let line = LineOfClient::new(section, is_live, slot);
        match self.layout.lines.get_mut(index) {
            Some(known) => *known = line,
            None => self.layout.lines.push(line),
        }
        Ok(())
    }

    pub(super) fn place_answered(
        &mut self,
        index: usize,
        section: &Section<'_>,
    ) -> Result<(), SdpError> {
        let used = self.is_used(index, section);
        let Some(line) = self.layout.lines.get_mut(index) else {
            return Err(SdpError::AnswerDiffers(index + 1));
        };
        if line.mid != section.mid || line.media != section.media {
            return Err(SdpError::AnswerDiffers(index + 1));
        }
        line.is_live &= used;
        let is_media = matches!(line.kind, MediaType::Audio | MediaType::Video);
        if let (true, Some(slot)) = (line.is_live, line.slot) {
            self.show(slot, index, section);
            let is_bare = self.layout.slots.get(slot).is_none_or(|it| it.formats.is_empty());
            if is_media && is_bare {
                return Err(SdpError::NothingInCommon(index + 1));
            }
        }
        Ok(())
    }

    /// A place in the engine for a section of the client's; none if there can't be another.
    fn make_slot(&mut self, index: usize, section: &Section<'_>) -> Option<usize> {
        let layout = &mut self.layout;
        let before = layout.lines.get(index).and_then(|line| line.slot);
        if section.kind == MediaType::Application {
            // The engine has one association, which stays.
            let there = layout.slots.iter().position(|it| it.kind == MediaType::Application);
            let Some(there) = there else {
                let mid = layout.name(section.mid);
                layout.slots.push(Slot::new(section.kind, mid));
                self.shown.push(None);
                return Some(layout.slots.len() - 1);
            };
            let used = layout.lines.iter().any(|it| it.slot == Some(there) && it.is_live);
            let used = used || self.shown.get(there).is_some_and(Option::is_some);
            for line in layout.lines.iter_mut().filter(|it| it.slot == Some(there) && !used) {
                line.slot = None;
            }
            return (!used).then_some(there);
        }
        let mid = layout.name(section.mid);
        let slot = Slot::new(section.kind, mid);
        let reused = before.filter(|before| {
            layout.slots.get(*before).is_some_and(|it| it.kind != MediaType::Application)
        });
        match reused.and_then(|at| layout.slots.get_mut(at)) {
            Some(place) => {
                *place = slot;
                reused
            }
            None => {
                layout.slots.push(slot);
                self.shown.push(None);
                Some(layout.slots.len() - 1)
            }
        }
    }

    fn show(&mut self, slot: usize, index: usize, section: &Section<'_>) {
        if let Some(shown) = self.shown.get_mut(slot) {
            *shown = Some(index);
        }
        let Some(it) = self.layout.slots.get_mut(slot) else { return };
        it.formats = offered(section);
        if self.is_answer || it.is_ours {
            // We have named the numbers.
            it.formats.retain_mut(|format| {
                let Some(ours) = self.numbers.of(format.key) else { return false };
                format.rtx = format.rtx.filter(|rtx| ours.rtx == Some(*rtx));
                format.red = format.red.filter(|red| ours.red == Some(*red));
                ours.payload_type == format.payload_type
            });
        } else {
            it.formats.retain(|format| self.numbers.of(format.key).is_some());
        }
        if it.is_ours {
            return;
        }
        let mut rids: Vec<String> = Vec::new();
        for rid in section.rids.iter().take(RIDS) {
            // Of those that the engine can't tell apart one is heard.
            let name = |rid: &str| str0m::media::Rid::from(rid);
            if rids.iter().all(|known| name(known) != name(rid)) {
                rids.push((*rid).to_owned());
            }
        }
        let simulcast = section.simulcast.iter().filter(|(rid, _)| rids.iter().any(|it| it == rid));
        it.simulcast = simulcast.map(|(rid, paused)| ((*rid).to_owned(), *paused)).collect();
        it.rids = rids;
    }

    pub(super) fn finish(mut self) -> Result<Plan, SdpError> {
        let description = self.description;
        self.layout.codecs.agree(&self.codecs)?;
        if self.layout.slots.is_empty() {
            return Err(SdpError::NothingToServe);
        }
        let credentials = description.credentials.ok_or(SdpError::NoCredentials)?;
        if description.ice_lite {
            return Err(SdpError::BothLite);
        }
        let extensions = extensions(self.shown.iter().flatten(), description)?;
        let chosen = if self.is_answer { Vec::new() } else { self.choose_numbers() };
        let mut sources = Sources::default();
        let live = self
            .layout
            .slots
            .iter()
            .zip(&self.shown)
            .filter(|(slot, shown)| shown.is_some() || slot.kind == MediaType::Application);
        let mids = live.map(|(slot, _)| slot.mid.as_str());
        let fingerprint = description.fingerprint.as_ref();
        let mut text = EngineText::new(mids, credentials, fingerprint, description.setup);
        let mut forgotten = Vec::new();
        for (slot, shown) in self.layout.slots.iter_mut().zip(&self.shown) {
            let section = shown.and_then(|index| description.sections.get(index));
            if slot.kind == MediaType::Application {
                text.application(&slot.mid, section.and_then(|it| it.max_message_size));
                continue;
            }
            let media = if slot.kind == MediaType::Audio { "audio" } else { "video" };
            let Some(section) = section else {
                text.rejected(media, &slot.mid);
                continue;
            };
            let ssrcs = sources.of(section, slot);
            let now: Vec<u32> = ssrcs.iter().map(|(ssrc, _)| *ssrc).collect();
            forgotten.extend(slot.ssrcs.iter().filter(|before| !now.contains(before)));
            slot.ssrcs = now;
            let formats: Vec<OfferedFormat> = if self.is_answer || slot.is_ours {
                slot.formats.clone()
            } else {
                let of = |it: &OfferedFormat| chosen.iter().find(|ours| ours.key == it.key);
                slot.formats.iter().filter_map(of).copied().collect()
            };
            text.media(&EngineSection {
                mid: &slot.mid,
                media,
                direction: slot.direction(section.direction),
                feedback: feedback(section, &slot.formats, &formats),
                formats: &formats,
                extensions: extensions_of(section, &extensions),
                rids: slot.plain_rids(),
                simulcast: slot.plain_simulcast(),
                ssrcs: &ssrcs,
            });
            for format in &formats {
                if !self.layout.agreed.contains(&format.key) {
                    self.layout.agreed.push(format.key);
                }
            }
        }
        let bundle =
            description.bundle.iter().flatten().filter(|mid| {
                self.layout.lines.iter().any(|line| line.is_live && line.mid == **mid)
            });
        let bundle = bundle.map(|mid| (*mid).to_owned()).collect();
        Ok(Plan { text: text.finish(), layout: self.layout, forgotten, bundle })
    }

    /// The numbers under which the engine is to know the formats of the client's sections: those that
    /// were agreed; else the client's own, unless they mean something else already; else the engine's.
    /// All of a client's sections are such on which it sends, if anybody, so that what we answer is
    /// what it goes by (RFC 3264 §6.1).
    fn choose_numbers(&self) -> Vec<OfferedFormat> {
        let mut taken = [false; 128];
        let mut take = |number: u8| {
            let place = taken.get_mut(usize::from(number));
            place.is_some_and(|taken| !std::mem::replace(taken, true))
        };
        let mut chosen: Vec<OfferedFormat> = Vec::new();
        for key in &self.layout.agreed {
            let Some(ours) = self.numbers.of(*key) else { continue };
            for number in [Some(ours.payload_type), ours.rtx, ours.red].into_iter().flatten() {
                take(number);
            }
            chosen.push(ours);
        }
        let slots = self.layout.slots.iter().zip(&self.shown);
        let slots = slots.filter(|(slot, shown)| !slot.is_ours && shown.is_some());
        let offered: Vec<&OfferedFormat> = slots.flat_map(|(slot, _)| &slot.formats).collect();
        for format in &offered {
            if chosen.iter().any(|it| it.key == format.key) {
                continue;
            }
            let Some(ours) = self.numbers.of(format.key) else { continue };
            let same = offered.iter().filter(|it| it.key == format.key);
            let (rtx, red) =
                same.fold((None, None), |(rtx, red), it| (rtx.or(it.rtx), red.or(it.red)));
            // Theirs, else the engine's own, else any that is free.
            let mut number = |theirs: u8, ours: Option<u8>| {
                let usual = [Some(theirs), ours].into_iter().flatten();
                usual.chain(DYNAMIC.into_iter().flatten()).find(|number| take(*number))
            };
            let Some(payload_type) = number(format.payload_type, Some(ours.payload_type)) else {
                continue;
            };
            chosen.push(OfferedFormat {
                key: format.key,
                payload_type,
                rtx: rtx.and_then(|rtx| number(rtx, ours.rtx)),
                red: red.and_then(|red| number(red, ours.red)),
            });
        }
        chosen
    }
}

impl Slot {
    /// On sections of the client we send nothing, and on ours we take nothing.
    fn direction(&self, told: SdpDirection) -> SdpDirection {
        match self.is_ours {
            true if told.receives() => SdpDirection::RecvOnly,
            false if told.sends() => SdpDirection::SendOnly,
            _ => SdpDirection::Inactive,
        }
    }

    /// Whether the engine can read the names of its encodings (it takes letters and digits).
    fn has_plain_rids(&self) -> bool {
        let plain =
            |rid: &String| rid.len() <= 8 && rid.bytes().all(|it| it.is_ascii_alphanumeric());
        self.rids.iter().all(plain)
    }

    fn plain_rids(&self) -> Vec<String> {
        if self.has_plain_rids() { self.rids.clone() } else { Vec::new() }
    }

    fn plain_simulcast(&self) -> Vec<(String, bool)> {
        if self.has_plain_rids() { self.simulcast.clone() } else { Vec::new() }
    }
}

/// Sources of a description, each once.
#[derive(Default)]
struct Sources(Option<HashSet<u32>>);

impl Sources {
    /// Those of a section, each with its retransmissions. Of several encodings packets tell by rid.
    fn of(&mut self, section: &Section<'_>, slot: &Slot) -> Vec<(u32, Option<u32>)> {
        if slot.is_ours || !section.direction.sends() || !slot.rids.is_empty() {
            return Vec::new();
        }
        let known = self.0.get_or_insert_with(HashSet::new);
        let is_media = |ssrc: &u32| {
            *ssrc != 0
                && section.fid_groups.iter().all(|(_, rtx)| rtx != ssrc)
                && !section.fec_ssrcs.contains(ssrc)
        };
        let mut sources = Vec::new();
        for ssrc in section.ssrcs.iter().filter(|it| is_media(it)).take(SSRCS) {
            let rtx = section.fid_groups.iter().find(|(media, _)| media == ssrc);
            let rtx = rtx.map(|(_, rtx)| *rtx).filter(|rtx| *rtx != 0 && rtx != ssrc);
            if known.insert(*ssrc) {
                sources.push((*ssrc, rtx.filter(|rtx| known.insert(*rtx))));
            }
        }
        sources
    }
}

/// The feedback that the client wants, by the numbers that the engine is shown.
fn feedback<'a>(
    section: &Section<'a>,
    theirs: &[OfferedFormat],
    shown: &[OfferedFormat],
) -> Vec<(u8, &'a str)> {
    const KNOWN: [&str; 5] = ["transport-cc", "goog-remb", "ccm fir", "nack", "nack pli"];
    let mut feedback = Vec::new();
    for format in theirs {
        let Some(shown) = shown.iter().find(|it| it.key == format.key) else { continue };
        for what in KNOWN {
            let is_wanted = section
                .feedback
                .iter()
                .find(|(of, told)| of.is_none_or(|of| of == format.payload_type) && *told == what);
            if let Some((_, told)) = is_wanted {
                feedback.push((shown.payload_type, *told));
            }
        }
    }
    feedback
}

/// The header extensions of a bundle by their numbers (RFC 9143 §9.4).
fn extensions<'a>(
    shown: impl Iterator<Item = &'a usize>,
    description: &Description<'a>,
) -> Result<[Option<&'a str>; 256], SdpError> {
    let mut meaning: [Option<&str>; 256] = [None; 256];
    for section in shown.filter_map(|index| description.sections.get(*index)) {
        for (id, uri) in &section.extensions {
            let Some(place) = meaning.get_mut(usize::from(*id)) else { continue };
            if place.get_or_insert(uri) != uri {
                return Err(SdpError::ExtensionConflict(*id));
            }
        }
    }
    Ok(meaning)
}

/// The extensions of a section that the engine is to see, each under one number.
fn extensions_of<'a>(
    section: &Section<'a>,
    meaning: &[Option<&'a str>; 256],
) -> Vec<(u16, &'a str)> {
    let mut seen: Vec<(u16, &str)> = Vec::new();
    for (id, uri) in &section.extensions {
        let fits = (1..=14).contains(id) && extensions::is_known(uri);
        let first = meaning.iter().position(|it| *it == Some(*uri)) == Some(usize::from(*id));
        if fits && first && seen.iter().all(|(_, known)| known != uri) {
            seen.push((*id, uri));
        }
    }
    seen
}
