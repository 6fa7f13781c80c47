//! The sources of a link's sending sections, as they were told in SDP.
//!
//! The engine makes them up and forgets them here: were they its own, it would report on them under
//! numbers that are ours.

use str0m::Rtc;

use crate::{ids::Mid, sdp, send::Source, str0m_workarounds::send_streams};

/// A section and the lines that tell of its source.
#[derive(Debug, Clone)]
struct Section {
    mid: String,
    lines: String,
}

#[derive(Debug, Default)]
pub(super) struct Sending {
    agreed: Vec<Section>,
    /// In the offer that waits for its answer.
    offered: Vec<Section>,
}

impl Sending {
    /// What an offer of ours is to say: of sections that were agreed what was said then.
    pub(super) fn offer(&mut self, text: &str) -> String {
        let (text, mut told) = self.tell(text);
        told.retain(|it| self.agreed.iter().all(|known| known.mid != it.mid));
        self.offered = told;
        text
    }

    /// The offer was taken.
    pub(super) fn agree(&mut self) {
        self.agreed.append(&mut self.offered);
    }

    /// What an answer of ours is to say.
    pub(super) fn answer(&mut self, text: &str) -> String {
        let (text, told) = self.tell(text);
        // An answer names all sections: what is not told of any more is no section of ours.
        self.agreed = told;
        text
    }

    /// Puts what was agreed in place of what the engine says; gives all that is told of then.
    fn tell(&self, text: &str) -> (String, Vec<Section>) {
        let mut told = Vec::new();
        let text = sdp::replace_ssrc_lines(text, |mid, lines| {
            let known = self.agreed.iter().find(|section| section.mid == mid);
            let lines = known.map_or_else(|| sdp::unify_cname(lines), |it| it.lines.clone());
            if !lines.is_empty() {
                told.push(Section { mid: mid.to_owned(), lines: lines.clone() });
            }
            lines
        });
        (text, told)
    }

    /// Takes the engine's send streams from it.
    pub(super) fn take_over(&self, rtc: &mut Rtc) {
        let sections = self.agreed.iter().map(|section| Mid::from(section.mid.as_str()));
        send_streams::remove(rtc, sections);
    }

    pub(super) fn source(&self, mid: Mid) -> Option<Source> {
        let section = self.agreed.iter().find(|section| *section.mid == *mid)?;
        let (ssrc, repairs, cname) = sdp::parse_send_ssrcs(&section.lines)?;
        Some(Source { ssrc, repairs, cname: cname.to_owned() })
    }
}
