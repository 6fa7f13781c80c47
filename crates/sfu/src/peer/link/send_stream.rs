//! Send streams of a link: their negotiated ids and payload types, read from str0m.

use std::time::Instant;

use str0m::{
    format::PayloadParams,
    rtp::{Extension, ExtensionMap},
};

use super::Link;
use crate::{
    extensions::{
        self,
        dependency::{DEPENDENCY_URI, DependencySerializer},
    },
    ids::Mid,
    send::{ExtensionIds, FormatLookup, NegotiatedFormat, Outgoing, SendStreamId},
    str0m_workarounds::received::{STR0M_TWCC_URI, TwccSerializer},
    track::format::Format,
};

impl Link {
    /// The send stream of a section, once it is negotiated.
    pub(crate) fn send_stream(&mut self, mid: Mid) -> Option<SendStreamId> {
        self.guard(|link| link.find_send_stream(mid)).flatten()
    }

    fn find_send_stream(&mut self, mid: Mid) -> Option<SendStreamId> {
        let media = self.rtc.media(mid)?;
        if !media.direction().is_sending() || media.disabled() {
            return None;
        }
        let ssrcs = self.announced_ssrcs.find(mid)?;
        let remote_pts = media.remote_pts();
        let params = self.rtc.codec_config().params().iter();
        let mut negotiated = params.filter(|params| remote_pts.contains(&params.pt()));
        let padding_pt = negotiated.find_map(PayloadParams::resend).map(|pt| *pt);
        let extension_ids = extension_ids(media.remote_extmap());
        Some(self.egress.send_stream(mid, ssrcs, extension_ids, padding_pt))
    }

    /// Drops the packets kept for retransmission: the track on the stream has changed.
    pub(crate) fn clear_rtx_cache(&mut self, stream: SendStreamId) {
        self.egress.clear_rtx_cache(stream);
    }

    /// Writes a packet. Returns whether it is in the outbox now.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        stream: SendStreamId,
        outgoing: Outgoing<'_>,
    ) -> bool {
        self.egress.send(now, stream, outgoing, &mut self.outbox)
    }

    /// The payload types of a format on a send stream, or of the format without RED if the receiver
    /// does not support that. `None` if it supports neither.
    pub(crate) fn payload_type_for(
        &mut self,
        id: SendStreamId,
        format: Format,
    ) -> Option<NegotiatedFormat> {
        let stream = self.egress.stream_mut(id)?;
        let mid = stream.mid();
        if let Some(known) = stream.format_lookup.filter(|known| known.received == format) {
            return known.negotiated;
        }
        let media = self.rtc.media(mid)?;
        let remote_pts = media.remote_pts();
        let all = self.rtc.codec_config().params();
        let find = |format: Format| {
            all.iter().filter(|params| remote_pts.contains(&params.pt())).find_map(|params| {
                let pts = [Some(params.pt()), params.red()];
                let mut pts = pts.into_iter().flatten().map(|pt| *pt);
                let payload_type = pts.find(|pt| Format::new(params, *pt) == Some(format))?;
                let rtx_pt = params.resend().map(|pt| *pt);
                Some(NegotiatedFormat { format, payload_type, rtx_pt })
            })
        };
        let negotiated = find(format).or_else(|| format.without_redundancy().and_then(find));
        let lookup = FormatLookup { received: format, negotiated };
        self.egress.stream_mut(id)?.format_lookup = Some(lookup);
        negotiated
    }
}

fn extension_ids(map: &ExtensionMap) -> ExtensionIds {
    // A higher id would require the two-byte form in each packet.
    let id = |extension| map.id_of(extension).filter(|id| *id <= extensions::MAX_ID);
    ExtensionIds {
        mid: id(Extension::RtpMid),
        twcc_seq: id(Extension::with_serializer(STR0M_TWCC_URI, TwccSerializer)),
        abs_send_time: id(Extension::AbsoluteSendTime),
        audio_level: id(Extension::AudioLevel),
        playout_delay: id(Extension::PlayoutDelay),
        content_type: id(Extension::VideoContentType),
        capture_time: id(Extension::AbsoluteCaptureTime),
        dependency: id(Extension::with_serializer(DEPENDENCY_URI, DependencySerializer)),
    }
}
