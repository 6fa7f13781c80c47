//! One send stream: its negotiated ids and payload types, and the writer of its RTP and RTX packets
//! (RFC 4588).

use std::time::{Duration, Instant};

use super::{
    rtp_header::{self, DependencyValue, ExtensionIds, ExtensionValues, FixedHeader},
    rtx_cache::{CachedDependency, CachedPacket, RtxCache},
    seq::low,
    srtp::{PacketIndex, Srtp},
};
use crate::{
    ids::{Kind, Mid},
    track::{
        codec::vp8,
        format::Format,
        packet::{ForwardedExtensions, Packet},
        rewriter::Rewritten,
    },
};

/// Longest payload of padding alone: its length is in the last byte (RFC 3550 §5.1).
const PADDING_BYTES: u8 = 255;
/// A stream that has sent nothing for this long has no sender reports.
const IDLE: Duration = Duration::from_secs(5);

/// SSRCs of a send stream, as signaled to the receiver.
#[derive(Debug, Clone)]
pub(crate) struct SendSsrcs {
    pub(crate) ssrc: u32,
    /// `None` without RTX.
    pub(crate) rtx_ssrc: Option<u32>,
    /// The same for all streams that are synchronised (RFC 3550 §6.5.1).
    pub(crate) cname: String,
}

/// A format and its payload types on a section.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NegotiatedFormat {
    pub(crate) format: Format,
    pub(crate) payload_type: u8,
    /// `None` if RTX was not negotiated.
    pub(crate) rtx_pt: Option<u8>,
}

/// The last lookup of a received format, as each packet repeats it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FormatLookup {
    pub(crate) received: Format,
    /// `None` if the receiver does not support it.
    pub(crate) negotiated: Option<NegotiatedFormat>,
}

/// A packet to send: as it was received, rewritten for this stream, in the receiver's format.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outgoing<'a> {
    pub(crate) packet: &'a Packet,
    pub(crate) rewritten: Rewritten,
    pub(crate) format: NegotiatedFormat,
}

/// Time of sending, and the extensions that depend on it.
#[derive(Debug, Clone, Copy)]
pub(super) struct SendContext {
    pub(super) now: Instant,
    pub(super) extensions: PacketExtensions,
}

/// Extensions that each packet of the link has a value of its own for.
#[derive(Debug, Clone, Copy)]
pub(super) struct PacketExtensions {
    pub(super) twcc_seq: Option<u16>,
    pub(super) abs_send_time: Option<u32>,
}

pub(crate) struct SendStream {
    pub(super) mid: Mid,
    pub(super) ssrcs: SendSsrcs,
    pub(super) extension_ids: ExtensionIds,
    /// Payload type of RTX that carries padding.
    padding_pt: Option<u8>,
    pub(crate) format_lookup: Option<FormatLookup>,
    pub(super) rtx_cache: RtxCache,
    next_rtx_seq: u64,
    pub(super) newest_seq: u64,
    /// Packets carry the MID until a report shows that the receiver knows the SSRC.
    pub(super) is_ssrc_known: bool,
    pub(super) is_rtx_ssrc_known: bool,
    sent: Option<SenderState>,
}

/// State that sender reports are made of.
#[derive(Debug, Clone, Copy)]
struct SenderState {
    packets: u32,
    octets: u32,
    /// RTP timestamp of the newest packet, and when that packet was received.
    timestamp: u32,
    at: Instant,
    clock_rate: u32,
}

/// Content of a sender report (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct SenderInfo {
    pub(super) timestamp: u32,
    pub(super) packets: u32,
    pub(super) octets: u32,
}

impl SendStream {
    pub(super) fn new(
        mid: Mid,
        ssrcs: SendSsrcs,
        extension_ids: ExtensionIds,
        padding_pt: Option<u8>,
    ) -> Self {
        Self {
            mid,
            ssrcs,
            extension_ids,
            padding_pt,
            format_lookup: None,
            rtx_cache: RtxCache::default(),
            next_rtx_seq: 1,
            newest_seq: 0,
            is_ssrc_known: false,
            is_rtx_ssrc_known: false,
            sent: None,
        }
    }

