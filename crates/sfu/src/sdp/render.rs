//! Descriptions for the client: str0m's text with the client's order, mids and payload types.

use std::fmt::Write as _;

use super::{
    Layout, MediaType, description,
    layout::{ClientSection, Slot, WrittenFormat},
};

impl Layout {
    /// Renders str0m's answer for the client.
    pub(crate) fn render_answer(&self, text: &str, bundle: &[String]) -> String {
        render(self, text, &[], self.is_bundled.then_some(bundle))
    }

    /// Renders str0m's offer for the client; `pending` are the sections that it adds.
    pub(crate) fn render_offer(&self, text: &str, pending: &[(MediaType, String)]) -> String {
        let live = self.sections.iter().filter(|section| section.is_live);
        let live = live.map(|section| section.mid.clone());
        let mids: Vec<String> = live.chain(pending.iter().map(|(_, mid)| mid.clone())).collect();
        render(self, text, pending, Some(&mids))
    }
}

/// Renders str0m's text for a client. `bundle` has the mids of the BUNDLE group, if there is one.
fn render(
    layout: &Layout,
    text: &str,
    pending: &[(MediaType, String)],
    bundle: Option<&[String]>,
) -> String {
    let (head, sections) = split(text);
    let mut out = String::with_capacity(text.len() + 256);
    for line in head.split_inclusive("\r\n") {
        if let Some((_engine, rest)) = line.split_once(' ').filter(|_| line.starts_with("o=")) {
            let _ = write!(out, "o=- {rest}");
        } else if !line.starts_with("a=group:") {
            out.push_str(line);
        } else if let Some(mids) = bundle.filter(|mids| !mids.is_empty()) {
            let _ = write!(out, "a=group:BUNDLE {}\r\n", mids.join(" "));
        }
    }
    let of = |mid: &str| sections.iter().find(|section| section.mid == mid);
    // They belong to the first section of the bundle (RFC 9143 §9.2), wherever str0m puts them.
    let candidates: Vec<&str> = sections.iter().flat_map(EngineSection::candidates).collect();
    let first = bundle.and_then(|mids| mids.first()).map(String::as_str);
    let first_live = || layout.sections.iter().find(|client| client.is_live);
    let first = first.or_else(|| first_live().map(|client| client.mid.as_str()));
    for client in &layout.sections {
        let slot = client.slot.and_then(|slot| layout.slots.get(slot)).filter(|_| client.is_live);
        let found = slot.and_then(|slot| Some((slot, of(&slot.mid)?)));
        match found.filter(|(_, section)| section.is_live) {
            Some((slot, section)) if !slot.is_ours => section.write(&mut out, client, slot),
            Some((_, section)) => section.write_ours(&mut out),
            None => reject(&mut out, client),
        }
        if first == Some(&client.mid) {
            candidates.iter().for_each(|line| out.push_str(line));
        }
    }
    for section in pending.iter().filter_map(|(_, mid)| of(mid)) {
        section.write_ours(&mut out);
        if first == Some(section.mid) {
            candidates.iter().for_each(|line| out.push_str(line));
        }
    }
    out
}

/// Writes a rejected section (RFC 3264 §6).
fn reject(out: &mut String, client: &ClientSection) {
    let ClientSection { media, protocol, mid, .. } = client;
    // Some clients require an rtpmap for each dynamic payload type, even here.
    let formats = if client.is_rtp() { "0" } else { &client.formats };
    let _ = write!(out, "m={media} 0 {protocol} {formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n");
    if matches!(media.as_str(), "audio" | "video") {
        out.push_str("a=inactive\r\n");
    }
}

/// A section of str0m's text.
struct EngineSection<'a> {
    mid: &'a str,
    is_live: bool,
    text: &'a str,
}

/// Splits a description into its session part and its sections.
fn split(text: &str) -> (&str, Vec<EngineSection<'_>>) {
    let mut starts: Vec<usize> = text.match_indices("\r\nm=").map(|(at, _)| at + 2).collect();
    let head = text.get(..starts.first().copied().unwrap_or(text.len())).unwrap_or_default();
    starts.push(text.len());
    let sections = starts.windows(2).filter_map(|pair| {
        let [start, end] = pair else { return None };
        let text = text.get(*start..*end)?;
        let mid = text.split("\r\n").find_map(|line| line.strip_prefix("a=mid:"))?;
        let is_live = text.split(' ').nth(1) != Some("0");
        Some(EngineSection { mid, is_live, text })
    });
    (head, sections.collect())
}

