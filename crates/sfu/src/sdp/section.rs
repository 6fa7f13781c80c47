//! Builder of a media section, with a limit for each kind of line.

use super::{
    MediaType, SdpDirection, SdpError, Section,
    attributes::{
        Shared, direction, extension, fingerprint, rtpmap, setup, split_attribute,
        split_payload_type, ssrc, token,
    },
    description::SimulcastEncoding,
    lines::Line,
};

/// Lines of each kind in a section, at least twice as many as browsers write: a camera of Chromium
/// on macOS has 51 payload types, 50 `fmtp`, 90 `rtcp-fb` and 13 `extmap` lines, and 24 `ssrc`
/// lines with three encodings that are announced by SSRC.
const MAX_PAYLOAD_TYPES: usize = 128;
const MAX_FMTPS: usize = 128;
const MAX_FEEDBACK: usize = 256;
const MAX_EXTENSIONS: usize = 32;
const MAX_SSRC_LINES: usize = 64;
const MAX_SSRC_GROUPS: usize = 32;
const MAX_RIDS: usize = 16;
/// A computer with ten interfaces has 40. Candidates are counted and otherwise ignored.
const MAX_CANDIDATES: usize = 64;
/// All other attributes.
const MAX_OTHERS: usize = 256;
/// `ssrc` lines of all sections: 250 sections with four each.
const MAX_SSRC_LINES_TOTAL: usize = 1024;

#[derive(Debug)]
pub(super) struct SectionBuilder<'a> {
    section: Section<'a>,
    number: usize,
    mid: Option<&'a str>,
    direction: Option<SdpDirection>,
    pub(super) ufrag: Option<&'a str>,
    pub(super) pwd: Option<&'a str>,
    has_setup: bool,
    has_simulcast: bool,
    ssrc_lines: usize,
    ssrc_groups: usize,
    rids: usize,
    candidates: usize,
    others: usize,
}

impl<'a> SectionBuilder<'a> {
    pub(super) fn new(section: Section<'a>, number: usize) -> Self {
        Self {
            section,
            number,
            mid: None,
            direction: None,
            ufrag: None,
            pwd: None,
            has_setup: false,
            has_simulcast: false,
            ssrc_lines: 0,
            ssrc_groups: 0,
            rids: 0,
            candidates: 0,
            others: 0,
        }
    }

