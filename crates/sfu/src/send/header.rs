//! RTP headers as we write them, with their extensions (RFC 3550 §5.1, RFC 8285).

use crate::track::packet::ForwardedExtensions;

/// The one-byte form of extensions holds no longer value, nor a higher number (RFC 8285 §4.2).
const ONE_BYTE_FORM: usize = 16;

/// Of the fixed header.
pub(super) struct Head {
    pub(super) payload_type: u8,
    pub(super) marker: bool,
    /// Whether the payload ends with padding.
    pub(super) padded: bool,
    pub(super) seq: u16,
    pub(super) time: u32,
    pub(super) ssrc: u32,
}

/// What the extensions are called on a section; none of what was not agreed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Names {
    pub(crate) mid: Option<u8>,
    pub(crate) transport_number: Option<u8>,
    pub(crate) send_time: Option<u8>,
    pub(crate) audio_level: Option<u8>,
    pub(crate) playout_delay: Option<u8>,
    pub(crate) content_type: Option<u8>,
    pub(crate) capture_time: Option<u8>,
    pub(crate) dependency: Option<u8>,
}

/// What they are to say.
#[derive(Default)]
pub(super) struct Values<'a> {
    pub(super) mid: Option<&'a str>,
    pub(super) transport_number: Option<u16>,
    /// In 2^-18 seconds, 24 bits.
    pub(super) send_time: Option<u32>,
    pub(super) carried: ForwardedExtensions,
    /// The descriptor and the frame number to write into it.
    pub(super) dependency: Option<(&'a [u8], u16)>,
}

/// Writes a header; gives its length.
pub(super) fn write(bytes: &mut Vec<u8>, head: &Head, names: &Names, values: &Values<'_>) -> usize {
    let start = bytes.len();
    let first = 0x80 | u8::from(head.padded) << 5;
    bytes.extend([first, u8::from(head.marker) << 7 | head.payload_type & 0x7f]);
    bytes.extend(head.seq.to_be_bytes());
    bytes.extend(head.time.to_be_bytes());
    bytes.extend(head.ssrc.to_be_bytes());
    let extensions = bytes.len();
    let long = |length: Option<usize>| length.is_some_and(|it| it > ONE_BYTE_FORM);
    let two_bytes = long(values.dependency.map(|(descriptor, _)| descriptor.len()))
        || long(values.mid.map(str::len));
    bytes.extend(if two_bytes { [0x10, 0, 0, 0] } else { [0xbe, 0xde, 0, 0] });
    let mut elements = Elements { bytes, two_bytes };
    elements.write(names, values);
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
    fn write(&mut self, names: &Names, values: &Values<'_>) {
        let carried = &values.carried;
        self.element(names.transport_number, values.transport_number.map(u16::to_be_bytes));
        self.element(names.mid, values.mid);
        let [_, time @ ..] = values.send_time.unwrap_or_default().to_be_bytes();
        self.element(names.send_time, values.send_time.map(|_| time));
        self.element(names.audio_level, carried.audio_level.map(|level| [level.to_byte()]));
        self.element(names.playout_delay, carried.playout_delay);
        self.element(names.content_type, carried.content_type.map(|it| [it]));
        if let Some((time, offset)) = carried.capture_time {
            match offset {
                Some(offset) => {
                    let both = u128::from(time) << 64 | u128::from(offset);
                    self.element(names.capture_time, Some(both.to_be_bytes()));
                }
                None => self.element(names.capture_time, Some(time.to_be_bytes())),
            }
        }
        if let Some((descriptor, frame)) = values.dependency {
            let start = self.bytes.len() + if self.two_bytes { 2 } else { 1 };
            self.element(names.dependency, Some(descriptor));
            // The frame number stands behind flags and template number.
            if names.dependency.is_some()
                && let Some(number) = self.bytes.get_mut(start + 1..start + 3)
            {
                number.copy_from_slice(&frame.to_be_bytes());
            }
        }
    }

    fn element(&mut self, name: Option<u8>, value: Option<impl AsRef<[u8]>>) {
        let (Some(name), Some(value)) = (name, value) else { return };
        let value = value.as_ref();
        let Ok(length) = u8::try_from(value.len()) else { return };
        match (self.two_bytes, length) {
            (true, _) => self.bytes.extend([name, length]),
            (false, 1..=16) => self.bytes.push(name << 4 | (length - 1)),
            (false, _) => return,
        }
        self.bytes.extend_from_slice(value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::packet::AudioLevel;

    fn head() -> Head {
        Head {
            payload_type: 96,
            marker: true,
            padded: false,
            seq: 0x1234,
            time: 0x0102_0304,
            ssrc: 9,
        }
    }

    fn names() -> Names {
        Names {
            mid: Some(4),
            transport_number: Some(3),
            audio_level: Some(1),
            dependency: Some(12),
            ..Names::default()
        }
    }

    #[test]
    fn without_extensions_it_is_the_fixed_header() {
        let mut bytes = vec![7];
        assert_eq!(write(&mut bytes, &head(), &names(), &Values::default()), 12);
        assert_eq!(bytes, [7, 0x80, 0x80 | 96, 0x12, 0x34, 1, 2, 3, 4, 0, 0, 0, 9]);
    }

    #[test]
    fn extensions_go_by_the_names_that_were_agreed_and_fill_whole_words() {
        let level = AudioLevel { dbov: -37, voice_activity: true };
        let carried = ForwardedExtensions {
            audio_level: Some(level),
            content_type: Some(1),
            ..ForwardedExtensions::default()
        };
        let values =
            Values { mid: Some("7"), transport_number: Some(0x0a0b), carried, ..Values::default() };
        let mut bytes = Vec::new();
        let length = write(&mut bytes, &head(), &names(), &values);
        let expected = [0xbe, 0xde, 0, 2, 0x31, 0x0a, 0x0b, 0x40, b'7', 0x10, 0x80 | 37, 0];
        assert_eq!((bytes[0], &bytes[12..]), (0x90, &expected[..]));
        assert_eq!(length, bytes.len());
    }

    #[test]
    fn a_long_descriptor_makes_all_of_them_long_and_gets_its_frame_number() {
        for (length, form) in [(4, [0xbe, 0xde]), (40, [0x10, 0])] {
            let descriptor = vec![0xee; length];
            let dependency = Some((&descriptor[..], 0x5566));
            let values = Values { dependency, mid: Some("12"), ..Values::default() };
            let mut bytes = Vec::new();
            write(&mut bytes, &head(), &names(), &values);
            assert_eq!(bytes[12..14], form);
            assert!(bytes.windows(4).any(|it| it == [0xee, 0x55, 0x66, 0xee]));
            assert_eq!(bytes.len() % 4, 0);
            assert_eq!(usize::from(bytes[15]) * 4, bytes.len() - 16);
        }
    }
}
