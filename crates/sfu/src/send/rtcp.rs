//! What receivers report of what we send (RFC 3550 §6.4, RFC 4585 §6, RFC 5104 §4.3, and the drafts of
//! TWCC and REMB): read from the bytes, without keeping any.

use std::time::Duration;

const SENDER_REPORT: u8 = 200;
const RECEIVER_REPORT: u8 = 201;
const TRANSPORT_FEEDBACK: u8 = 205;
const PAYLOAD_FEEDBACK: u8 = 206;
/// A block of a report on one stream; what a sender says of itself is as long.
const BLOCK: usize = 24;

/// One of the packets that a compound packet is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rtcp<'a> {
    /// A report on streams has come: their receiver knows them.
    Report {
        /// What it says of each.
        blocks: Blocks<'a>,
    },
    /// Packets of a stream have not come.
    Nack {
        /// The stream.
        ssrc: u32,
        /// Which.
        missing: Missing<'a>,
    },
    /// A picture of a stream can't be decoded (PLI, FIR).
    KeyframeWanted {
        /// The stream.
        ssrc: u32,
    },
    /// Which packets have come, and when.
    Transport(Transport<'a>),
    /// What the receiver takes the way to carry (REMB), bits a second.
    Estimate(u64),
    /// Something else, of this type.
    Other(u8),
}

/// Whether a datagram is a report rather than media (RFC 5761 §4), encrypted or not.
#[must_use]
pub fn is_report(datagram: &[u8]) -> bool {
    matches!(datagram, [128..192, 192..224, ..])
}

/// Reads a compound packet; stops where it makes no sense any more.
pub fn read(bytes: &[u8]) -> impl Iterator<Item = Rtcp<'_>> {
    packets(bytes).map(|(kind, count, body)| one(kind, count, body).unwrap_or(Rtcp::Other(kind)))
}

/// The packets of a compound: type, count or format, and what stands behind the head of four bytes.
pub(crate) fn packets(mut bytes: &[u8]) -> impl Iterator<Item = (u8, u8, &[u8])> {
    std::iter::from_fn(move || {
        let [first, kind, high, low] = *bytes.first_chunk::<4>()?;
        let length = 4 + 4 * usize::from(u16::from_be_bytes([high, low]));
        let (packet, rest) = bytes.split_at_checked(length)?;
        let body = unpadded(packet, first & 0x20 != 0)?;
        bytes = rest;
        Some((kind, first & 0x1f, body))
    })
}

/// What stands behind the head of four bytes.
fn unpadded(packet: &[u8], padded: bool) -> Option<&[u8]> {
    let padding = if padded { usize::from(*packet.last()?) } else { 0 };
    packet.get(4..packet.len().checked_sub(padding)?)
}

fn one(kind: u8, count: u8, body: &[u8]) -> Option<Rtcp<'_>> {
    match (kind, count) {
        (SENDER_REPORT, _) => Some(report(body.get(BLOCK..)?)),
        (RECEIVER_REPORT, _) => Some(report(body.get(4..)?)),
        (TRANSPORT_FEEDBACK, 1) => {
            let (ssrc, missing) = body.get(4..)?.split_first_chunk::<4>()?;
            Some(Rtcp::Nack { ssrc: u32::from_be_bytes(*ssrc), missing: Missing(missing) })
        }
        (TRANSPORT_FEEDBACK, 15) => Transport::read(body.get(8..)?).map(Rtcp::Transport),
        (PAYLOAD_FEEDBACK, 1) => keyframe(body.get(4..)?),
        // Each entry of a request in full names its stream itself; one is all that anybody sends.
        (PAYLOAD_FEEDBACK, 4) => keyframe(body.get(8..)?),
        (PAYLOAD_FEEDBACK, 15) => estimate(body.get(8..)?),
        _ => None,
    }
}

fn report(blocks: &[u8]) -> Rtcp<'_> {
    Rtcp::Report { blocks: Blocks(blocks) }
}

fn keyframe(bytes: &[u8]) -> Option<Rtcp<'_>> {
    Some(Rtcp::KeyframeWanted { ssrc: u32::from_be_bytes(*bytes.first_chunk()?) })
}

