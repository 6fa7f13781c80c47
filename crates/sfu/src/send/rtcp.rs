//! Zero-copy parser of the RTCP that receivers send: reports (RFC 3550 §6.4), NACK and PLI (RFC
//! 4585 §6), FIR (RFC 5104 §4.3), TWCC and REMB.

use std::time::Duration;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
/// Bytes of a report block, and of the sender info with its SSRC.
const BLOCK_BYTES: usize = 24;

/// One packet of a compound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rtcp<'a> {
    /// Sender or receiver report.
    Report {
        /// Blocks on the streams that the receiver knows.
        blocks: ReportBlocks<'a>,
    },
    /// Negative acknowledgement.
    Nack {
        /// The stream.
        ssrc: u32,
        /// Sequence numbers of its missing packets.
        missing: MissingPackets<'a>,
    },
    /// PLI or FIR.
    KeyframeRequest {
        /// The stream.
        ssrc: u32,
    },
    /// Transport-wide congestion control feedback.
    Twcc(TwccFeedback<'a>),
    /// The receiver's bandwidth estimate in bits per second.
    Remb(u64),
    /// A packet of another type.
    Other(u8),
}

/// Returns whether a datagram is RTCP rather than RTP (RFC 5761 §4), encrypted or not.
#[must_use]
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [128..192, 192..224, ..])
}

/// Parses a compound; stops at the first malformed packet.
pub fn read(bytes: &[u8]) -> impl Iterator<Item = Rtcp<'_>> {
    packets(bytes).map(|packet| parse(packet).unwrap_or(Rtcp::Other(packet.packet_type)))
}

/// A packet of a compound, not yet parsed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RawPacket<'a> {
    pub(crate) packet_type: u8,
    /// Reception report count, or feedback message type.
    count: u8,
    /// Without the header of four bytes and without padding.
    pub(crate) body: &'a [u8],
}

/// Splits a compound into its packets.
pub(crate) fn packets(mut bytes: &[u8]) -> impl Iterator<Item = RawPacket<'_>> {
    std::iter::from_fn(move || {
        let [first, packet_type, high, low] = *bytes.first_chunk::<4>()?;
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let (packet, rest) = bytes.split_at_checked(length)?;
        let body = unpadded(packet, first & 0x20 != 0)?;
        bytes = rest;
        Some(RawPacket { packet_type, count: first & 0x1f, body })
    })
}

/// The body of a packet, without its padding.
fn unpadded(packet: &[u8], is_padded: bool) -> Option<&[u8]> {
    let padding = if is_padded { usize::from(*packet.last()?) } else { 0 };
    packet.get(4..packet.len().checked_sub(padding)?)
}

fn parse(packet: RawPacket<'_>) -> Option<Rtcp<'_>> {
    let RawPacket { packet_type, count, body } = packet;
    match (packet_type, count) {
        (SENDER_REPORT, _) => Some(report(body.get(BLOCK_BYTES..)?)),
        (RECEIVER_REPORT, _) => Some(report(body.get(4..)?)),
        (TRANSPORT_FEEDBACK, 1) => {
            let (ssrc, missing) = body.get(4..)?.split_first_chunk::<4>()?;
            Some(Rtcp::Nack { ssrc: u32::from_be_bytes(*ssrc), missing: MissingPackets(missing) })
        }
        (TRANSPORT_FEEDBACK, 15) => TwccFeedback::parse(body.get(8..)?).map(Rtcp::Twcc),
        (PAYLOAD_FEEDBACK, 1) => keyframe_request(body.get(4..)?),
        // FIR: each entry has its own SSRC, but senders write only one.
        (PAYLOAD_FEEDBACK, 4) => keyframe_request(body.get(8..)?),
        (PAYLOAD_FEEDBACK, 15) => remb(body.get(8..)?),
        _ => None,
    }
}

fn report(blocks: &[u8]) -> Rtcp<'_> {
    Rtcp::Report { blocks: ReportBlocks(blocks) }
}

fn keyframe_request(bytes: &[u8]) -> Option<Rtcp<'_>> {
    Some(Rtcp::KeyframeRequest { ssrc: u32::from_be_bytes(*bytes.first_chunk()?) })
}

/// Parses `REMB`, the number of SSRCs, six bits of exponent and eighteen of mantissa
/// (draft-alvestrand-rmcat-remb-03 §2.2).
fn remb(bytes: &[u8]) -> Option<Rtcp<'_>> {
    let [b'R', b'E', b'M', b'B', _, high, middle, low] = *bytes.first_chunk::<8>()? else {
        return None;
    };
    let mantissa = u32::from_be_bytes([0, high & 3, middle, low]);
    let bitrate = u64::from(mantissa).checked_mul(1_u64.checked_shl(u32::from(high >> 2))?);
    Some(Rtcp::Remb(bitrate.unwrap_or(u64::MAX)))
}

/// Report blocks (RFC 3550 §6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlocks<'a>(&'a [u8]);

