//! Builder of a [`Plan`]: assigns sections to slots, chooses payload types, collects SSRCs.

use foldhash::{HashSet, HashSetExt as _};

use super::{
    Description, MediaType, PayloadTypes, SdpDirection, SdpError, Section,
    description::SimulcastEncoding,
    formats::{Codecs, OfferedFormat, offered},
    layout::{ClientSection, Layout, Slot},
    write::{AnnouncedSsrc, EngineMedia, EngineSdp},
};
use crate::extensions;

/// Dynamic payload types (RFC 3551 §6; RFC 5761 §4 for the lower range).
const DYNAMIC: [std::ops::RangeInclusive<u8>; 2] = [96..=127, 35..=63];

/// Encodings per section in a description for str0m.
const MAX_RIDS: usize = 4;
/// SSRCs per section without rids in a description for str0m.
const MAX_SSRCS: usize = 4;

/// A description for str0m, and the layout that applies once str0m has accepted it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) text: String,
    pub(crate) layout: Layout,
    /// SSRCs that the client no longer announces.
    pub(crate) removed_ssrcs: Vec<u32>,
    /// Mids of the client's bundle, without rejected sections.
    pub(crate) bundle: Vec<String>,
}

impl Layout {
    /// Plans how to present a client's offer to str0m.
    pub(crate) fn plan_offer(
        &self,
        offer: &Description<'_>,
        payload_types: &PayloadTypes,
    ) -> Result<Plan, SdpError> {
        let before = self.sections.len();
        let now = offer.sections.len();
        if now < before {
            return Err(SdpError::SectionsMissing { before, now });
        }
        let mut plan = Planner::new(self.clone(), offer, payload_types, false);
        plan.layout.is_bundled = offer.bundle.is_some();
        for (index, section) in offer.sections.iter().enumerate() {
            plan.place_offered(index, section)?;
        }
        plan.finish()
    }

    /// Plans how to present the answer to our offer, which added the `pending` sections.
    pub(crate) fn plan_answer(
        &self,
        answer: &Description<'_>,
        pending: &[(MediaType, String)],
        payload_types: &PayloadTypes,
    ) -> Result<Plan, SdpError> {
        let before = self.sections.len() + pending.len();
        let now = answer.sections.len();
        if now != before {
            return Err(SdpError::SectionsMissing { before, now });
        }
        let mut layout = self.clone();
        for (kind, mid) in pending {
            layout.push_ours(*kind, mid);
        }
        let mut plan = Planner::new(layout, answer, payload_types, true);
        for (index, section) in answer.sections.iter().enumerate() {
            plan.place_answered(index, section)?;
        }
        plan.finish()
    }
}