    pub(crate) fn mid(&self) -> Mid {
        self.mid
    }

    /// Appends a protected packet.
    pub(super) fn write(
        &mut self,
        bytes: &mut Vec<u8>,
        srtp: &Srtp,
        outgoing: Outgoing<'_>,
        payload: &[u8],
        context: SendContext,
    ) -> Option<()> {
        let Outgoing { packet, rewritten, format } = outgoing;
        let start = bytes.len();
        let header = FixedHeader {
            payload_type: format.payload_type,
            marker: rewritten.marker,
            is_padded: false,
            seq: low(rewritten.seq),
            timestamp: rewritten.timestamp,
            ssrc: self.ssrcs.ssrc,
        };
        let dependency = packet.dependency.as_ref().zip(rewritten.frame_number);
        let values = ExtensionValues {
            mid: (!self.is_ssrc_known).then_some(&*self.mid),
            twcc_seq: context.extensions.twcc_seq,
            abs_send_time: context.extensions.abs_send_time,
            forwarded: packet.extensions,
            dependency: dependency
                .map(|(descriptor, frame_number)| DependencyValue { descriptor, frame_number }),
        };
        let header_length = rtp_header::write(bytes, &header, &self.extension_ids, &values);
        append_payload(bytes, payload, rewritten.vp8);
        let index = PacketIndex { ssrc: self.ssrcs.ssrc, index: rewritten.seq };
        srtp.protect(bytes, start, header_length, index)?;
        self.count(packet, &rewritten, payload.len());
        // Audio is not retransmitted: it is redundant (RED) or concealed.
        let rtx_pt = format.rtx_pt.filter(|_| packet.format.kind() == Kind::Video);
        if let Some(rtx_pt) = rtx_pt.filter(|_| self.ssrcs.rtx_ssrc.is_some()) {
            self.rtx_cache.insert(CachedPacket {
                seq: rewritten.seq,
                timestamp: rewritten.timestamp,
                marker: rewritten.marker,
                rtx_pt,
                vp8: rewritten.vp8,
                dependency: dependency.map(|(descriptor, frame_number)| CachedDependency {
                    descriptor: descriptor.clone(),
                    frame_number,
                }),
                payload: packet.payload.clone(),
                sent: context.now,
                retransmitted: None,
            });
        }
        Some(())
    }

    fn count(&mut self, packet: &Packet, rewritten: &Rewritten, octets: usize) {
        let sent = self.sent.get_or_insert(SenderState {
            packets: 0,
            octets: 0,
            timestamp: rewritten.timestamp,
            at: packet.received_at,
            clock_rate: packet.format.clock_rate(),
        });
        sent.packets = sent.packets.wrapping_add(1);
        sent.octets = sent.octets.wrapping_add(u32::try_from(octets).unwrap_or(0));
        // A reordered packet has an old timestamp.
        if rewritten.seq > self.newest_seq {
            self.newest_seq = rewritten.seq;
            sent.timestamp = rewritten.timestamp;
            sent.at = packet.received_at;
            sent.clock_rate = packet.format.clock_rate();
        }
    }

    /// Applies the result of another negotiation of the section.
    pub(super) fn renegotiate(&mut self, extension_ids: ExtensionIds, padding_pt: Option<u8>) {
        self.extension_ids = extension_ids;
        self.padding_pt = padding_pt;
        self.format_lookup = None;
    }

    /// Receive time of the newest packet sent.
    pub(super) fn last_sent(&self) -> Option<Instant> {
        self.sent.map(|sent| sent.at)
    }

