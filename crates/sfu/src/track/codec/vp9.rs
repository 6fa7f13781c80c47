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

use super::{Bytes, Meta};

const MOST_REFERENCES: usize = 3;

/// What stands before the frame's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor {
    /// Predicted from earlier pictures (P).
    pub predicted: bool,
    /// The first packet of its layer's frame (B).
    pub starts: bool,
    /// The last packet of its layer's frame (E).
    pub ends: bool,
    /// Temporal and spatial layer, if the stream has any.
    pub layers: Option<(u8, u8)>,
    /// Whoever got the lower temporal layers can take this one from here on (U).
    pub switches_up: bool,
    /// Predicted from the spatial layer below (D).
    pub between_layers: bool,
    /// Width and height of the largest spatial layer, if told.
    pub size: Option<(u16, u16)>,
    /// Its length, bytes.
    pub length: usize,
}

impl Descriptor {
    /// Reads a descriptor; none if it is cut short or nothing follows it.
    #[must_use]
    pub fn parse(payload: &[u8]) -> Option<Self> {
        let mut bytes = Bytes(payload);
        let first = bytes.byte()?;
        let (predicted, flexible) = (first & 0x40 != 0, first & 0x10 != 0);
        if first & 0x80 != 0 && bytes.byte()? & 0x80 != 0 {
            bytes.byte()?;
        }
        let mut layers = None;
        let (mut switches_up, mut between_layers) = (false, false);
        if first & 0x20 != 0 {
            let byte = bytes.byte()?;
            layers = Some((byte >> 5, (byte >> 1) & 0x07));
            (switches_up, between_layers) = (byte & 0x10 != 0, byte & 1 != 0);
            if !flexible {
                bytes.byte()?;
            }
        }
        if predicted && flexible {
            let mut references = 1;
            while bytes.byte()? & 1 != 0 {
                references += 1;
                if references > MOST_REFERENCES {
                    return None;
                }
            }
        }
        let size = if first & 0x02 != 0 { structure(&mut bytes)? } else { None };
        let length = payload.len() - bytes.0.len();
        (length < payload.len()).then_some(Self {
            predicted,
            starts: first & 0x08 != 0,
            ends: first & 0x04 != 0,
            layers,
            switches_up,
            between_layers,
            size,
            length,
        })
    }

    pub(super) fn meta(&self) -> Meta {
        let (temporal, spatial) = self.layers.unwrap_or_default();
        let independent = !self.predicted;
        Meta {
            keyframe: self.starts && independent && spatial == 0 && !self.between_layers,
            spatial,
            temporal,
            switches_up: self.switches_up || temporal == 0,
            starts: self.starts,
            ends: self.ends,
            independent,
            size: self.size,
        }
    }
}

/// The scalability structure; what is of use is the size of its largest layer.
fn structure(bytes: &mut Bytes<'_>) -> Option<Option<(u16, u16)>> {
    let head = bytes.byte()?;
    let mut size = None;
    if head & 0x10 != 0 {
        for _ in 0..=(head >> 5) {
            size = Some((bytes.short()?, bytes.short()?));
        }
    }
    if head & 0x08 != 0 {
        for _ in 0..bytes.byte()? {
            let references = (bytes.byte()? >> 2) & 0x03;
            for _ in 0..references {
                bytes.byte()?;
            }
        }
    }
    Some(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layered_keyframe_tells_its_sizes() {
        // I, L, B, V; 15-bit picture; TID 0, SID 0; TL0PICIDX; structure of two layers and a group.
        let mut payload = vec![0x80 | 0x20 | 0x08 | 0x02, 0x81, 0x00, 0x00, 0x05];
        payload.extend([0b0011_1000, 1, 0x40, 0, 0xb4, 2, 0x80, 1, 0x68, 1, 0b0000_0100, 1, 0xff]);
        let it = Descriptor::parse(&payload).unwrap();
        assert_eq!((it.layers, it.size), (Some((0, 0)), Some((640, 360))));
        assert!(it.meta().keyframe);
        assert_eq!(it.length, payload.len() - 1);
        for end in 0..it.length {
            assert_eq!(Descriptor::parse(&payload[..end]), None, "cut at {end}");
        }
    }

    #[test]
    fn an_upper_layer_of_a_keyframe_starts_no_keyframe_of_its_own() {
        // L, B, E, not predicted in time, from below: SID 1, D; then TL0PICIDX.
        let it = Descriptor::parse(&[0x20 | 0x08 | 0x04, 0b0000_0011, 9, 1]).unwrap().meta();
        assert!(!it.keyframe && it.independent && it.ends);
        assert_eq!(it.spatial, 1);
    }

    #[test]
    fn references_without_end_are_refused() {
        assert_eq!(Descriptor::parse(&[0x50, 3, 3, 3, 3, 3]), None);
        assert!(Descriptor::parse(&[0x50, 3, 3, 2, 3, 3]).is_some());
    }
}
