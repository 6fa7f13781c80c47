//! A section as its lines come in, and how many there may be of each kind.

use super::{
    MediaType, SdpDirection, SdpError, Section,
    lines::Line,
    parse::{
        Shared, direction, extension, fingerprint, of_payload_type, rtpmap, setup, split_attribute,
        ssrc, token,
    },
};

/// Lines of a section by kind, twice of what browsers write or more: a camera of Chromium on macOS has
/// 51 payload types, 50 `fmtp`, 90 `rtcp-fb` and 13 `extmap` lines, and with three encodings under
/// names that are written into it 24 of `ssrc`.
const PAYLOAD_TYPES: usize = 128;
const FMTPS: usize = 128;
const FEEDBACK: usize = 256;
const EXTENSIONS: usize = 32;
const SSRCS: usize = 64;
const SSRC_GROUPS: usize = 32;
const RIDS: usize = 16;
/// A computer with ten interfaces tells of 40; they are counted, and otherwise passed over.
const CANDIDATES: usize = 64;
/// Others, of meaning or none.
const OTHERS: usize = 256;
/// `ssrc` lines of all sections: 250 sections with four of them.
const SSRCS_IN_ALL: usize = 1024;

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
        let it = &mut self.section;
        let at_most = |count: usize, most: usize, attribute: &'static str| {
            let error = SdpError::TooManyLines { attribute, section: self.number, most };
            if count < most { Ok(()) } else { Err(error) }
        };
        let twice = |attribute| Err(SdpError::Twice { attribute, section: self.number });
        match name {
            "rtpmap" => {
                at_most(it.rtpmaps.len(), PAYLOAD_TYPES, "rtpmap")?;
                let map = rtpmap(line, value)?;
                if it.rtpmaps.iter().any(|known| known.payload_type == map.payload_type) {
                    let payload_type = map.payload_type;
                    let section = self.number;
                    return Err(SdpError::PayloadTypeTwice { payload_type, section });
                }
                it.rtpmaps.push(map);
            }
            "fmtp" => {
                at_most(it.fmtps.len(), FMTPS, "fmtp")?;
                if let (Some(payload_type), rest) = of_payload_type(line, value, "fmtp")? {
                    it.fmtps.push((payload_type, rest));
                }
            }
            "rtcp-fb" => {
                at_most(it.feedback.len(), FEEDBACK, "rtcp-fb")?;
                it.feedback.push(of_payload_type(line, value, "rtcp-fb")?);
            }
            "extmap" => {
                at_most(it.extensions.len(), EXTENSIONS, "extmap")?;
                it.extensions.extend(extension(line, value)?);
            }
            "ssrc" => {
                at_most(self.ssrc_lines, SSRCS, "ssrc")?;
                self.ssrc_lines += 1;
                shared.ssrc_lines += 1;
                if shared.ssrc_lines > SSRCS_IN_ALL {
                    return Err(SdpError::TooManyInAll { attribute: "ssrc", most: SSRCS_IN_ALL });
                }
                let ssrc = ssrc(line, value)?;
                if !it.ssrcs.contains(&ssrc) {
                    it.ssrcs.push(ssrc);
                }
            }
            "ssrc-group" => {
                at_most(self.ssrc_groups, SSRC_GROUPS, "ssrc-group")?;
                self.ssrc_groups += 1;
                let mut parts = value.split(' ');
                let semantics = parts.next();
                let pair = (parts.next().map(str::parse), parts.next().map(str::parse));
                if let (Some(Ok(media)), Some(Ok(other))) = pair {
                    match semantics {
                        Some("FID") => it.fid_groups.push((media, other)),
                        Some("FEC" | "FEC-FR") => it.fec_ssrcs.push(other),
                        _ => {}
                    }
                }
            }
            "rid" => {
                at_most(self.rids, RIDS, "rid")?;
                self.rids += 1;
                let mut parts = value.split(' ');
                let id = token(line, parts.next().unwrap_or_default(), "rid")?;
                if parts.next() == Some("send") && !it.rids.contains(&id) {
                    it.rids.push(id);
                }
            }
            "simulcast" if self.has_simulcast => return twice("simulcast"),
            "simulcast" => {
                self.has_simulcast = true;
                it.simulcast = simulcast(value);
            }
            "candidate" => {
                at_most(self.candidates, CANDIDATES, "candidate")?;
                self.candidates += 1;
            }
            "mid" if self.mid.is_some() => return twice("mid"),
            "mid" => self.mid = Some(token(line, value, "mid")?),
            "setup" if self.has_setup => return twice("setup"),
            "setup" => {
                self.has_setup = true;
                let setup = setup(line, value)?;
                shared.setup = shared.setup.or(Some(setup));
            }
            "fingerprint" => {
                self.count_other(name)?;
                shared.fingerprint(fingerprint(line, value)?);
            }
            "ice-ufrag" if self.ufrag.is_some() => return twice("ice-ufrag"),
            "ice-ufrag" => self.ufrag = Some(value),
            "ice-pwd" if self.pwd.is_some() => return twice("ice-pwd"),
            "ice-pwd" => self.pwd = Some(value),
            "bundle-only" => it.bundle_only = true,
            "max-message-size" => it.max_message_size = value.trim().parse().ok(),
            _ => match direction(name) {
                Some(_) if self.direction.is_some() => return twice("direction"),
                Some(found) => self.direction = Some(found),
                None => self.count_other(name)?,
            },
        }
        Ok(())
    }

    fn count_other(&mut self, _name: &str) -> Result<(), SdpError> {
        self.others += 1;
        if self.others <= OTHERS {
            return Ok(());
        }
        let (attribute, section) = ("other attributes", self.number);
        Err(SdpError::TooManyLines { attribute, section, most: OTHERS })
    }

    /// The section, with what it has from the session's part.
    pub(super) fn finish(
        self,
        direction: Option<SdpDirection>,
        extensions: &[(u16, &'a str)],
    ) -> Result<Section<'a>, SdpError> {
        let mut section = self.section;
        section.mid = self.mid.ok_or(SdpError::NoMid(self.number))?;
        // RFC 8866 §6.7.
        let usual = SdpDirection::SendRecv;
        section.direction = self.direction.or(direction).unwrap_or(usual);
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

/// The encodings that are sent at once, of alternatives the first (RFC 8853 §5.1).
fn simulcast(value: &str) -> Vec<(&str, bool)> {
    let mut parts = value.trim().split(' ');
    while let Some(direction) = parts.next() {
        let Some(streams) = parts.next() else { break };
        if direction != "send" {
            continue;
        }
        let first = |stream: &'_ str| stream.split(',').next().unwrap_or_default().len();
        return streams
            .split(';')
            .take(RIDS)
            .map(|stream| stream.get(..first(stream)).unwrap_or_default())
            .map(|rid| rid.strip_prefix('~').map_or((rid, false), |rid| (rid, true)))
            .filter(|(rid, _)| !rid.is_empty())
            .collect();
    }
    Vec::new()
}