    /// Appends a cached packet as RTX: its original sequence number precedes the payload (RFC 4588
    /// §4).
    pub(super) fn write_rtx(
        &mut self,
        bytes: &mut Vec<u8>,
        srtp: &Srtp,
        seq: u64,
        context: SendContext,
    ) -> Option<()> {
        let rtx = PacketIndex { ssrc: self.ssrcs.rtx_ssrc?, index: self.next_rtx_seq };
        let cached = self.rtx_cache.find(seq)?;
        let start = bytes.len();
        let header = FixedHeader {
            payload_type: cached.rtx_pt,
            marker: cached.marker,
            is_padded: false,
            seq: low(rtx.index),
            timestamp: cached.timestamp,
            ssrc: rtx.ssrc,
        };
        let dependency = cached.dependency.as_ref().map(|dependency| DependencyValue {
            descriptor: &dependency.descriptor,
            frame_number: dependency.frame_number,
        });
        let mid = (!self.is_rtx_ssrc_known).then_some(&*self.mid);
        let values = rtx_values(mid, context.extensions, dependency);
        let header_length = rtp_header::write(bytes, &header, &self.extension_ids, &values);
        bytes.extend(low(seq).to_be_bytes());
        append_payload(bytes, &cached.payload, cached.vp8);
        srtp.protect(bytes, start, header_length, rtx)?;
        cached.retransmitted = Some(context.now);
        self.next_rtx_seq += 1;
        Some(())
    }

    /// Appends a packet of padding alone, on the RTX stream.
    pub(super) fn write_padding(
        &mut self,
        bytes: &mut Vec<u8>,
        srtp: &Srtp,
        extensions: PacketExtensions,
    ) -> Option<()> {
        let (ssrc, payload_type) = self.padding()?;
        let rtx = PacketIndex { ssrc, index: self.next_rtx_seq };
        let start = bytes.len();
        let header = FixedHeader {
            payload_type,
            marker: false,
            is_padded: true,
            seq: low(rtx.index),
            timestamp: self.sent.map_or(0, |sent| sent.timestamp),
            ssrc,
        };
        let mid = (!self.is_rtx_ssrc_known).then_some(&*self.mid);
        let values = rtx_values(mid, extensions, None);
        let header_length = rtp_header::write(bytes, &header, &self.extension_ids, &values);
        bytes.resize(bytes.len() + usize::from(PADDING_BYTES) - 1, 0);
        bytes.push(PADDING_BYTES);
        srtp.protect(bytes, start, header_length, rtx)?;
        self.next_rtx_seq += 1;
        Some(())
    }

    /// SSRC and payload type of padding, if the receiver sends feedback on it.
    fn padding(&self) -> Option<(u32, u8)> {
        self.extension_ids.twcc_seq?;
        self.ssrcs.rtx_ssrc.zip(self.padding_pt)
    }

    pub(super) fn can_pad(&self) -> bool {
        self.padding().is_some()
    }

    /// Clock rate of the media sent last, if any was.
    pub(super) fn clock_rate(&self) -> Option<u32> {
        self.sent.map(|sent| sent.clock_rate)
    }

    /// Content of a sender report at `now`; `None` for a stream that is idle.
    pub(super) fn sender_info(&self, now: Instant) -> Option<SenderInfo> {
        let SenderState { packets, octets, timestamp, at, clock_rate } = self.sent?;
        let since = now.saturating_duration_since(at);
        let ticks = since.as_micros() * u128::from(clock_rate) / 1_000_000;
        let timestamp = timestamp.wrapping_add(u32::try_from(ticks).unwrap_or(0));
        (since < IDLE).then_some(SenderInfo { timestamp, packets, octets })
    }
}

fn rtx_values<'a>(
    mid: Option<&'a str>,
    extensions: PacketExtensions,
    dependency: Option<DependencyValue<'a>>,
) -> ExtensionValues<'a> {
    ExtensionValues {
        mid,
        twcc_seq: extensions.twcc_seq,
        abs_send_time: extensions.abs_send_time,
        forwarded: ForwardedExtensions::default(),
        dependency,
    }
}

/// Appends a payload, with picture id and TL0PICIDX written into its VP8 descriptor.
fn append_payload(bytes: &mut Vec<u8>, payload: &[u8], vp8: Option<vp8::PictureIds>) {
    let start = bytes.len();
    bytes.extend_from_slice(payload);
    if let (Some(ids), Some(payload)) = (vp8, bytes.get_mut(start..)) {
        vp8::set_picture_ids(payload, ids);
    }
}
