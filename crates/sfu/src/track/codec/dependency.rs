//! Dependency descriptor (AV1 RTP §A.8): the frame of a packet, its layers and its decode targets.

use super::payload_info::PayloadInfo;

/// Templates of a structure: the template id has six bits.
const MAX_TEMPLATES: usize = 64;
/// Frame differences of one template.
const MAX_DIFFS: usize = 8;
/// Decode target indication of a switching point (AV1 RTP §A.8.2).
const SWITCH: u8 = 2;

/// Template structure of a keyframe. It applies to all frames until the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    offset: u8,
    targets: usize,
    templates: Vec<Template>,
    /// Width and height of the highest spatial layer, if present.
    pub resolution: Option<(u16, u16)>,
}

/// Layers and decode targets of the frames with one template id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    /// Decode target indications: 0 not present, 1 discardable, 2 switch, 3 required.
    indications: Vec<u8>,
}

/// Descriptor of one packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// First packet of a frame.
    pub starts_frame: bool,
    /// Last packet of a frame.
    pub ends_frame: bool,
    /// Frame number.
    pub frame_number: u16,
    /// Template id.
    template: u8,
    /// The structure, on a keyframe.
    pub structure: Option<Structure>,
}

impl Descriptor {
    /// Parses a descriptor. `None` if it is truncated or exceeds the format's bounds.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits { bytes, at: 0 };
        let starts_frame = bits.flag()?;
        let ends_frame = bits.flag()?;
        let template = bits.bits(6)?;
        let frame_number = bits.u16()?;
        let mut structure = None;
        if bytes.len() > 3 {
            let present = bits.flag()?;
            bits.bits(4)?;
            if present {
                structure = Some(Structure::parse(&mut bits)?);
            }
        }
        Some(Self { starts_frame, ends_frame, frame_number, template, structure })
    }

    /// Resolves the template, by this packet's structure or the one in force.
    #[must_use]
    pub fn inspect(&self, structure: Option<&Structure>) -> Option<PayloadInfo> {
        let structure = self.structure.as_ref().or(structure)?;
        let index = (self.template + 64 - structure.offset) % 64;
        let template = structure.templates.get(usize::from(index))?;
        let keyframe = self.structure.is_some() && template.spatial == 0;
        let is_switching_point = template.indications.contains(&SWITCH);
        Some(PayloadInfo {
            keyframe: keyframe && self.starts_frame,
            spatial: template.spatial,
            temporal: template.temporal,
            is_switching_point: is_switching_point || template.temporal == 0,
            starts_frame: self.starts_frame,
            ends_frame: self.ends_frame,
            is_independent: self.structure.is_some(),
            resolution: self.structure.as_ref().and_then(|structure| structure.resolution),
        })
    }
}

impl Structure {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let offset = bits.bits(6)?;
        let targets = usize::from(bits.bits(5)?) + 1;
        let mut templates = layers(bits)?;
        for template in &mut templates {
            for _ in 0..targets {
                template.indications.push(bits.bits(2)?);
            }
        }
        for _ in 0..templates.len() {
            let mut diffs = 0;
            while bits.flag()? {
                bits.bits(4)?;
                diffs += 1;
                if diffs > MAX_DIFFS {
                    return None;
                }
            }
        }
        let chains = bits.non_symmetric(u32::try_from(targets).ok()? + 1)?;
        if chains > 0 {
            for _ in 0..targets {
                bits.non_symmetric(chains)?;
            }
            for _ in 0..templates.len() {
                for _ in 0..chains {
                    bits.bits(4)?;
                }
            }
        }
        let mut resolution = None;
        if bits.flag()? {
            for _ in 0..=templates.last()?.spatial {
                resolution = Some((bits.u16()?.saturating_add(1), bits.u16()?.saturating_add(1)));
            }
        }
        Some(Self { offset, targets, templates, resolution })
    }

    /// Number of decode targets.
    #[must_use]
    pub fn targets(&self) -> usize {
        self.targets
    }
}