impl<'a> EngineSection<'a> {
    fn candidates(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let lines = self.text.split_inclusive("\r\n");
        lines.filter(|line| is_candidate(line))
    }

    /// Writes a section that we offer.
    fn write_ours(&self, out: &mut String) {
        let lines = self.text.split_inclusive("\r\n");
        lines.filter(|line| !is_candidate(line)).for_each(|line| out.push_str(line));
    }

    /// Writes the answer to a section that the client offers.
    fn write(&self, out: &mut String, client: &ClientSection, slot: &Slot) {
        let mut answered: Option<AnsweredTypes> = None;
        for text in self.text.split_inclusive("\r\n") {
            if text.starts_with("m=") {
                let ClientSection { media, protocol, formats, .. } = client;
                let payload_types = if media == "application" {
                    formats.clone()
                } else {
                    let found = AnsweredTypes::new(self.text, slot);
                    let payload_types = found.of_media_line(text);
                    answered = Some(found);
                    payload_types
                };
                let _ = write!(out, "m={media} 9 {protocol} {payload_types}\r\n");
            } else if text.starts_with("a=mid:") {
                let _ = write!(out, "a=mid:{}\r\n", client.mid);
            } else if let Some(payload_type) = payload_type(text) {
                if answered.as_ref().is_none_or(|it| it.contains(payload_type)) {
                    out.push_str(text);
                }
            } else if !is_candidate(text) && !is_replaced(text) {
                out.push_str(text);
            }
        }
        if !slot.simulcast.is_empty() {
            for rid in &slot.rids {
                let _ = write!(out, "a=rid:{rid} recv\r\n");
            }
            let _ = write!(out, "a=simulcast:recv {}\r\n", description::join(&slot.simulcast));
        }
    }
}

fn is_candidate(line: &str) -> bool {
    line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates")
}

/// Returns whether str0m's line is left out: about its own media, or about encodings by its own
/// rids.
fn is_replaced(line: &str) -> bool {
    ["a=msid:", "a=rid:", "a=simulcast:"].iter().any(|name| line.starts_with(name))
}

/// The payload type that a line is about.
fn payload_type(line: &str) -> Option<u8> {
    let value =
        ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|name| line.strip_prefix(name))?;
    value.split(' ').next()?.parse().ok()
}

/// Payload types of str0m's section that the client offered. str0m negotiates RTX and RED once for
/// all sections, but the client may not offer them in each.
struct AnsweredTypes([bool; 128]);

impl AnsweredTypes {
    fn new(text: &str, slot: &Slot) -> Self {
        let mut answered = [true; 128];
        let has_rtx = |of: u8| find(text, of).is_none_or(|it| slot.offers(it, |it| it.rtx));
        let has_red = |of: u8| find(text, of).is_none_or(|it| slot.offers(it, |it| it.red));
        for line in text.split("\r\n") {
            let Some((payload_type, value)) =
                line.strip_prefix("a=fmtp:").and_then(|line| line.split_once(' '))
            else {
                continue;
            };
            let keep = if let Some(apt) = value.strip_prefix("apt=") {
                apt.trim().parse().is_ok_and(has_rtx)
            } else if let Some((first, _)) = value.split_once('/') {
                first.parse().is_ok_and(has_red)
            } else {
                true
            };
            let index = payload_type.parse::<usize>().ok();
            let place = index.and_then(|index| answered.get_mut(index));
            if let Some(place) = place {
                *place = keep;
            }
        }
        Self(answered)
    }

    fn contains(&self, payload_type: u8) -> bool {
        self.0.get(usize::from(payload_type)).copied().unwrap_or(false)
    }

    /// The contained payload types of a media line, in its order.
    fn of_media_line(&self, media_line: &str) -> String {
        let types = media_line.trim_end().split(' ').skip(3);
        let types = types.filter(|it| it.parse().is_ok_and(|it| self.contains(it)));
        types.collect::<Vec<_>>().join(" ")
    }
}

/// The format that str0m writes for a payload type.
fn find(text: &str, payload_type: u8) -> Option<WrittenFormat<'_>> {
    let value = |name: &str| {
        let prefix = format!("{name}{payload_type} ");
        text.split("\r\n").find_map(|line| line.strip_prefix(&prefix))
    };
    let encoding = value("a=rtpmap:")?;
    Some(WrittenFormat { encoding, fmtp: value("a=fmtp:").unwrap_or_default() })
}