/// A plan under construction.
pub(super) struct Planner<'a> {
    pub(super) layout: Layout,
    description: &'a Description<'a>,
    payload_types: &'a PayloadTypes,
    is_answer: bool,
    /// The only section that is used without a BUNDLE group.
    unbundled: Option<usize>,
    /// Index of the section in this description that each slot is used for.
    used_for: Vec<Option<usize>>,
    codecs: Codecs,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        layout: Layout,
        description: &'a Description<'a>,
        payload_types: &'a PayloadTypes,
        is_answer: bool,
    ) -> Self {
        let bundle = description.bundle.as_deref();
        let is_usable = |section: &Section<'_>| {
            section.kind != MediaType::Other && !section.is_rejected(bundle)
        };
        let unbundled = description.sections.iter().position(is_usable);
        let used_for = vec![None; layout.slots.len()];
        let codecs = Codecs::new();
        Self { layout, description, payload_types, is_answer, unbundled, used_for, codecs }
    }

    /// Returns whether a section shares the transport that is used.
    fn is_used(&self, index: usize, section: &Section<'_>) -> bool {
        let bundle = self.description.bundle.as_deref();
        let is_bundled = match bundle {
            Some(mids) => mids.contains(&section.mid),
            None => self.is_answer || self.unbundled == Some(index),
        };
        is_bundled && section.kind != MediaType::Other && !section.is_rejected(bundle)
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
            self.codecs.add_section(section)?;
        }
        let known = self.layout.sections.get(index);
        let is_same =
            known.is_some_and(|known| known.mid == section.mid && known.kind == section.kind);
        let in_use = known.filter(|known| known.is_live).and_then(|known| known.slot);
        if in_use.is_some() && !is_same && is_live {
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
            self.use_slot(slot, index, section);
            // A section that we offered can't lose all its formats.
            let is_bare = self.layout.slots.get(slot).is_none_or(|it| it.formats.is_empty());
            if is_media && is_bare {
                return Err(SdpError::NoCommonFormat(number));
            }
        }
        // str0m keeps the slot of a section that is no longer used, as inactive.
        let slot = slot.or_else(|| self.layout.sections.get(index).and_then(|known| known.slot));
        let section = ClientSection::new(section, is_live, slot);
        match self.layout.sections.get_mut(index) {
            Some(known) => *known = section,
            None => self.layout.sections.push(section),
        }
        Ok(())
    }

    pub(super) fn place_answered(
        &mut self,
        index: usize,
        section: &Section<'_>,
    ) -> Result<(), SdpError> {
        let is_used = self.is_used(index, section);
        let Some(known) = self.layout.sections.get_mut(index) else {
            return Err(SdpError::AnswerSectionMismatch(index + 1));
        };
        if known.mid != section.mid || known.media != section.media {
            return Err(SdpError::AnswerSectionMismatch(index + 1));
        }
        known.is_live &= is_used;
        let is_media = known.is_rtp();
        if known.is_live
            && let Some(slot) = known.slot
        {
            self.use_slot(slot, index, section);
            let is_bare = self.layout.slots.get(slot).is_none_or(|it| it.formats.is_empty());
            if is_media && is_bare {
                return Err(SdpError::NoCommonFormat(index + 1));
            }
        }
        Ok(())
    }

    /// Assigns a slot to a section of the client; `None` if str0m can't have another.
    fn make_slot(&mut self, index: usize, section: &Section<'_>) -> Option<usize> {
        let layout = &mut self.layout;
        let before = layout.sections.get(index).and_then(|section| section.slot);
        if section.kind == MediaType::Application {
            // str0m has one SCTP association, for good.
            let existing = layout.slots.iter().position(|it| it.kind == MediaType::Application);
            let Some(existing) = existing else {
                let mid = layout.new_engine_mid(section.mid);
                layout.slots.push(Slot::new(section.kind, mid));
                self.used_for.push(None);
                return Some(layout.slots.len() - 1);
            };
            let is_used = self.used_for.get(existing).is_some_and(Option::is_some)
                || layout.sections.iter().any(|it| it.slot == Some(existing) && it.is_live);
            if is_used {
                return None;
            }
            for section in layout.sections.iter_mut().filter(|it| it.slot == Some(existing)) {
                section.slot = None;
            }
            return Some(existing);
        }
        let mid = layout.new_engine_mid(section.mid);
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
                self.used_for.push(None);
                Some(layout.slots.len() - 1)
            }
        }
    }

    fn use_slot(&mut self, slot: usize, index: usize, section: &Section<'_>) {
        if let Some(used_for) = self.used_for.get_mut(slot) {
            *used_for = Some(index);
        }
        let Some(slot) = self.layout.slots.get_mut(slot) else { return };
        slot.formats = offered(section);
        if self.is_answer || slot.is_ours {
            // The payload types are ours.
            slot.formats.retain_mut(|format| {
                let Some(ours) = self.payload_types.of(format.key) else { return false };
                format.rtx = format.rtx.filter(|rtx| ours.rtx == Some(*rtx));
                format.red = format.red.filter(|red| ours.red == Some(*red));
                ours.payload_type == format.payload_type
            });
        } else {
            slot.formats.retain(|format| self.payload_types.of(format.key).is_some());
        }
        if slot.is_ours {
            return;
        }
        let mut rids: Vec<String> = Vec::new();
        for rid in section.rids.iter().take(MAX_RIDS) {
            // str0m truncates rids; of those that become equal the first counts.
            let truncated = |rid: &str| str0m::media::Rid::from(rid);
            if rids.iter().all(|known| truncated(known) != truncated(rid)) {
                rids.push((*rid).to_owned());
            }
        }
        let simulcast = section.simulcast.iter().filter(|it| rids.iter().any(|rid| rid == it.rid));
        let owned = |it: &SimulcastEncoding<&str>| SimulcastEncoding {
            rid: it.rid.to_owned(),
            is_paused: it.is_paused,
        };
        slot.simulcast = simulcast.map(owned).collect();
        slot.rids = rids;
    }

    pub(super) fn finish(mut self) -> Result<Plan, SdpError> {
        let description = self.description;
        self.layout.codecs.merge(&self.codecs)?;
        if self.layout.slots.is_empty() {
            return Err(SdpError::NoUsableSection);
        }
        let credentials = description.credentials.ok_or(SdpError::NoCredentials)?;
        if description.ice_lite {
            return Err(SdpError::BothIceLite);
        }
        let extensions = extensions(self.used_for.iter().flatten(), description)?;
        let chosen = if self.is_answer { Vec::new() } else { self.choose_payload_types() };
        let mut seen = SeenSsrcs::default();
        let live =
            self.layout.slots.iter().zip(&self.used_for).filter(|(slot, used_for)| {
                used_for.is_some() || slot.kind == MediaType::Application
            });
        let mids = live.map(|(slot, _)| slot.mid.as_str());
        let fingerprint = description.fingerprint.as_ref();
        let mut text = EngineSdp::new(mids, credentials, fingerprint, description.setup);
        let mut removed_ssrcs = Vec::new();
        for (slot, used_for) in self.layout.slots.iter_mut().zip(&self.used_for) {
            let section = used_for.and_then(|index| description.sections.get(index));
            if slot.kind == MediaType::Application {
                text.application(&slot.mid, section.and_then(|it| it.max_message_size));
                continue;
            }
            let media = if slot.kind == MediaType::Audio { "audio" } else { "video" };
            let Some(section) = section else {
                text.rejected(media, &slot.mid);
                continue;
            };
            let ssrcs = seen.announced(section, slot);
            let now: Vec<u32> = ssrcs.iter().map(|announced| announced.ssrc).collect();
            removed_ssrcs.extend(slot.ssrcs.iter().filter(|before| !now.contains(before)));
            slot.ssrcs = now;
            let formats: Vec<OfferedFormat> = if self.is_answer || slot.is_ours {
                slot.formats.clone()
            } else {
                let of = |it: &OfferedFormat| chosen.iter().find(|ours| ours.key == it.key);
                slot.formats.iter().filter_map(of).copied().collect()
            };
            text.media(&EngineMedia {
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
                if !self.layout.negotiated.contains(&format.key) {
                    self.layout.negotiated.push(format.key);
                }
            }
        }
        let bundle = description
            .bundle
            .iter()
            .flatten()
            .filter(|mid| self.layout.sections.iter().any(|it| it.is_live && it.mid == **mid));
        let bundle = bundle.map(|mid| (*mid).to_owned()).collect();
        Ok(Plan { text: text.finish(), layout: self.layout, removed_ssrcs, bundle })
    }

    /// Chooses str0m's payload types for the formats of the client's sections: those negotiated
    /// before; else the client's, unless they are taken; else str0m's.
    ///
    /// Only the client sends on its sections, and it uses the payload types of our answer (RFC 3264
    /// §6.1), so they need not be the ones that it offered.
    fn choose_payload_types(&self) -> Vec<OfferedFormat> {
        let mut taken = [false; 128];
        let mut take = |payload_type: u8| {
            let place = taken.get_mut(usize::from(payload_type));
            place.is_some_and(|taken| !std::mem::replace(taken, true))
        };
        let mut chosen: Vec<OfferedFormat> = Vec::new();
        for key in &self.layout.negotiated {
            let Some(ours) = self.payload_types.of(*key) else { continue };
            for payload_type in [Some(ours.payload_type), ours.rtx, ours.red].into_iter().flatten()
            {
                take(payload_type);
            }
            chosen.push(ours);
        }
        let slots = self.layout.slots.iter().zip(&self.used_for);
        let slots = slots.filter(|(slot, used_for)| !slot.is_ours && used_for.is_some());
        let offered: Vec<&OfferedFormat> = slots.flat_map(|(slot, _)| &slot.formats).collect();
        for format in &offered {
            if chosen.iter().any(|it| it.key == format.key) {
                continue;
            }
            let Some(ours) = self.payload_types.of(format.key) else { continue };
            let same = offered.iter().filter(|it| it.key == format.key);
            let (rtx, red) =
                same.fold((None, None), |(rtx, red), it| (rtx.or(it.rtx), red.or(it.red)));
            let mut choose = |theirs: u8, ours: Option<u8>| {
                let preferred = [Some(theirs), ours].into_iter().flatten();
                preferred.chain(DYNAMIC.into_iter().flatten()).find(|it| take(*it))
            };
            let Some(payload_type) = choose(format.payload_type, Some(ours.payload_type)) else {
                continue;
            };
            chosen.push(OfferedFormat {
                key: format.key,
                payload_type,
                rtx: rtx.and_then(|rtx| choose(rtx, ours.rtx)),
                red: red.and_then(|red| choose(red, ours.red)),
            });
        }
        chosen
    }
}