/// `REMB`, how many streams, six bits of exponent and eighteen of mantissa.
fn estimate(bytes: &[u8]) -> Option<Rtcp<'_>> {
    let [b'R', b'E', b'M', b'B', _, high, middle, low] = *bytes.first_chunk::<8>()? else {
        return None;
    };
    let mantissa = u32::from_be_bytes([0, high & 3, middle, low]);
    let rate = u64::from(mantissa).checked_mul(1_u64.checked_shl(u32::from(high >> 2))?);
    Some(Rtcp::Estimate(rate.unwrap_or(u64::MAX)))
}

/// Blocks of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks<'a>(&'a [u8]);

impl<'a> Blocks<'a> {
    /// The streams reported on.
    pub fn streams(self) -> impl Iterator<Item = u32> + 'a {
        let blocks = self.0.chunks_exact(BLOCK);
        blocks.filter_map(|block| Some(u32::from_be_bytes(*block.first_chunk()?)))
    }
}

/// Entries of a negative acknowledgement (RFC 4585 §6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing<'a>(&'a [u8]);

impl<'a> Missing<'a> {
    /// The numbers that have not come.
    pub fn numbers(self) -> impl Iterator<Item = u16> + 'a {
        self.0.as_chunks::<4>().0.iter().flat_map(|[p0, p1, b0, b1]| {
            let (first, mask) = (u16::from_be_bytes([*p0, *p1]), u16::from_be_bytes([*b0, *b1]));
            let rest = (0..16).filter(move |bit| mask >> bit & 1 == 1);
            std::iter::once(first).chain(rest.map(move |bit| first.wrapping_add(bit + 1)))
        })
    }
}

/// Transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transport<'a> {
    first: u16,
    count: u16,
    /// Of the receiver's clock, in 64 ms.
    reference: u32,
    /// Statuses and, behind them, times.
    rest: &'a [u8],
}

/// Nobody tells of so many packets at once: they would have come within seconds.
const MOST: u16 = 4096;
/// What times are told in.
const TIME: Duration = Duration::from_micros(250);

impl<'a> Transport<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let ([f0, f1, c0, c1, r0, r1, r2, _], rest) = bytes.split_first_chunk::<8>()?;
        let count = u16::from_be_bytes([*c0, *c1]);
        Some(Self {
            first: u16::from_be_bytes([*f0, *f1]),
            count: if count > MOST { 0 } else { count },
            reference: u32::from_be_bytes([0, *r0, *r1, *r2]),
            rest,
        })
    }

    /// The first number that is told of.
    #[must_use]
    pub fn first(self) -> u16 {
        self.first
    }

    /// For each packet from the first on whether it came, and when on the receiver's clock.
    pub fn packets(self) -> impl Iterator<Item = Option<Duration>> + 'a {
        // A second over, as the first times may lie before the reference.
        let mut time = Duration::from_secs(1) + Duration::from_millis(64) * self.reference;
        let mut times = self.rest.get(self.statuses_length()..).unwrap_or_default();
        self.statuses().map_while(move |status| match status {
            1 => {
                let (delta, rest) = times.split_first()?;
                times = rest;
                time += TIME * u32::from(*delta);
                Some(Some(time))
            }
            2 => {
                let (delta, rest) = times.split_first_chunk::<2>()?;
                times = rest;
                let delta = i16::from_be_bytes(*delta);
                let by = TIME * u32::from(delta.unsigned_abs());
                time = if delta < 0 { time.saturating_sub(by) } else { time + by };
                Some(Some(time))
            }
            _ => Some(None),
        })
    }

    /// Two bits for each packet: not received, after a short time, after a long or negative one.
    fn statuses(self) -> impl Iterator<Item = u8> + 'a {
        let chunks = self.rest.as_chunks::<2>().0.iter().map(|chunk| u16::from_be_bytes(*chunk));
        chunks.flat_map(statuses_of).take(usize::from(self.count))
    }

    /// How many bytes the statuses take.
    fn statuses_length(self) -> usize {
        let mut left = usize::from(self.count);
        let mut length = 0;
        for chunk in self.rest.as_chunks::<2>().0 {
            if left == 0 {
                break;
            }
            length += 2;
            left = left.saturating_sub(told_by(u16::from_be_bytes(*chunk)));
        }
        length
    }
}

