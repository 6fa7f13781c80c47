//! What a link sends of media: its send streams, and how a packet is written to one.

use super::{Link, Mid, dependency::Dependency};
use crate::{format::Format, forward::Rewritten, ids::Kind, packet::Packet, red};
use std::{sync::Arc, time::Duration};
use str0m::rtp::{RtpWrite, Ssrc, Vp8Descriptor, Vp8Patch};

/// How much a subscriber can ask for again: packets and time.
const RESEND_PACKETS: usize = 512;
const RESEND_AGE: Duration = Duration::from_secs(1);
/// Where more than this of what is sent would be sent again, the way is too narrow, and nothing is.
const RESEND_SHARE: f32 = 0.25;

/// A send stream, ready to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lane {
    ssrc: Ssrc,
    mid: Mid,
    /// The last format and what it is called on this link.
    format: Option<(Format, u8)>,
}

impl Link {
    /// The send stream of a section, once both sides have agreed to it.
    pub(crate) fn lane(&mut self, mid: Mid) -> Option<Lane> {
        let media = self.rtc.media(mid)?;
        if !media.direction().is_sending() || media.disabled() {
            return None;
        }
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_tx_by_mid(mid, None)?;
        stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, Some(RESEND_SHARE));
        // A paced stream queues without end when a line narrows, and plays the past long after we
        // have stepped down; the packets of a frame leave together instead.
        stream.set_unpaced(true);
        Some(Lane { ssrc: stream.ssrc(), mid, format: None })
    }

    /// Nothing that was sent so far is worth sending again: what follows begins anew.
    pub(crate) fn forget_sent(&mut self, lane: &Lane) {
        if let Some(stream) = self.rtc.direct_api().stream_tx(&lane.ssrc) {
            stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, Some(RESEND_SHARE));
        }
    }

    /// Writes a packet; it leaves at the next drain.
    pub(crate) fn send(&mut self, lane: &mut Lane, packet: &Packet, as_: Rewritten) -> bool {
        let Some((pt, payload)) = self.encoded(lane, packet) else { return false };
        let mut extensions = packet.extensions.clone();
        if let (Some(bytes), Some(frame)) = (&packet.dependency, as_.frame) {
            extensions.user_values.set(Dependency { bytes: bytes.clone(), frame });
        }
        let mut write = RtpWrite::new(pt.into(), as_.seq.into(), as_.time, packet.at, payload)
            .marker(as_.marker)
            .ext_vals(extensions)
            // Sound is not asked for again: redundancy is in it, or it is concealed.
            .nackable(packet.format.kind() == Kind::Video);
        if let Some(patch) = as_.vp8.and_then(|numbers| patch(&packet.payload, numbers)) {
            write = write.vp8_patch(patch);
        }
        match self.rtc.direct_api().stream_tx(&lane.ssrc) {
            Some(stream) => stream.write_rtp(write),
            None => return false,
        }
        self.written.push(*lane.ssrc, as_.seq);
        true
    }

    /// The payload, and what its format is called here. Who knows no redundancy (Firefox, say) gets
    /// the sound alone.
    fn encoded(&self, lane: &mut Lane, packet: &Packet) -> Option<(u8, Arc<[u8]>)> {
        if let Some(pt) = self.payload_type(lane, packet.format) {
            return Some((pt, packet.payload.clone()));
        }
        let alone = packet.format.without_redundancy()?;
        let pt = self.payload_type(lane, alone)?;
        Some((pt, red::primary(&packet.payload)?.into()))
    }

    /// What a format is called on this link's section.
    fn payload_type(&self, lane: &mut Lane, format: Format) -> Option<u8> {
        if let Some((_, pt)) = lane.format.filter(|(known, _)| *known == format) {
            return Some(pt);
        }
        let offered = self.rtc.media(lane.mid)?.remote_pts();
        let all = self.rtc.codec_config().params();
        let pt = all.iter().filter(|params| offered.contains(&params.pt())).find_map(|params| {
            let names = [Some(params.pt()), params.red()];
            let mut names = names.into_iter().flatten().map(|pt| *pt);
            names.find(|pt| Format::new(params, *pt) == Some(format))
        })?;
        lane.format = Some((format, pt));
        Some(pt)
    }
}

/// Puts a picture's numbers into its descriptor, where it has them.
fn patch(payload: &[u8], (picture, tl0): (u16, u8)) -> Option<Vp8Patch> {
    let descriptor = Vp8Descriptor::parse(payload).ok()?;
    let long = payload.get(2).is_some_and(|byte| byte & 0x80 != 0);
    let picture = if long { picture } else { picture & 0x7f };
    let patch = descriptor.patch().picture_id(picture);
    let patch = if descriptor.tl0_pic_idx().is_some() { patch.tl0_pic_idx(tl0) } else { patch };
    patch.build().ok()
}
