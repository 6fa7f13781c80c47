//! Parser of descriptions: one pass over the lines, with a limit for each kind of line.

use super::{
    Description, MediaType, SdpDirection, SdpError, Section,
    attributes::{Shared, direction, extension, fingerprint, setup, split_attribute},
    description::Credentials,
    lines::{Line, lines},
    section::SectionBuilder,
};
use crate::config::Limits;

impl<'a> Description<'a> {
    /// Parses a description (RFC 8866, RFC 8829 §5.8). Ignores unknown lines and attributes.
    pub(crate) fn parse(text: &'a str, limits: &Limits) -> Result<Self, SdpError> {
        if text.len() > limits.sdp_bytes {
            return Err(SdpError::TooLong(limits.sdp_bytes));
        }
        let mut session = Session::default();
        let mut sections: Vec<SectionBuilder<'a>> = Vec::new();
        let mut is_first = true;
        for line in lines(text) {
            let line = line?;
            if std::mem::take(&mut is_first) && (line.letter, line.value) != (b'v', "0") {
                return Err(SdpError::NoVersion);
            }
            if line.letter == b'm' {
                if sections.len() >= limits.sdp_sections {
                    return Err(SdpError::TooManySections(limits.sdp_sections));
                }
                let number = sections.len() + 1;
                sections.push(SectionBuilder::new(media_line(line)?, number));
                continue;
            }
            match (line.letter, sections.last_mut()) {
                (b'a', Some(section)) => section.attribute(line, &mut session.shared)?,
                (b'a', None) => session.attribute(line)?,
                _ => {}
            }
        }
        if is_first {
            return Err(SdpError::NoVersion);
        }
        session.finish(sections)
    }
}

#[derive(Debug, Default)]
struct Session<'a> {
    ice_lite: bool,
    bundle: Option<Vec<&'a str>>,
    ufrag: Option<&'a str>,
    pwd: Option<&'a str>,
    direction: Option<SdpDirection>,
    extensions: Vec<(u16, &'a str)>,
    shared: Shared,
}

impl<'a> Session<'a> {
    fn attribute(&mut self, line: Line<'a>) -> Result<(), SdpError> {
        let (name, value) = split_attribute(line.value);
        match name {
            "ice-lite" => self.ice_lite = true,
            "group" => {
                if let Some(mids) = value.strip_prefix("BUNDLE") {
                    self.bundle = Some(mids.split(' ').filter(|mid| !mid.is_empty()).collect());
                }
            }
            "ice-ufrag" => self.ufrag = Some(value),
            "ice-pwd" => self.pwd = Some(value),
            "extmap" if self.extensions.len() < 64 => {
                self.extensions.extend(extension(line, value)?);
            }
            "fingerprint" => self.shared.add_fingerprint(fingerprint(line, value)?),
            "setup" => self.shared.setup = Some(setup(line, value)?),
            _ => self.direction = direction(name).or(self.direction),
        }
        Ok(())
    }

    fn finish(self, builders: Vec<SectionBuilder<'a>>) -> Result<Description<'a>, SdpError> {
        let mut credentials = credentials(self.ufrag, self.pwd);
        let mut sections: Vec<Section<'a>> = Vec::with_capacity(builders.len());
        // The first section of the bundle is authoritative (RFC 9143 §7.2).
        let tagged = self.bundle.as_ref().and_then(|mids| mids.first()).copied();
        let mut found = None;
        for builder in builders {
            let own = credentials_of(&builder);
            let is_tagged = tagged.is_some() && builder.mid() == tagged;
            if own.is_some() && (is_tagged || found.is_none()) {
                found = own;
            }
            sections.push(builder.finish(self.direction, &self.extensions)?);
        }
        credentials = found.or(credentials);
        if sections.is_empty() {
            return Err(SdpError::NoSections);
        }
        let mut mids: Vec<(&str, usize)> =
            sections.iter().zip(1..).map(|(section, number)| (section.mid, number)).collect();
        mids.sort_unstable();
        for pair in mids.windows(2) {
            if let [(first, one), (second, other)] = pair
                && first == second
            {
                return Err(SdpError::DuplicateMid(*one, *other));
            }
        }
        Ok(Description {
            ice_lite: self.ice_lite,
            bundle: self.bundle,
            fingerprint: self.shared.fingerprint,
            credentials,
            setup: self.shared.setup,
            sections,
        })
    }
}

fn credentials_of<'a>(builder: &SectionBuilder<'a>) -> Option<Credentials<'a>> {
    credentials(builder.ufrag, builder.pwd)
}

/// Credentials with the length and the characters that RFC 8839 §5.4 requires.
fn credentials<'a>(ufrag: Option<&'a str>, pwd: Option<&'a str>) -> Option<Credentials<'a>> {
    // Wider than ice-char, as some clients use other base64 alphabets.
    let is_ice = |text: &str| text.bytes().all(|it| it.is_ascii_graphic());
    let ufrag = ufrag.filter(|it| (4..=256).contains(&it.len()) && is_ice(it))?;
    let pwd = pwd.filter(|it| (22..=256).contains(&it.len()) && is_ice(it))?;
    Some(Credentials { ufrag, pwd })
}

fn media_line(line: Line<'_>) -> Result<Section<'_>, SdpError> {
    let bad = SdpError::MalformedMediaLine(line.number);
    let mut parts = line.value.splitn(4, ' ');
    let (Some(media), Some(port), Some(protocol), Some(formats)) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(bad);
    };
    // The number of ports (RFC 8866 §5.14) is meaningless here.
    let port = port.split_once('/').map_or(port, |(port, _)| port);
    let Ok(port) = port.parse() else { return Err(bad) };
    if media.is_empty() || media.len() > 32 || protocol.len() > 64 || formats.trim().is_empty() {
        return Err(bad);
    }
    let kind = match media {
        "audio" if is_rtp(protocol) => MediaType::Audio,
        "video" if is_rtp(protocol) => MediaType::Video,
        "application" if protocol.ends_with("DTLS/SCTP") => MediaType::Application,
        _ => MediaType::Other,
    };
    let is_media = matches!(kind, MediaType::Audio | MediaType::Video);
    let mut payload_types = Vec::new();
    for format in formats.split(' ').filter(|it| is_media && !it.is_empty()) {
        let payload_type = format.parse::<u8>().ok().filter(|it| *it < 128);
        let Some(payload_type) = payload_type else { return Err(bad) };
        if !payload_types.contains(&payload_type) {
            payload_types.push(payload_type);
        }
    }
    Ok(Section { port, payload_types, ..Section::empty(media, kind, protocol, formats) })
}

/// RTP profiles over DTLS (RFC 8829 §5.1.2).
fn is_rtp(protocol: &str) -> bool {
    matches!(
        protocol,
        "UDP/TLS/RTP/SAVPF" | "UDP/TLS/RTP/SAVP" | "TCP/DTLS/RTP/SAVPF" | "TCP/DTLS/RTP/SAVP"
    )
}