/// The fields of a report block that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    /// The stream reported on.
    pub ssrc: u32,
    /// Interarrival jitter in units of the stream's clock.
    pub jitter: u32,
    /// Middle of the NTP timestamp of the last sender report; 0 before the first.
    pub last_sender_report: u32,
    /// Time since its arrival, in units of 1/65,536 s.
    pub delay: u32,
}

impl ReportBlock {
    /// Round-trip time when the report arrives at `now`, the middle of an NTP timestamp (RFC 3550
    /// §6.4.1). `None` before the first sender report, and for a nonsensical one.
    #[must_use]
    pub fn round_trip(self, now: u32) -> Option<Duration> {
        /// A longer time than this is a wrong timestamp.
        const MAX_ROUND_TRIP: u32 = 30 << 16;
        let units = now.wrapping_sub(self.last_sender_report).wrapping_sub(self.delay);
        // The receiver rounds, so a short round trip may come out slightly negative.
        let units = if units > u32::MAX - 0x200 { 0 } else { units };
        (self.last_sender_report != 0 && units < MAX_ROUND_TRIP)
            .then(|| Duration::from_secs(u64::from(units)) / (1 << 16))
    }
}

impl<'a> ReportBlocks<'a> {
    /// SSRCs of the streams reported on.
    pub fn ssrcs(self) -> impl Iterator<Item = u32> + 'a {
        self.iter().map(|block| block.ssrc)
    }

    /// The blocks.
    pub fn iter(self) -> impl Iterator<Item = ReportBlock> + 'a {
        self.0.as_chunks::<BLOCK_BYTES>().0.iter().map(|block| {
            let word = |at: usize| {
                let bytes = block.get(at..).and_then(<[u8]>::first_chunk).copied();
                u32::from_be_bytes(bytes.unwrap_or_default())
            };
            ReportBlock {
                ssrc: word(0),
                jitter: word(12),
                last_sender_report: word(16),
                delay: word(20),
            }
        })
    }
}

/// Entries of a NACK (RFC 4585 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingPackets<'a>(&'a [u8]);

impl<'a> MissingPackets<'a> {
    /// Sequence numbers of the missing packets.
    pub fn seqs(self) -> impl Iterator<Item = u16> + 'a {
        self.0.as_chunks::<4>().0.iter().flat_map(|[p0, p1, b0, b1]| {
            let first = u16::from_be_bytes([*p0, *p1]);
            let mask = u16::from_be_bytes([*b0, *b1]);
            let rest = (0..16).filter(move |bit| mask >> bit & 1 == 1);
            std::iter::once(first).chain(rest.map(move |bit| first.wrapping_add(bit + 1)))
        })
    }
}

/// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwccFeedback<'a> {
    first_seq: u16,
    count: u16,
    /// Reference time on the receiver's clock, in units of 64 ms.
    reference: u32,
    /// Packet chunks, followed by receive deltas.
    chunks: &'a [u8],
}

/// Most packets of one feedback: more would have taken seconds to arrive.
const MAX_PACKETS: u16 = 4096;
/// Unit of receive deltas.
const DELTA_UNIT: Duration = Duration::from_micros(250);

impl<'a> TwccFeedback<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let ([f0, f1, c0, c1, r0, r1, r2, _], chunks) = bytes.split_first_chunk::<8>()?;
        let count = u16::from_be_bytes([*c0, *c1]);
        Some(Self {
            first_seq: u16::from_be_bytes([*f0, *f1]),
            count: if count > MAX_PACKETS { 0 } else { count },
            reference: u32::from_be_bytes([0, *r0, *r1, *r2]),
            chunks,
        })
    }

    /// Sequence number of the first packet covered.
    #[must_use]
    pub fn first_seq(self) -> u16 {
        self.first_seq
    }

    /// Arrival time of each packet from the first on, on the receiver's clock; `None` if missing.
    pub fn arrivals(self) -> impl Iterator<Item = Option<Duration>> + 'a {
        // Plus a second, as the first arrivals may precede the reference time.
        let mut time = Duration::from_secs(1) + Duration::from_millis(64) * self.reference;
        let mut deltas = self.chunks.get(self.chunks_length()..).unwrap_or_default();
        self.statuses().map_while(move |status| match status {
            1 => {
                let (delta, rest) = deltas.split_first()?;
                deltas = rest;
                time += DELTA_UNIT * u32::from(*delta);
                Some(Some(time))
            }
            2 => {
                let (delta, rest) = deltas.split_first_chunk::<2>()?;
                deltas = rest;
                let delta = i16::from_be_bytes(*delta);
                let by = DELTA_UNIT * u32::from(delta.unsigned_abs());
                time = if delta < 0 { time.saturating_sub(by) } else { time + by };
                Some(Some(time))
            }
            _ => Some(None),
        })
    }

    /// Status symbol of each packet: not received, small delta, large or negative delta.
    fn statuses(self) -> impl Iterator<Item = u8> + 'a {
        let chunks = self.chunks.as_chunks::<2>().0.iter().map(|chunk| u16::from_be_bytes(*chunk));
        chunks.flat_map(statuses_of).take(usize::from(self.count))
    }

    /// Bytes of the packet chunks.
    fn chunks_length(self) -> usize {
        let mut left = usize::from(self.count);
        let mut length = 0;
        for chunk in self.chunks.as_chunks::<2>().0 {
            if left == 0 {
                break;
            }
            length += 2;
            left = left.saturating_sub(packets_in(u16::from_be_bytes(*chunk)));
        }
        length
    }
}

