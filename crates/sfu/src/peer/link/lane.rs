//! What a link sends of media: the send streams of its sections, and how a packet is written to one.

use std::time::Instant;

use str0m::{
    format::PayloadParams,
    rtp::{Extension, ExtensionMap},
};

use super::Link;
use crate::{
    extensions::{
        HIGHEST,
        dependency::{DEPENDENCY_URI, DependencySerializer},
    },
    ids::Mid,
    send::{Lane, Named, Names},
    str0m_workarounds::received::{ENGINE_TWCC_URI, TwccSerializer},
    track::{format::Format, packet::Packet, rewriter::Rewritten},
};

impl Link {
    /// The send stream of a section, once both sides have agreed to it.
    pub(crate) fn lane(&mut self, mid: Mid) -> Option<Lane> {
        self.guard(|link| link.find_lane(mid)).flatten()
    }

    fn find_lane(&mut self, mid: Mid) -> Option<Lane> {
        let media = self.rtc.media(mid)?;
        if !media.direction().is_sending() || media.disabled() {
            return None;
        }
        let source = self.sending.source(mid)?;
        let offered = media.remote_pts();
        let mut agreed =
            self.rtc.codec_config().params().iter().filter(|it| offered.contains(&it.pt()));
        let padding = agreed.find_map(PayloadParams::resend).map(|pt| *pt);
        let names = names(media.remote_extmap());
        Some(self.egress.lane(mid, source, (names, padding)))
    }

    /// Nothing that was sent so far is worth sending again: what follows begins anew.
    pub(crate) fn forget_sent(&mut self, lane: Lane) {
        self.egress.forget_sent(lane);
    }

    /// Writes a packet; says whether it is in the outbox now.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        lane: Lane,
        what: (&Packet, Rewritten, Named),
    ) -> bool {
        self.egress.send(now, lane, what, &mut self.outbox)
    }

    /// What a format is called on a section; none if the receiver doesn't know it. Who knows no
    /// redundancy is sent the sound alone.
    pub(crate) fn named(&mut self, lane: Lane, format: Format) -> Option<Named> {
        let stream = self.egress.stream(lane)?;
        let mid = stream.mid();
        if let Some((_, named)) = stream.named.filter(|(known, _)| *known == format) {
            return named;
        }
        let media = self.rtc.media(mid)?;
        let (offered, all) = (media.remote_pts(), self.rtc.codec_config().params());
        let call = |format: Format| {
            all.iter().filter(|params| offered.contains(&params.pt())).find_map(|params| {
                let names = [Some(params.pt()), params.red()];
                let mut names = names.into_iter().flatten().map(|pt| *pt);
                let payload_type = names.find(|pt| Format::new(params, *pt) == Some(format))?;
                Some(Named { format, payload_type, repairs: params.resend().map(|pt| *pt) })
            })
        };
        let named = call(format).or_else(|| format.without_redundancy().and_then(call));
        self.egress.stream(lane)?.named = Some((format, named));
        named
    }
}

/// What extensions are called on a section.
fn names(map: &ExtensionMap) -> Names {
    // A higher one would make each header longer, and none of us gives it out.
    let name = |extension| map.id_of(extension).filter(|id| *id <= HIGHEST);
    Names {
        mid: name(Extension::RtpMid),
        transport_number: name(Extension::with_serializer(ENGINE_TWCC_URI, TwccSerializer)),
        send_time: name(Extension::AbsoluteSendTime),
        audio_level: name(Extension::AudioLevel),
        playout_delay: name(Extension::PlayoutDelay),
        content_type: name(Extension::VideoContentType),
        capture_time: name(Extension::AbsoluteCaptureTime),
        dependency: name(Extension::with_serializer(DEPENDENCY_URI, DependencySerializer)),
    }
}
