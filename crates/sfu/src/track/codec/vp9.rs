//! VP9 payload descriptor (RFC 9628 §4.2).
//!
//! ```text
//!  0 1 2 3 4 5 6 7
//! +-+-+-+-+-+-+-+-+
//! |I|P|L|F|B|E|V|Z| required
//! |M| PICTURE ID  | if I, one byte or two
//! | TID |U| SID |D| if L
//! |   TL0PICIDX   | if L and not F
//! | P_DIFF      |N| if P and F, up to three
//! | scalability structure | if V
//! ```

use super::{payload_info::PayloadInfo, reader::Reader};

/// Reference indices of one frame (RFC 9628 §4.2).
const MAX_REFERENCES: usize = 3;

/// The descriptor before a frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Predicted from earlier frames (P).
    pub is_inter_picture: bool,
    /// First packet of its layer's frame (B).
    pub starts_frame: bool,
    /// Last packet of its layer's frame (E).
    pub ends_frame: bool,
    /// Temporal and spatial layer (TID, SID), if the stream has layers.
    pub layers: Option<(u8, u8)>,
    /// A receiver of the lower temporal layers can add this one from here on (U).
    pub is_switching_point: bool,
    /// Predicted from the spatial layer below (D).
    pub is_inter_layer: bool,
    /// Width and height of the highest spatial layer, if the packet carries them.
    pub resolution: Option<(u16, u16)>,
    /// Reader of the descriptor.
    pub length: usize,
}

impl Descriptor {
    /// Parses a descriptor. `None` if it is truncated or nothing follows it.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        let first = reader.u8()?;
        let is_inter_picture = first & 0x40 != 0;
        let is_flexible = first & 0x10 != 0;
        if first & 0x80 != 0 && reader.u8()? & 0x80 != 0 {
            reader.u8()?;
        }
        let mut layers = None;
        let mut is_switching_point = false;
        let mut is_inter_layer = false;
        if first & 0x20 != 0 {
            let byte = reader.u8()?;
            layers = Some((byte >> 5, (byte >> 1) & 0x07));
            is_switching_point = byte & 0x10 != 0;
            is_inter_layer = byte & 1 != 0;
            if !is_flexible {
                reader.u8()?;
            }
        }
        if is_inter_picture && is_flexible {
            let mut references = 1;
            while reader.u8()? & 1 != 0 {
                references += 1;
                if references > MAX_REFERENCES {
                    return None;
                }
            }
        }
        let resolution = if first & 0x02 != 0 { structure(&mut reader)? } else { None };
        let length = payload.len() - reader.0.len();
        (length < payload.len()).then_some(Self {
            is_inter_picture,
            starts_frame: first & 0x08 != 0,
            ends_frame: first & 0x04 != 0,
            layers,
            is_switching_point,
            is_inter_layer,
            resolution,
            length,
        })
    }

    pub(super) fn inspect(&self) -> PayloadInfo {
        let (temporal, spatial) = self.layers.unwrap_or_default();
        let is_independent = !self.is_inter_picture;
        PayloadInfo {
            keyframe: self.starts_frame && is_independent && spatial == 0 && !self.is_inter_layer,
            spatial,
            temporal,
            is_switching_point: self.is_switching_point || temporal == 0,
            starts_frame: self.starts_frame,
            ends_frame: self.ends_frame,
            is_independent,
            resolution: self.resolution,
        }
    }
}

/// Skips the scalability structure and returns the resolution of its highest layer.
fn structure(reader: &mut Reader<'_>) -> Option<Option<(u16, u16)>> {
    let head = reader.u8()?;
    let mut resolution = None;
    if head & 0x10 != 0 {
        for _ in 0..=(head >> 5) {
            resolution = Some((reader.u16()?, reader.u16()?));
        }
    }
    if head & 0x08 != 0 {
        for _ in 0..reader.u8()? {
            let references = (reader.u8()? >> 2) & 0x03;
            for _ in 0..references {
                reader.u8()?;
            }
        }
    }
    Some(resolution)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layered_keyframe_carries_the_resolution() {
        // I, L, B, V. 15-bit picture id. TID 0, SID 0. TL0PICIDX. Structure of two layers and a
        // group.
        let mut payload = vec![0x80 | 0x20 | 0x08 | 0x02, 0x81, 0x00, 0x00, 0x05];
        payload.extend([0b0011_1000, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 1, 0b0000_0100, 1, 0xff]);
        let descriptor = Descriptor::parse(&payload).unwrap();
        assert_eq!((descriptor.layers, descriptor.resolution), (Some((0, 0)), Some((640, 360))));
        assert!(descriptor.inspect().keyframe);
        assert_eq!(descriptor.length, payload.len() - 1);
        for end in 0..descriptor.length {
            assert_eq!(Descriptor::parse(&payload[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn upper_layer_of_a_keyframe_is_not_a_keyframe() {
        // L, B, E, not inter-picture predicted. SID 1, D. TL0PICIDX.
        let descriptor = Descriptor::parse(&[0x20 | 0x08 | 0x04, 0b0000_0011, 9, 1]).unwrap();
        let info = descriptor.inspect();
        assert!(!info.keyframe && info.is_independent && info.ends_frame);
        assert_eq!(info.spatial, 1);
    }

    #[test]
    fn too_many_references_are_rejected() {
        assert_eq!(Descriptor::parse(&[0x50, 3, 3, 3, 3, 3]), None);
        assert!(Descriptor::parse(&[0x50, 3, 3, 2, 3, 3]).is_some());
    }
}