    pub(super) fn mid(&self) -> Option<&'a str> {
        self.mid
    }

    pub(super) fn attribute(
        &mut self,
        line: Line<'a>,
        shared: &mut Shared,
    ) -> Result<(), SdpError> {
        let (name, value) = split_attribute(line.value);
        let section = &mut self.section;
        let at_most = |count: usize, max: usize, attribute: &'static str| {
            let error = SdpError::TooManyLines { attribute, section: self.number, max };
            if count < max { Ok(()) } else { Err(error) }
        };
        let duplicate =
            |attribute| Err(SdpError::DuplicateAttribute { attribute, section: self.number });
        match name {
            "rtpmap" => {
                at_most(section.rtpmaps.len(), MAX_PAYLOAD_TYPES, "rtpmap")?;
                let map = rtpmap(line, value)?;
                if section.rtpmaps.iter().any(|known| known.payload_type == map.payload_type) {
                    return Err(SdpError::DuplicatePayloadType {
                        payload_type: map.payload_type,
                        section: self.number,
                    });
                }
                section.rtpmaps.push(map);
            }
            "fmtp" => {
                at_most(section.fmtps.len(), MAX_FMTPS, "fmtp")?;
                if let (Some(payload_type), rest) = split_payload_type(line, value, "fmtp")? {
                    section.fmtps.push((payload_type, rest));
                }
            }
            "rtcp-fb" => {
                at_most(section.feedback.len(), MAX_FEEDBACK, "rtcp-fb")?;
                section.feedback.push(split_payload_type(line, value, "rtcp-fb")?);
            }
            "extmap" => {
                at_most(section.extensions.len(), MAX_EXTENSIONS, "extmap")?;
                section.extensions.extend(extension(line, value)?);
            }
            "ssrc" => {
                at_most(self.ssrc_lines, MAX_SSRC_LINES, "ssrc")?;
                self.ssrc_lines += 1;
                shared.ssrc_lines += 1;
                if shared.ssrc_lines > MAX_SSRC_LINES_TOTAL {
                    return Err(SdpError::TooManyLinesTotal {
                        attribute: "ssrc",
                        max: MAX_SSRC_LINES_TOTAL,
                    });
                }
                let ssrc = ssrc(line, value)?;
                if !section.ssrcs.contains(&ssrc) {
                    section.ssrcs.push(ssrc);
                }
            }
            "ssrc-group" => {
                at_most(self.ssrc_groups, MAX_SSRC_GROUPS, "ssrc-group")?;
                self.ssrc_groups += 1;
                let mut parts = value.split(' ');
                let semantics = parts.next();
                let first = parts.next().map(str::parse);
                let second = parts.next().map(str::parse);
                if let (Some(Ok(media)), Some(Ok(other))) = (first, second) {
                    match semantics {
                        Some("FID") => section.fid_groups.push((media, other)),
                        Some("FEC" | "FEC-FR") => section.fec_ssrcs.push(other),
                        _ => {}
                    }
                }
            }
            "rid" => {
                at_most(self.rids, MAX_RIDS, "rid")?;
                self.rids += 1;
                let mut parts = value.split(' ');
                let id = token(line, parts.next().unwrap_or_default(), "rid")?;
                if parts.next() == Some("send") && !section.rids.contains(&id) {
                    section.rids.push(id);
                }
            }
            "simulcast" if self.has_simulcast => return duplicate("simulcast"),
            "simulcast" => {
                self.has_simulcast = true;
                section.simulcast = simulcast(value);
            }
            "candidate" => {
                at_most(self.candidates, MAX_CANDIDATES, "candidate")?;
                self.candidates += 1;
            }
            "mid" if self.mid.is_some() => return duplicate("mid"),
            "mid" => self.mid = Some(token(line, value, "mid")?),
            "setup" if self.has_setup => return duplicate("setup"),
            "setup" => {
                self.has_setup = true;
                let setup = setup(line, value)?;
                shared.setup = shared.setup.or(Some(setup));
            }
            "fingerprint" => {
                self.count_other()?;
                shared.add_fingerprint(fingerprint(line, value)?);
            }
            "ice-ufrag" if self.ufrag.is_some() => return duplicate("ice-ufrag"),
            "ice-ufrag" => self.ufrag = Some(value),
            "ice-pwd" if self.pwd.is_some() => return duplicate("ice-pwd"),
            "ice-pwd" => self.pwd = Some(value),
            "bundle-only" => section.bundle_only = true,
            "max-message-size" => section.max_message_size = value.trim().parse().ok(),
            _ => match direction(name) {
                Some(_) if self.direction.is_some() => return duplicate("direction"),
                Some(found) => self.direction = Some(found),
                None => self.count_other()?,
            },
        }
        Ok(())
    }

    fn count_other(&mut self) -> Result<(), SdpError> {
        self.others += 1;
        if self.others <= MAX_OTHERS {
            return Ok(());
        }
        Err(SdpError::TooManyLines {
            attribute: "other attributes",
            section: self.number,
            max: MAX_OTHERS,
        })
    }

    /// Builds the section, with the direction and extensions of the session part as defaults.
    pub(super) fn finish(
        self,
        direction: Option<SdpDirection>,
        extensions: &[(u16, &'a str)],
    ) -> Result<Section<'a>, SdpError> {
        let mut section = self.section;
        section.mid = self.mid.ok_or(SdpError::NoMid(self.number))?;
        // RFC 8866 §6.7: sendrecv is the default.
        section.direction = self.direction.or(direction).unwrap_or(SdpDirection::SendRecv);
        section.extensions.extend(extensions);
        Ok(section)
    }
}

impl<'a> Section<'a> {
    pub(super) fn empty(
        media: &'a str,
        kind: MediaType,
        protocol: &'a str,
        formats: &'a str,
    ) -> Self {
        Self {
            media,
            kind,
            port: 0,
            protocol,
            formats,
            payload_types: Vec::new(),
            mid: "",
            direction: SdpDirection::SendRecv,
            bundle_only: false,
            rtpmaps: Vec::new(),
            fmtps: Vec::new(),
            feedback: Vec::new(),
            extensions: Vec::new(),
            ssrcs: Vec::new(),
            fid_groups: Vec::new(),
            fec_ssrcs: Vec::new(),
            rids: Vec::new(),
            simulcast: Vec::new(),
            max_message_size: None,
        }
    }
}

/// Simulcast encodings in the send direction; of alternatives the first (RFC 8853 §5.1).
fn simulcast(value: &str) -> Vec<SimulcastEncoding<&str>> {
    let mut parts = value.trim().split(' ');
    while let Some(direction) = parts.next() {
        let Some(streams) = parts.next() else { break };
        if direction != "send" {
            continue;
        }
        let first = |stream: &'_ str| stream.split(',').next().unwrap_or_default().len();
        return streams
            .split(';')
            .take(MAX_RIDS)
            .map(|stream| stream.get(..first(stream)).unwrap_or_default())
            .map(|rid| match rid.strip_prefix('~') {
                Some(rid) => SimulcastEncoding { rid, is_paused: true },
                None => SimulcastEncoding { rid, is_paused: false },
            })
            .filter(|encoding| !encoding.rid.is_empty())
            .collect();
    }
    Vec::new()
}
