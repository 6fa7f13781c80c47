//! The VP8 payload descriptor (RFC 7741 §4.2) and the frame header's first bytes (RFC 6386 §9.1).

const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;
const HAS_PICTURE_ID: u8 = 0x80;
const HAS_TL0PICIDX: u8 = 0x40;
const HAS_TID_OR_KEYIDX: u8 = 0x30;
const LONG: u8 = 0x80;

/// A payload descriptor with a 15-bit picture id.
pub(crate) fn write(start: bool, picture_id: u16) -> [u8; 4] {
    let [high, low] = picture_id.to_be_bytes();
    [EXTENDED | if start { START } else { 0 }, HAS_PICTURE_ID, LONG | high, low]
}

/// The properties of a payload that a receiver needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Vp8 {
    /// The payload starts a frame.
    pub(crate) start: bool,
    /// Width and height, if the payload starts a keyframe.
    pub(crate) keyframe: Option<(u16, u16)>,
}

impl Vp8 {
    /// Parses a payload; `None` if it ends within its descriptor.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let (&first, mut rest) = payload.split_first()?;
        if first & EXTENDED != 0 {
            let (&flags, behind) = rest.split_first()?;
            let id = match behind.first() {
                Some(id) if flags & HAS_PICTURE_ID != 0 => 1 + usize::from(id & LONG != 0),
                None if flags & HAS_PICTURE_ID != 0 => return None,
                _ => 0,
            };
            let fields = [flags & HAS_TL0PICIDX != 0, flags & HAS_TID_OR_KEYIDX != 0];
            let length = id + fields.iter().filter(|on| **on).count();
            rest = behind.get(length..)?;
        }
        let start = first & START != 0 && first & PARTITION == 0;
        let keyframe = match rest {
            [tag, _, _, 0x9D, 0x01, 0x2A, w0, w1, h0, h1, ..] if start && tag & 1 == 0 => {
                let size = |low, high| u16::from_le_bytes([low, high]) & 0x3FFF;
                Some((size(*w0, *w1), size(*h0, *h1)))
            }
            _ => None,
        };
        Some(Self { start, keyframe })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clip;

    #[test]
    fn descriptor_round_trips() {
        let frames = clip::video_frames(360);
        let first = [&write(true, 0x7FFF)[..], frames[0]].concat();
        assert_eq!(Vp8::read(&first), Some(Vp8 { start: true, keyframe: Some((640, 360)) }));
        let delta = [&write(true, 1)[..], frames[1]].concat();
        assert_eq!(Vp8::read(&delta), Some(Vp8 { start: true, keyframe: None }));
        let behind = [&write(false, 1)[..], frames[0]].concat();
        assert_eq!(Vp8::read(&behind), Some(Vp8::default()));
    }

    #[test]
    fn all_descriptor_forms_parse_and_truncated_ones_fail() {
        let key = [0x10, 0, 0, 0x9D, 1, 0x2A, 0x40, 1, 0xB4, 0];
        let size = Some((320, 180));
        for header in
            [&[0x10][..], &[0x90, 0x80, 5], &[0x90, 0xC0, 5, 6], &[0x90, 0xF0, 0x81, 2, 3, 4]]
        {
            let payload = [header, &key].concat();
            assert_eq!(Vp8::read(&payload).and_then(|vp8| vp8.keyframe), size, "{header:?}");
            for end in 0..header.len() {
                assert_eq!(Vp8::read(&payload[..end]), None, "{header:?} cut at {end}");
            }
        }
    }
}
