//! Writer of RTP headers and header extensions (RFC 3550 §5.1, RFC 8285).

use crate::track::packet::ForwardedExtensions;

/// Longest value that the one-byte form of extensions holds (RFC 8285 §4.2).
const MAX_ONE_BYTE_VALUE: usize = 16;

/// Fields of the fixed header (RFC 3550 §5.1).
pub(super) struct FixedHeader {
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    /// True if the payload ends with padding.
    pub(super) is_padded: bool,
    pub(super) seq: u16,
    pub(super) timestamp: u32,
    pub(super) ssrc: u32,
}

/// Ids of the header extensions on a section; `None` for those not negotiated.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ExtensionIds {
    pub(crate) mid: Option<u8>,
    pub(crate) twcc_seq: Option<u8>,
    pub(crate) abs_send_time: Option<u8>,
    pub(crate) audio_level: Option<u8>,
    pub(crate) playout_delay: Option<u8>,
    pub(crate) content_type: Option<u8>,
    pub(crate) capture_time: Option<u8>,
    pub(crate) dependency: Option<u8>,
}

/// Values of the header extensions.
#[derive(Default)]
pub(super) struct ExtensionValues<'a> {
    pub(super) mid: Option<&'a str>,
    pub(super) twcc_seq: Option<u16>,
    /// In 2^-18 seconds, 24 bits.
    pub(super) abs_send_time: Option<u32>,
    pub(super) forwarded: ForwardedExtensions,
    pub(super) dependency: Option<DependencyValue<'a>>,
}

/// A dependency descriptor, and the frame number to write into it.
#[derive(Clone, Copy)]
pub(super) struct DependencyValue<'a> {
    pub(super) descriptor: &'a [u8],
    pub(super) frame_number: u16,
}

/// Appends a header and returns its length.
pub(super) fn write(
    bytes: &mut Vec<u8>,
    header: &FixedHeader,
    ids: &ExtensionIds,
    values: &ExtensionValues<'_>,
) -> usize {
    let start = bytes.len();
    let first = 0x80 | u8::from(header.is_padded) << 5;
    bytes.extend([first, u8::from(header.marker) << 7 | header.payload_type & 0x7f]);
    bytes.extend(header.seq.to_be_bytes());
    bytes.extend(header.timestamp.to_be_bytes());
    bytes.extend(header.ssrc.to_be_bytes());
    let extensions = bytes.len();
    let is_long = |length: Option<usize>| length.is_some_and(|it| it > MAX_ONE_BYTE_VALUE);
    let two_bytes = is_long(values.dependency.map(|it| it.descriptor.len()))
        || is_long(values.mid.map(str::len));
    bytes.extend(if two_bytes { [0x10, 0, 0, 0] } else { [0xbe, 0xde, 0, 0] });
    let mut elements = Elements { bytes, two_bytes };
    elements.write(ids, values);
    let length = bytes.len() - extensions - 4;
    if length == 0 {
        bytes.truncate(extensions);
        return extensions - start;
    }
    bytes.resize(extensions + 4 + length.next_multiple_of(4), 0);
    let words = u16::try_from(length.div_ceil(4)).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(room) = bytes.get_mut(extensions + 2..extensions + 4) {
        room.copy_from_slice(&words);
    }
    if let Some(first) = bytes.get_mut(start) {
        *first |= 0x10;
    }
    bytes.len() - start
}

struct Elements<'a> {
    bytes: &'a mut Vec<u8>,
    two_bytes: bool,
}