impl Slot {
    /// Direction for str0m: media flows one way only, from the offerer of the section.
    fn direction(&self, client: SdpDirection) -> SdpDirection {
        match self.is_ours {
            true if client.receives() => SdpDirection::RecvOnly,
            false if client.sends() => SdpDirection::SendOnly,
            _ => SdpDirection::Inactive,
        }
    }

    /// Returns whether str0m can parse the rids: at most eight letters and digits.
    fn has_plain_rids(&self) -> bool {
        let is_plain =
            |rid: &String| rid.len() <= 8 && rid.bytes().all(|it| it.is_ascii_alphanumeric());
        self.rids.iter().all(is_plain)
    }

    fn plain_rids(&self) -> Vec<String> {
        if self.has_plain_rids() { self.rids.clone() } else { Vec::new() }
    }

    fn plain_simulcast(&self) -> Vec<SimulcastEncoding<String>> {
        if self.has_plain_rids() { self.simulcast.clone() } else { Vec::new() }
    }
}

/// SSRCs of a description, without duplicates.
#[derive(Default)]
struct SeenSsrcs(Option<HashSet<u32>>);

impl SeenSsrcs {
    /// SSRCs of a section, each with its RTX SSRC. With rids the packets identify their encoding.
    fn announced(&mut self, section: &Section<'_>, slot: &Slot) -> Vec<AnnouncedSsrc> {
        if slot.is_ours || !section.direction.sends() || !slot.rids.is_empty() {
            return Vec::new();
        }
        let known = self.0.get_or_insert_with(HashSet::new);
        let is_media = |ssrc: &u32| {
            *ssrc != 0
                && section.fid_groups.iter().all(|(_, rtx)| rtx != ssrc)
                && !section.fec_ssrcs.contains(ssrc)
        };
        let mut announced = Vec::new();
        for ssrc in section.ssrcs.iter().filter(|it| is_media(it)).take(MAX_SSRCS) {
            let rtx = section.fid_groups.iter().find(|(media, _)| media == ssrc);
            let rtx = rtx.map(|(_, rtx)| *rtx).filter(|rtx| *rtx != 0 && rtx != ssrc);
            if known.insert(*ssrc) {
                let rtx_ssrc = rtx.filter(|rtx| known.insert(*rtx));
                announced.push(AnnouncedSsrc { ssrc: *ssrc, rtx_ssrc });
            }
        }
        announced
    }
}

