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

use super::{payload_info::PayloadInfo, reader::Reader};

/// The descriptor before a frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// First packet of the first partition.
    pub starts_frame: bool,
    /// PictureID, of 7 or 15 bits.
    pub picture_id: Option<u16>,
    /// TL0PICIDX: index of the last frame of temporal layer 0.
    pub tl0_pic_idx: Option<u8>,
    /// Temporal layer (TID), and whether the frame refers to layer 0 alone (Y).
    pub temporal: Option<(u8, bool)>,
    /// Reader of the descriptor.
    pub length: usize,
}

/// Picture ids of a packet that is forwarded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PictureIds {
    pub(crate) picture_id: u16,
    pub(crate) tl0_pic_idx: u8,
}

impl Descriptor {
    /// Parses a descriptor. `None` if it is truncated or nothing follows it.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let required = reader.u8()?;
        let extended = if required & 0x80 != 0 { reader.u8()? } else { 0 };
        let picture_id = if extended & 0x80 != 0 { Some(picture_id(&mut reader)?) } else { None };
        let tl0_pic_idx = if extended & 0x40 != 0 { Some(reader.u8()?) } else { None };
        let mut temporal = None;
        if extended & 0x30 != 0 {
            let byte = reader.u8()?;
            temporal = (extended & 0x20 != 0).then_some((byte >> 6, byte & 0x20 != 0));
        }
        let length = payload.len() - reader.0.len();
        (length < payload.len()).then_some(Self {
            starts_frame: required & 0x10 != 0 && required & 0x07 == 0,
            picture_id,
            tl0_pic_idx,
            temporal,
            length,
        })
    }

    pub(super) fn inspect(&self, payload: &[u8]) -> PayloadInfo {
        let frame = payload.get(self.length..).unwrap_or_default();
        let keyframe = self.starts_frame && frame.first().is_some_and(|tag| tag & 1 == 0);
        let (temporal, sync) = self.temporal.unwrap_or_default();
        PayloadInfo {
            keyframe,
            temporal,
            is_switching_point: keyframe || sync || temporal == 0,
            starts_frame: self.starts_frame,
            is_independent: keyframe,
            resolution: if keyframe { resolution(frame) } else { None },
            ..PayloadInfo::default()
        }
    }
}

/// Overwrites the picture ids in a descriptor, where it has them.
pub(crate) fn set_picture_ids(payload: &mut [u8], ids: PictureIds) {
    let [required, extended, rest @ ..] = payload else { return };
    if *required & 0x80 == 0 {
        return;
    }
    let [high, low] = (ids.picture_id & 0x7fff).to_be_bytes();
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
        *field = ids.tl0_pic_idx;
    }
}

fn picture_id(reader: &mut Reader<'_>) -> Option<u16> {
    let first = reader.u8()?;
    if first & 0x80 == 0 {
        return Some(u16::from(first));
    }
    Some(u16::from_be_bytes([first & 0x7f, reader.u8()?]))
}

/// Width and height of a keyframe (RFC 6386 §9.1).
fn resolution(frame: &[u8]) -> Option<(u16, u16)> {
    let start = frame.get(3..10)?;
    let [0x9d, 0x01, 0x2a, w0, w1, h0, h1] = *start else { return None };
    Some((u16::from_le_bytes([w0, w1]) & 0x3fff, u16::from_le_bytes([h0, h1]) & 0x3fff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_of_a_layered_keyframe_is_parsed() {
        let mut payload = vec![0x90, 0xe0, 0x92, 0x34, 0x77, 0x40];
        payload.extend([0x00, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0x68, 0x41]);
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!((descriptor.picture_id, descriptor.tl0_pic_idx), (Some(0x1234), Some(0x77)));
        assert_eq!((descriptor.temporal, descriptor.length), (Some((1, false)), 6));
        let info = descriptor.inspect(&payload);
        assert!(info.keyframe && info.starts_frame);
        assert_eq!(info.resolution, Some((640, 360)), "without the scaling bits");
        for end in 0..=descriptor.length {
            assert_eq!(Descriptor::parse(&payload[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn picture_ids_are_written_where_a_descriptor_has_them() {
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
            set_picture_ids(&mut payload, PictureIds { picture_id: 0x5543, tl0_pic_idx: 0x21 });
            assert_eq!(payload, expected);
        }
        let whole = [0x90, 0xe0, 0x92, 0x34, 0x77, 0x40];
        for end in 0..whole.len() {
            set_picture_ids(&mut whole[..end].to_vec(), PictureIds::default());
        }
    }

    #[test]
    fn minimal_descriptor_is_one_byte() {
        let delta = Descriptor::parse(&[0x10, 0x01, 0xff]).unwrap();
        assert_eq!((delta.length, delta.picture_id, delta.temporal), (1, None, None));
        assert!(!delta.inspect(&[0x10, 0x01, 0xff]).keyframe);
        let middle = Descriptor::parse(&[0x00, 0x00]).unwrap();
        assert!(!middle.inspect(&[0x00, 0x00]).keyframe, "only the first packet starts a frame");
    }
}