impl Elements<'_> {
    fn write(&mut self, ids: &ExtensionIds, values: &ExtensionValues<'_>) {
        let forwarded = &values.forwarded;
        self.element(ids.twcc_seq, values.twcc_seq.map(u16::to_be_bytes));
        self.element(ids.mid, values.mid);
        let [_, time @ ..] = values.abs_send_time.unwrap_or_default().to_be_bytes();
        self.element(ids.abs_send_time, values.abs_send_time.map(|_| time));
        self.element(ids.audio_level, forwarded.audio_level.map(|level| [level.to_byte()]));
        self.element(ids.playout_delay, forwarded.playout_delay);
        self.element(ids.content_type, forwarded.content_type.map(|it| [it]));
        if let Some((time, offset)) = forwarded.capture_time {
            match offset {
                Some(offset) => {
                    let both = u128::from(time) << 64 | u128::from(offset);
                    self.element(ids.capture_time, Some(both.to_be_bytes()));
                }
                None => self.element(ids.capture_time, Some(time.to_be_bytes())),
            }
        }
        if let Some(DependencyValue { descriptor, frame_number }) = values.dependency {
            let start = self.bytes.len() + if self.two_bytes { 2 } else { 1 };
            self.element(ids.dependency, Some(descriptor));
            // The frame number follows flags and template id.
            if ids.dependency.is_some()
                && let Some(number) = self.bytes.get_mut(start + 1..start + 3)
            {
                number.copy_from_slice(&frame_number.to_be_bytes());
            }
        }
    }

    fn element(&mut self, id: Option<u8>, value: Option<impl AsRef<[u8]>>) {
        let (Some(id), Some(value)) = (id, value) else { return };
        let value = value.as_ref();
        let Ok(length) = u8::try_from(value.len()) else { return };
        match (self.two_bytes, length) {
            (true, _) => self.bytes.extend([id, length]),
            (false, 1..=16) => self.bytes.push(id << 4 | (length - 1)),
            (false, _) => return,
        }
        self.bytes.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::packet::AudioLevel;

    fn header() -> FixedHeader {
        FixedHeader {
            payload_type: 96,
            marker: true,
            is_padded: false,
            seq: 0x1234,
            timestamp: 0x0102_0304,
            ssrc: 9,
        }
    }

    fn ids() -> ExtensionIds {
        ExtensionIds {
            mid: Some(4),
            twcc_seq: Some(3),
            audio_level: Some(1),
            dependency: Some(12),
            ..ExtensionIds::default()
        }
    }

    #[test]
    fn header_without_extensions_is_the_fixed_header() {
        let mut bytes = vec![7];
        assert_eq!(write(&mut bytes, &header(), &ids(), &ExtensionValues::default()), 12);
        assert_eq!(bytes, [7, 0x80, 0x80 | 96, 0x12, 0x34, 1, 2, 3, 4, 0, 0, 0, 9]);
    }

    #[test]
    fn extensions_have_negotiated_ids_and_fill_whole_words() {
        let level = AudioLevel { dbov: -37, voice_activity: true };
        let forwarded = ForwardedExtensions {
            audio_level: Some(level),
            content_type: Some(1),
            ..ForwardedExtensions::default()
        };
        let values = ExtensionValues {
            mid: Some("7"),
            twcc_seq: Some(0x0a0b),
            forwarded,
            ..ExtensionValues::default()
        };
        let mut bytes = Vec::new();
        let length = write(&mut bytes, &header(), &ids(), &values);
        let expected = [0xbe, 0xde, 0, 2, 0x31, 0x0a, 0x0b, 0x40, b'7', 0x10, 0x80 | 37, 0];
        assert_eq!((bytes[0], &bytes[12..]), (0x90, &expected[..]));
        assert_eq!(length, bytes.len());
    }

    #[test]
    fn long_descriptor_selects_the_two_byte_form_and_gets_its_frame_number() {
        for (length, form) in [(4, [0xbe, 0xde]), (40, [0x10, 0])] {
            let descriptor = vec![0xee; length];
            let dependency =
                Some(DependencyValue { descriptor: &descriptor, frame_number: 0x5566 });
            let values =
                ExtensionValues { dependency, mid: Some("12"), ..ExtensionValues::default() };
            let mut bytes = Vec::new();
            write(&mut bytes, &header(), &ids(), &values);
            assert_eq!(bytes[12..14], form);
            assert!(bytes.windows(4).any(|it| it == [0xee, 0x55, 0x66, 0xee]));
            assert_eq!(bytes.len() % 4, 0);
            assert_eq!(usize::from(bytes[15]) * 4, bytes.len() - 16);
        }
    }
}