/// Feedback that the client supports, by str0m's payload types.
fn feedback<'a>(
    section: &Section<'a>,
    theirs: &[OfferedFormat],
    chosen: &[OfferedFormat],
) -> Vec<(u8, &'a str)> {
    const KNOWN: [&str; 5] = ["transport-cc", "goog-remb", "ccm fir", "nack", "nack pli"];
    let mut feedback = Vec::new();
    for format in theirs {
        let Some(chosen) = chosen.iter().find(|it| it.key == format.key) else { continue };
        for known in KNOWN {
            let offered = section.feedback.iter().find(|(payload_type, value)| {
                payload_type.is_none_or(|it| it == format.payload_type) && *value == known
            });
            if let Some((_, value)) = offered {
                feedback.push((chosen.payload_type, *value));
            }
        }
    }
    feedback
}

/// Header extensions of a bundle by id (RFC 9143 §9.4).
fn extensions<'a>(
    used: impl Iterator<Item = &'a usize>,
    description: &Description<'a>,
) -> Result<[Option<&'a str>; 256], SdpError> {
    let mut uris: [Option<&str>; 256] = [None; 256];
    for section in used.filter_map(|index| description.sections.get(*index)) {
        for (id, uri) in &section.extensions {
            let Some(place) = uris.get_mut(usize::from(*id)) else { continue };
            if place.get_or_insert(uri) != uri {
                return Err(SdpError::ExtensionConflict(*id));
            }
        }
    }
    Ok(uris)
}

/// Extensions of a section in a description for str0m, each under one id.
fn extensions_of<'a>(section: &Section<'a>, uris: &[Option<&'a str>; 256]) -> Vec<(u16, &'a str)> {
    let mut seen: Vec<(u16, &str)> = Vec::new();
    for (id, uri) in &section.extensions {
        let fits = (1..=extensions::MAX_ID.into()).contains(id) && extensions::is_known(uri);
        let first = uris.iter().position(|it| *it == Some(*uri)) == Some(usize::from(*id));
        if fits && first && seen.iter().all(|(_, known)| known != uri) {
            seen.push((*id, uri));
        }
    }
    seen
}
