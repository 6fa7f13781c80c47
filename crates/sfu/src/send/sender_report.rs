//! Sender reports and CNAMEs of all streams of a link, in one compound packet (RFC 3550 §6.4.1,
//! §6.5).

use std::time::{Instant, SystemTime};

use super::stream::{SendStream, SenderInfo};
use crate::track::packet;

/// Streams whose reports and CNAMEs fit one datagram.
pub(super) const MAX_STREAMS: usize = 16;

/// Bytes of the report on one stream.
const REPORT_BYTES: u16 = 28;
const SENDER_REPORT: u8 = 200;
const SOURCE_DESCRIPTION: u8 = 202;
const BYE: u8 = 203;
const CNAME: u8 = 1;

/// Writes the reports on up to [`MAX_STREAMS`] streams. Returns whether there are any.
pub(super) fn write<'a>(
    bytes: &mut Vec<u8>,
    streams: impl Iterator<Item = &'a SendStream> + Clone,
    now: Instant,
    wall_clock: SystemTime,
) -> bool {
    let ntp = packet::ntp(wall_clock);
    let active = streams.filter_map(|stream| Some((&stream.ssrcs, stream.sender_info(now)?)));
    let mut count: u8 = 0;
    for (ssrcs, SenderInfo { timestamp, packets, octets }) in active.clone() {
        write_header(bytes, SENDER_REPORT, 0, REPORT_BYTES);
        bytes.extend(ssrcs.ssrc.to_be_bytes());
        bytes.extend(ntp.to_be_bytes());
        bytes.extend([timestamp, packets, octets].into_iter().flat_map(u32::to_be_bytes));
        count += 1;
    }
    let start = bytes.len();
    write_header(bytes, SOURCE_DESCRIPTION, count, 0);
    for (ssrcs, _) in active {
        let cname = ssrcs.cname.as_bytes();
        let length = u8::try_from(cname.len()).unwrap_or(u8::MAX);
        bytes.extend(ssrcs.ssrc.to_be_bytes());
        bytes.extend([CNAME, length]);
        bytes.extend(cname.iter().take(usize::from(length)));
        // At least one zero ends the chunk.
        let chunks = bytes.len() - start;
        bytes.resize(start + (chunks + 1).next_multiple_of(4), 0);
    }
    let length = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
    if let Some(words) = bytes.get_mut(start + 2..start + 4) {
        words.copy_from_slice(&(length / 4 - 1).to_be_bytes());
    }
    count > 0
}

/// Writes a BYE for up to [`MAX_STREAMS`] streams, to follow a report (RFC 3550 §6.6).
pub(super) fn write_bye(bytes: &mut Vec<u8>, streams: &[SendStream]) {
    let count = u8::try_from(streams.len().min(MAX_STREAMS)).unwrap_or(0);
    write_header(bytes, BYE, count, 4 + 4 * u16::from(count));
    let ssrcs = streams.iter().take(MAX_STREAMS).map(|stream| stream.ssrcs.ssrc);
    bytes.extend(ssrcs.flat_map(u32::to_be_bytes));
}

fn write_header(bytes: &mut Vec<u8>, packet_type: u8, count: u8, length: u16) {
    bytes.extend([0x80 | count, packet_type]);
    bytes.extend((length / 4).saturating_sub(1).to_be_bytes());
}
