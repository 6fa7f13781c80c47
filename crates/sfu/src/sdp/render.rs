//! Descriptions as clients are given them: the engine's text in the client's order and names.

use std::fmt::Write as _;

use super::{
    Layout, MediaType,
    layout::{LineOfClient, Slot},
};

/// The engine's text for a client. A bundle is of these sections, if there is to be a group.
pub(super) fn render(
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
    // By these the bundle's first section is reached (RFC 9143 §9.2), wherever the engine has put them.
    let candidates: Vec<&str> = sections.iter().flat_map(Engine::candidates).collect();
    let first = bundle.and_then(|mids| mids.first()).map(String::as_str);
    let first = first
        .or_else(|| layout.lines.iter().find(|line| line.is_live).map(|line| line.mid.as_str()));
    for line in &layout.lines {
        let slot = line.slot.and_then(|slot| layout.slots.get(slot)).filter(|_| line.is_live);
        let found = slot.and_then(|slot| Some((slot, of(&slot.mid)?)));
        match found.filter(|(_, section)| section.is_live) {
            Some((slot, section)) => section.write(&mut out, Some((line, slot))),
            None => reject(&mut out, line),
        }
        if first == Some(&line.mid) {
            candidates.iter().for_each(|line| out.push_str(line));
        }
    }
    for section in pending.iter().filter_map(|(_, mid)| of(mid)) {
        section.write(&mut out, None);
        if first == Some(section.mid) {
            candidates.iter().for_each(|line| out.push_str(line));
        }
    }
    out
}

/// A section that is not used (RFC 3264 §6).
fn reject(out: &mut String, line: &LineOfClient) {
    let LineOfClient { media, protocol, mid, .. } = line;
    // Some clients want each format mapped, even where none is used, but for the static ones.
    let formats = if line.is_rtp() { "0" } else { &line.formats };
    let _ = write!(out, "m={media} 0 {protocol} {formats}\r\nc=IN IP4 0.0.0.0\r\na=mid:{mid}\r\n");
    if matches!(media.as_str(), "audio" | "video") {
        out.push_str("a=inactive\r\n");
    }
}

/// A section of the engine's text.
struct Engine<'a> {
    mid: &'a str,
    is_live: bool,
    text: &'a str,
}

/// The session's part and the sections.
fn split(text: &str) -> (&str, Vec<Engine<'_>>) {
    let mut starts: Vec<usize> = text.match_indices("\r\nm=").map(|(at, _)| at + 2).collect();
    let head = text.get(..starts.first().copied().unwrap_or(text.len())).unwrap_or_default();
    starts.push(text.len());
    let sections = starts.windows(2).filter_map(|pair| {
        let [start, end] = pair else { return None };
        let text = text.get(*start..*end)?;
        let mid = text.split("\r\n").find_map(|line| line.strip_prefix("a=mid:"))?;
        let is_live = text.split(' ').nth(1) != Some("0");
        Some(Engine { mid, is_live, text })
    });
    (head, sections.collect())
}

impl<'a> Engine<'a> {
    fn candidates(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let lines = self.text.split_inclusive("\r\n");
        lines.filter(|line| is_candidate(line))
    }

    /// Writes it, for a section that the client has offered in the client's terms.
    fn write(&self, out: &mut String, of: Option<(&LineOfClient, &Slot)>) {
        let Some((line, slot)) = of.filter(|(_, slot)| !slot.is_ours) else {
            let lines = self.text.split_inclusive("\r\n");
            lines.filter(|line| !is_candidate(line)).for_each(|line| out.push_str(line));
            return;
        };
        let mut allowed: Option<Allowed> = None;
        for text in self.text.split_inclusive("\r\n") {
            if text.starts_with("m=") {
                let LineOfClient { media, protocol, formats, .. } = line;
                let numbers = if media == "application" {
                    formats.clone()
                } else {
                    let found = Allowed::new(self.text, slot);
                    let numbers = found.in_order(text);
                    allowed = Some(found);
                    numbers
                };
                let _ = write!(out, "m={media} 9 {protocol} {numbers}\r\n");
            } else if text.starts_with("a=mid:") {
                let _ = write!(out, "a=mid:{}\r\n", line.mid);
            } else if let Some(number) = payload_type(text) {
                if allowed.as_ref().is_none_or(|it| it.has(number)) {
                    out.push_str(text);
                }
            } else if !is_candidate(text) && !is_ours(text) {
                out.push_str(text);
            }
        }
        if !slot.simulcast.is_empty() {
            for rid in &slot.rids {
                let _ = write!(out, "a=rid:{rid} recv\r\n");
            }
            let streams = slot.simulcast.iter();
            let streams: Vec<String> = streams
                .map(|(rid, paused)| format!("{}{rid}", if *paused { "~" } else { "" }))
                .collect();
            let _ = write!(out, "a=simulcast:recv {}\r\n", streams.join(";"));
        }
    }
}

fn is_candidate(line: &str) -> bool {
    line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates")
}

/// What the engine says of what it would send, or of encodings in its own words.
fn is_ours(line: &str) -> bool {
    ["a=msid:", "a=rid:", "a=simulcast:"].iter().any(|name| line.starts_with(name))
}

/// The payload type that a line is of.
fn payload_type(line: &str) -> Option<u8> {
    let value =
        ["a=rtpmap:", "a=fmtp:", "a=rtcp-fb:"].iter().find_map(|name| line.strip_prefix(name))?;
    value.split(' ').next()?.parse().ok()
}

/// The numbers of an engine's section that answer something offered: retransmissions are agreed for a
/// format once, but one section may not know them.
struct Allowed([bool; 128]);

impl Allowed {
    fn new(text: &str, slot: &Slot) -> Self {
        let mut allowed = [true; 128];
        let knows_rtx = |of: u8| find(text, of).is_none_or(|name| slot.knows(name, |it| it.rtx));
        let knows_red = |of: u8| find(text, of).is_none_or(|name| slot.knows(name, |it| it.red));
        for line in text.split("\r\n") {
            let Some((number, value)) =
                line.strip_prefix("a=fmtp:").and_then(|line| line.split_once(' '))
            else {
                continue;
            };
            let keep = if let Some(apt) = value.strip_prefix("apt=") {
                apt.trim().parse().is_ok_and(knows_rtx)
            } else if let Some((first, _)) = value.split_once('/') {
                first.parse().is_ok_and(knows_red)
            } else {
                true
            };
            let place = number.parse::<usize>().ok().and_then(|it| allowed.get_mut(it));
            if let Some(place) = place {
                *place = keep;
            }
        }
        Self(allowed)
    }

    fn has(&self, number: u8) -> bool {
        self.0.get(usize::from(number)).copied().unwrap_or(false)
    }

    /// Those of a media line.
    fn in_order(&self, media_line: &str) -> String {
        let numbers = media_line.trim_end().split(' ').skip(3);
        let numbers = numbers.filter(|it| it.parse().is_ok_and(|number| self.has(number)));
        numbers.collect::<Vec<_>>().join(" ")
    }
}

/// The encoding of a payload type and its parameters, as the engine writes them.
fn find(text: &str, number: u8) -> Option<(&str, &str)> {
    let value = |name: &str| {
        let prefix = format!("{name}{number} ");
        text.split("\r\n").find_map(|line| line.strip_prefix(&prefix))
    };
    Some((value("a=rtpmap:")?, value("a=fmtp:").unwrap_or_default()))
}
