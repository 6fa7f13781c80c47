//! VP8 payload descriptor (RFC 7741 §4.2).
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |X|R|N|S|R| PID | required
//! |I|L|T|K| RSV   | if X
//! |M| PictureID   | if I, one byte or two
//! |   TL0PICIDX   | if L
//! |TID|Y| KEYIDX  | if T or K
//! ```

use super::{Bytes, Meta};

/// What stands before the frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// The first packet of the first partition.
    pub starts: bool,
    /// Picture number and whether it has 15 bits rather than 7.
    pub picture: Option<(u16, bool)>,
    /// Number of the last frame of temporal layer 0.
    pub tl0: Option<u8>,
    /// Temporal layer, and whether it refers to layer 0 alone (Y).
    pub temporal: Option<(u8, bool)>,
    /// Its length, bytes.
    pub length: usize,
}

impl Descriptor {
    /// Reads a descriptor; none if it is cut short or nothing follows it.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(payload);
        let required = bytes.byte()?;
        let extended = if required & 0x80 != 0 { bytes.byte()? } else { 0 };
        let picture = if extended & 0x80 != 0 { Some(picture(&mut bytes)?) } else { None };
        let tl0 = if extended & 0x40 != 0 { Some(bytes.byte()?) } else { None };
        let mut temporal = None;
        if extended & 0x30 != 0 {
            let byte = bytes.byte()?;
            temporal = (extended & 0x20 != 0).then_some((byte >> 6, byte & 0x20 != 0));
        }
        let length = payload.len() - bytes.0.len();
        (length < payload.len()).then_some(Self {
            starts: required & 0x10 != 0 && required & 0x07 == 0,
            picture,
            tl0,
            temporal,
            length,
        })
    }

    pub(super) fn meta(&self, payload: &[u8]) -> Meta {
        let frame = payload.get(self.length..).unwrap_or_default();
        let keyframe = self.starts && frame.first().is_some_and(|tag| tag & 1 == 0);
        let (temporal, sync) = self.temporal.unwrap_or_default();
        Meta {
            keyframe,
            temporal,
            switches_up: keyframe || sync || temporal == 0,
            starts: self.starts,
            independent: keyframe,
            size: if keyframe { size(frame) } else { None },
            ..Meta::default()
        }
    }
}

/// Puts a picture's number and that of the last frame of layer 0 into its descriptor, where it has them.
pub(crate) fn renumber(payload: &mut [u8], (picture, tl0): (u16, u8)) {
    let [required, extended, rest @ ..] = payload else { return };
    if *required & 0x80 == 0 {
        return;
    }
    let [high, low] = (picture & 0x7fff).to_be_bytes();
    let mut fields = rest.iter_mut();
    if *extended & 0x80 != 0 {
        let Some(first) = fields.next() else { return };
        if *first & 0x80 == 0 {
            *first = low & 0x7f;
        } else {
            *first = 0x80 | high;
            if let Some(second) = fields.next() {
                *second = low;
            }
        }
    }
    if *extended & 0x40 != 0
        && let Some(field) = fields.next()
    {
        *field = tl0;
    }
}

fn picture(bytes: &mut Bytes<'_>) -> Option<(u16, bool)> {
    let first = bytes.byte()?;
    if first & 0x80 == 0 {
        return Some((u16::from(first), false));
    }
    Some((u16::from_be_bytes([first & 0x7f, bytes.byte()?]), true))
}

/// A keyframe's width and height (RFC 6386 §9.1).
fn size(frame: &[u8]) -> Option<(u16, u16)> {
    let start = frame.get(3..10)?;
    let [0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *start else { return None };
    Some((u16::from_le_bytes([w0, w1]) & 0x3fff, u16::from_le_bytes([h0, h1]) & 0x3fff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyframe_of_a_layered_stream_is_read_whole() {
        let mut payload = vec![0x90, 0xe0, 0x92, 0x34, 0x77, 0x40];
        payload.extend([0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41]);
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!((descriptor.picture, descriptor.tl0), (Some((0x1234, true)), Some(0x77)));
        assert_eq!((descriptor.temporal, descriptor.length), (Some((1, false)), 6));
        let meta = descriptor.meta(&payload);
        assert!(meta.keyframe && meta.starts);
        assert_eq!(meta.size, Some((640, 360)), "without the scaling bits");
        for end in 0..=descriptor.length {
            assert_eq!(Descriptor::parse(&payload[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn numbers_are_put_where_a_descriptor_has_them() {
        for (descriptor, expected) in [
            (
                &[0x90, 0xe0, 0x92, 0x34, 0x77, 0x40, 9][..],
                &[0x90, 0xe0, 0xd5, 0x43, 0x21, 0x40, 9][..],
            ),
            (&[0x90, 0xc0, 0x12, 0x77, 9], &[0x90, 0xc0, 0x43, 0x21, 9]),
            (&[0x90, 0x40, 0x77, 9], &[0x90, 0x40, 0x21, 9]),
            (&[0x90, 0x80, 0x12, 9], &[0x90, 0x80, 0x43, 9]),
            (&[0x10, 0x80, 0x12, 9], &[0x10, 0x80, 0x12, 9]),
        ] {
            let mut payload = descriptor.to_vec();
            renumber(&mut payload, (0x5543, 0x21));
            assert_eq!(payload, expected);
        }
        let whole = [0x90, 0xe0, 0x92, 0x34, 0x77, 0x40];
        for end in 0..whole.len() {
            renumber(&mut whole[..end].to_vec(), (1, 1));
        }
    }

    #[test]
    fn a_plain_descriptor_is_one_byte() {
        let delta = Descriptor::parse(&[0x10, 0x01, 0xff]).unwrap();
        assert_eq!((delta.length, delta.picture, delta.temporal), (1, None, None));
        assert!(!delta.meta(&[0x10, 0x01, 0xff]).keyframe);
        let middle = Descriptor::parse(&[0x00, 0x00]).unwrap();
        assert!(!middle.meta(&[0x00, 0x00]).keyframe, "only a frame's first packet starts it");
    }
}