/// Number of packets that a chunk covers.
fn packets_in(chunk: u16) -> usize {
    match chunk >> 14 {
        0 | 1 => usize::from(chunk & 0x1fff),
        2 => 14,
        _ => 7,
    }
}

/// Symbols of a chunk: a run length, or a vector of one-bit or two-bit symbols.
fn statuses_of(chunk: u16) -> impl Iterator<Item = u8> {
    (0..packets_in(chunk)).map(move |at| {
        let status = match chunk >> 14 {
            0 | 1 => chunk >> 13 & 3,
            2 => chunk >> (13 - at) & 1,
            _ => chunk >> (12 - 2 * at) & 3,
        };
        u8::try_from(status).unwrap_or(0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn packet(packet_type: u8, count: u8, body: &[u8]) -> Vec<u8> {
        let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
        [&[0x80 | count, packet_type, words[0], words[1]], body].concat()
    }

    #[test]
    fn compound_is_parsed_packet_by_packet() {
        let report = packet(201, 1, &[&[0, 0, 0, 1, 0, 0, 0, 9][..], &[0; 20]].concat());
        let nack = packet(205, 1, &[0, 0, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 0x80, 0x01]);
        let pli = packet(206, 1, &[0, 0, 0, 1, 0, 0, 0, 9]);
        let fir = packet(206, 4, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0]);
        let remb = [&[0, 0, 0, 1, 0, 0, 0, 0][..], b"REMB", &[1, 0x0f, 0xff, 0xff], &[0; 4]];
        let remb = packet(206, 15, &remb.concat());
        let bye = packet(203, 1, &[0, 0, 0, 1]);
        let all = [&report[..], &nack, &pli, &fir, &remb, &bye].concat();
        let read: Vec<Rtcp<'_>> = read(&all).collect();
        let [Rtcp::Report { blocks }, Rtcp::Nack { ssrc: 9, missing }, rest @ ..] = &read[..]
        else {
            panic!("{read:?}");
        };
        assert_eq!(blocks.ssrcs().collect::<Vec<_>>(), [9]);
        assert_eq!(missing.seqs().collect::<Vec<_>>(), [0xffff, 0, 15]);
        assert_eq!(
            rest,
            [
                Rtcp::KeyframeRequest { ssrc: 9 },
                Rtcp::KeyframeRequest { ssrc: 8 },
                Rtcp::Remb(0x3_ffff << 3),
                Rtcp::Other(203)
            ]
        );
    }

    #[test]
    fn twcc_feedback_has_the_arrival_times() {
        // A run of two small deltas, then a vector: missing, small, large, missing, small.
        let vector = 0xc000 | 1 << 10 | 2 << 8 | 1 << 4;
        let [high, low] = u16::to_be_bytes(vector);
        let body = [
            &[0, 0, 0, 1, 0, 0, 0, 9, 0xff, 0xfe, 0, 7, 0, 0, 2, 5][..],
            &[0x20, 2, high, low],
            &[4, 8, 40, 0xff, 0xfc, 2, 0, 0],
        ];
        let bytes = packet(205, 15, &body.concat());
        let Some(Rtcp::Twcc(feedback)) = read(&bytes).next() else { panic!("none") };
        assert_eq!(feedback.first_seq(), 0xfffe);
        let from = Duration::from_secs(1) + Duration::from_millis(128);
        let arrived = |halves| Some(from + Duration::from_micros(500) * halves);
        assert_eq!(
            feedback.arrivals().collect::<Vec<_>>(),
            [arrived(2), arrived(6), None, arrived(26), arrived(24), None, arrived(25)]
        );
    }

    proptest! {
        #[test]
        fn parser_terminates_on_any_bytes(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            packet_type in 200_u8..208,
            count in 0_u8..32,
        ) {
            let mut bytes = bytes;
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let bytes = packet(packet_type, count, &bytes);
            for packet in read(&bytes) {
                match packet {
                    Rtcp::Nack { missing, .. } => prop_assert!(missing.seqs().count() < 2000),
                    Rtcp::Twcc(feedback) => {
                        prop_assert!(feedback.arrivals().count() <= usize::from(MAX_PACKETS));
                    },
                    Rtcp::Report { blocks } => prop_assert!(blocks.ssrcs().count() < 20),
                    _ => {}
                }
            }
        }
    }
}