/// How many packets a chunk tells of.
fn told_by(chunk: u16) -> usize {
    match chunk >> 14 {
        0 | 1 => usize::from(chunk & 0x1fff),
        2 => 14,
        _ => 7,
    }
}

/// A run of one status, or a list of them of one bit or two each.
fn statuses_of(chunk: u16) -> impl Iterator<Item = u8> {
    (0..told_by(chunk)).map(move |at| {
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

    fn packet(kind: u8, count: u8, body: &[u8]) -> Vec<u8> {
        let words = u16::try_from(body.len() / 4).unwrap().to_be_bytes();
        [&[0x80 | count, kind, words[0], words[1]], body].concat()
    }

    #[test]
    fn a_compound_is_read_packet_by_packet() {
        let report = packet(201, 1, &[&[0, 0, 0, 1, 0, 0, 0, 9][..], &[0; 20]].concat());
        let nack = packet(205, 1, &[0, 0, 0, 1, 0, 0, 0, 9, 0xff, 0xff, 0x80, 0x01]);
        let picture = packet(206, 1, &[0, 0, 0, 1, 0, 0, 0, 9]);
        let full = packet(206, 4, &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 8, 1, 0, 0, 0]);
        let remb = [&[0, 0, 0, 1, 0, 0, 0, 0][..], b"REMB", &[1, 0x0f, 0xff, 0xff], &[0; 4]];
        let remb = packet(206, 15, &remb.concat());
        let bye = packet(203, 1, &[0, 0, 0, 1]);
        let all = [&report[..], &nack, &picture, &full, &remb, &bye].concat();
        let read: Vec<Rtcp<'_>> = read(&all).collect();
        let [Rtcp::Report { blocks }, Rtcp::Nack { ssrc: 9, missing }, rest @ ..] = &read[..]
        else {
            panic!("{read:?}");
        };
        assert_eq!(blocks.streams().collect::<Vec<_>>(), [9]);
        assert_eq!(missing.numbers().collect::<Vec<_>>(), [0xffff, 0, 15]);
        assert_eq!(
            rest,
            [
                Rtcp::KeyframeWanted { ssrc: 9 },
                Rtcp::KeyframeWanted { ssrc: 8 },
                Rtcp::Estimate(0x3_ffff << 3),
                Rtcp::Other(203)
            ]
        );
    }

    #[test]
    fn transport_feedback_tells_which_packets_came_and_when() {
        // A run of two that came, then a list: not, short, long, not, short.
        let list = 0xc000 | 1 << 10 | 2 << 8 | 1 << 4;
        let [high, low] = u16::to_be_bytes(list);
        let body = [
            &[0, 0, 0, 1, 0, 0, 0, 9, 0xff, 0xfe, 0, 7, 0, 0, 2, 5][..],
            &[0x20, 2, high, low],
            &[4, 8, 40, 0xff, 0xfc, 2, 0, 0],
        ];
        let bytes = packet(205, 15, &body.concat());
        let Some(Rtcp::Transport(feedback)) = read(&bytes).next() else { panic!("none") };
        assert_eq!(feedback.first(), 0xfffe);
        let from = Duration::from_secs(1) + Duration::from_millis(128);
        let came = |halves| Some(from + Duration::from_micros(500) * halves);
        assert_eq!(
            feedback.packets().collect::<Vec<_>>(),
            [came(2), came(6), None, came(26), came(24), None, came(25)]
        );
    }

    proptest! {
        #[test]
        fn of_any_bytes_it_reads_what_is_there_and_ends(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
            kind in 200_u8..208,
            count in 0_u8..32,
        ) {
            let mut bytes = bytes;
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            let bytes = packet(kind, count, &bytes);
            for it in read(&bytes) {
                match it {
                    Rtcp::Nack { missing, .. } => prop_assert!(missing.numbers().count() < 2000),
                    Rtcp::Transport(it) => prop_assert!(it.packets().count() <= usize::from(MOST)),
                    Rtcp::Report { blocks } => prop_assert!(blocks.streams().count() < 20),
                    _ => {}
                }
            }
        }
    }
}
