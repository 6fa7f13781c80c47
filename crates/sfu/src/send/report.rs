//! Sender reports of all streams of a link, in one packet (RFC 3550 §6.4.1, §6.5).

use std::time::{Instant, SystemTime};

use super::stream::Stream;
use crate::track::packet;

/// So many fit one datagram, each with the name of its source.
pub(super) const MOST: usize = 16;

/// What a report of one stream takes, bytes.
const REPORT: u16 = 28;
const SENDER_REPORT: u8 = 200;
const DESCRIPTION: u8 = 202;
const GOODBYE: u8 = 203;
const CNAME: u8 = 1;
/// Writes the reports of up to [`MOST`] streams; says whether there are any.
pub(super) fn write<'a>(
    bytes: &mut Vec<u8>,
    streams: impl Iterator<Item = &'a Stream> + Clone,
    (now, wall): (Instant, SystemTime),
) -> bool {
    let clock = packet::ntp(wall);
    let reported = streams.filter_map(|it| Some((&it.source, it.reported(now)?)));
    let mut count: u8 = 0;
    for (source, numbers) in reported.clone() {
        header(bytes, SENDER_REPORT, 0, REPORT);
        bytes.extend(source.ssrc.to_be_bytes());
        bytes.extend(clock.to_be_bytes());
        bytes.extend(numbers.into_iter().flat_map(u32::to_be_bytes));
        count += 1;
    }
    let start = bytes.len();
    header(bytes, DESCRIPTION, count, 0);
    for (source, _) in reported {
        let name = source.cname.as_bytes();
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        bytes.extend(source.ssrc.to_be_bytes());
        bytes.extend([CNAME, length]);
        bytes.extend(name.iter().take(usize::from(length)));
        // One zero at least ends the chunk.
        let chunks = bytes.len() - start;
        bytes.resize(start + (chunks + 1).next_multiple_of(4), 0);
    }
    let length = u16::try_from(bytes.len() - start).unwrap_or(u16::MAX);
    if let Some(words) = bytes.get_mut(start + 2..start + 4) {
        words.copy_from_slice(&(length / 4 - 1).to_be_bytes());
    }
    count > 0
}

/// Writes the good-bye of as many streams, which goes behind a report (§6.6).
pub(super) fn end(bytes: &mut Vec<u8>, streams: &[Stream]) {
    let count = u8::try_from(streams.len().min(MOST)).unwrap_or(0);
    header(bytes, GOODBYE, count, 4 + 4 * u16::from(count));
    let ssrcs = streams.iter().take(MOST).map(|stream| stream.source.ssrc);
    bytes.extend(ssrcs.flat_map(u32::to_be_bytes));
}

fn header(bytes: &mut Vec<u8>, kind: u8, count: u8, length: u16) {
    bytes.extend([0x80 | count, kind]);
    bytes.extend((length / 4).saturating_sub(1).to_be_bytes());
}