fn layers(bits: &mut Bits<'_>) -> Option<Vec<Template>> {
    let mut templates = Vec::new();
    let (mut spatial, mut temporal) = (0_u8, 0_u8);
    loop {
        templates.push(Template { spatial, temporal, indications: Vec::new() });
        if templates.len() > MAX_TEMPLATES {
            return None;
        }
        match bits.bits(2)? {
            0 => {}
            1 => temporal = (temporal < 7).then_some(temporal + 1)?,
            2 => (spatial, temporal) = ((spatial < 3).then_some(spatial + 1)?, 0),
            _ => return Some(templates),
        }
    }
}

/// Reads bits from the front of a slice.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Bits<'_> {
    fn flag(&mut self) -> Option<bool> {
        let byte = self.bytes.get(self.at / 8)?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Some(bit == 1)
    }

    /// An integer of at most eight bits.
    fn bits(&mut self, count: u32) -> Option<u8> {
        (0..count.min(8)).try_fold(0, |value, _| Some(value << 1 | u8::from(self.flag()?)))
    }

    fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.bits(8)?, self.bits(8)?]))
    }

    /// A value below `n` in as few bits as possible: ns(n) of the AV1 specification (§4.10.7).
    fn non_symmetric(&mut self, n: u32) -> Option<u32> {
        let width = u32::BITS - n.leading_zeros();
        let short_codes = (1_u32 << width) - n;
        let value = u32::from(self.bits(width.saturating_sub(1))?);
        if value < short_codes {
            return Some(value);
        }
        Some((value << 1) + u32::from(self.flag()?) - short_codes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the bits of a test's descriptor.
    #[derive(Default)]
    struct BitWriter(Vec<bool>);

    impl BitWriter {
        fn put(mut self, value: u32, width: u32) -> Self {
            self.0.extend((0..width).rev().map(|bit| value >> bit & 1 == 1));
            self
        }

        fn bytes(&self) -> Vec<u8> {
            let byte = |bits: &[bool]| {
                (0..8).fold(0, |byte, i| byte << 1 | u8::from(bits.get(i) == Some(&true)))
            };
            self.0.chunks(8).map(byte).collect()
        }
    }

    /// A keyframe of a stream with two temporal layers: templates 0 (T0) and 1 (T1), two decode
    /// targets.
    fn keyframe() -> Vec<u8> {
        let mandatory = BitWriter::default().put(1, 1).put(0, 1).put(10, 6).put(500, 16);
        let flags = mandatory.put(1, 1).put(0, 4);
        let head = flags.put(10, 6).put(1, 5);
        let layers = head.put(1, 2).put(3, 2);
        let indications = layers.put(2, 2).put(2, 2).put(0, 2).put(1, 2);
        let diffs = indications.put(0, 1).put(1, 1).put(0, 4).put(0, 1);
        // One chain: ns(3) of 1 is "10". It protects each target, which takes no bits.
        let chains = diffs.put(0b10, 2).put(0, 4).put(1, 4);
        chains.put(1, 1).put(639, 16).put(359, 16).bytes()
    }

    #[test]
    fn structure_of_a_keyframe_applies_to_later_frames() {
        let bytes = keyframe();
        let key = Descriptor::parse(&bytes).unwrap();
        let structure = key.structure.clone().unwrap();
        assert_eq!(
            (key.frame_number, structure.targets(), structure.resolution),
            (500, 2, Some((640, 360)))
        );
        assert!(key.inspect(None).unwrap().keyframe);
        let next = Descriptor::parse(&[0xc0 | 11, 1, 245]).unwrap();
        let info = next.inspect(Some(&structure)).unwrap();
        assert_eq!((info.temporal, info.keyframe), (1, false));
        assert!(info.starts_frame && info.ends_frame);
        assert_eq!(next.inspect(None), None, "the template is unknown without a structure");
        assert_eq!(
            Descriptor::parse(&[0xc0 | 12, 1, 246]).unwrap().inspect(Some(&structure)),
            None
        );
    }

    #[test]
    fn truncated_descriptor_is_rejected() {
        let bytes = keyframe();
        for end in (0..3).chain(4..bytes.len()) {
            assert_eq!(Descriptor::parse(&bytes[..end]), None, "cut at {end}");
        }
    }
}
