//! SSRCs of our sending sections, as announced in SDP.
//!
//! str0m generates them and forgets them here, where the [egress](crate::send) takes over:
//! otherwise str0m would send reports on SSRCs that are ours.

use str0m::Rtc;

use crate::{ids::Mid, sdp, send::SendSsrcs, str0m_workarounds::send_streams};

/// A section and its `ssrc` lines.
#[derive(Debug, Clone)]
struct Section {
    mid: String,
    lines: String,
}

#[derive(Debug, Default)]
pub(super) struct AnnouncedSsrcs {
    negotiated: Vec<Section>,
    /// Sections that the pending offer adds.
    offered: Vec<Section>,
}

impl AnnouncedSsrcs {
    /// Rewrites the `ssrc` lines of our offer: negotiated sections keep theirs.
    pub(super) fn rewrite_offer(&mut self, text: &str) -> String {
        let (text, mut sections) = self.rewrite(text);
        sections.retain(|it| self.negotiated.iter().all(|known| known.mid != it.mid));
        self.offered = sections;
        text
    }

    /// Applies the pending offer, as it was answered.
    pub(super) fn accept_offered(&mut self) {
        self.negotiated.append(&mut self.offered);
    }

    /// Rewrites the `ssrc` lines of our answer.
    pub(super) fn rewrite_answer(&mut self, text: &str) -> String {
        let (text, sections) = self.rewrite(text);
        // An answer has all sections: one without SSRCs is no longer ours.
        self.negotiated = sections;
        text
    }

    /// Replaces str0m's `ssrc` lines by the negotiated ones. Returns all sections that have some.
    fn rewrite(&self, text: &str) -> (String, Vec<Section>) {
        let mut sections = Vec::new();
        let text = sdp::replace_ssrc_lines(text, |mid, lines| {
            let known = self.negotiated.iter().find(|section| section.mid == mid);
            let lines =
                known.map_or_else(|| sdp::unify_cname(lines), |section| section.lines.clone());
            if !lines.is_empty() {
                sections.push(Section { mid: mid.to_owned(), lines: lines.clone() });
            }
            lines
        });
        (text, sections)
    }

    /// Removes the send streams of str0m.
    pub(super) fn remove_from(&self, rtc: &mut Rtc) {
        let sections = self.negotiated.iter().map(|section| Mid::from(section.mid.as_str()));
        send_streams::remove(rtc, sections);
    }

    pub(super) fn find(&self, mid: Mid) -> Option<SendSsrcs> {
        let section = self.negotiated.iter().find(|section| *section.mid == *mid)?;
        let (ssrc, rtx_ssrc, cname) = sdp::parse_send_ssrcs(&section.lines)?;
        Some(SendSsrcs { ssrc, rtx_ssrc, cname: cname.to_owned() })
    }
}
