//! The dependency descriptor (AV1 RTP §A.8): which frame a packet is of, its layers, and who can do
//! without it.

use super::Meta;

/// Frames refer to at most so many templates (six bits).
const MOST_TEMPLATES: usize = 64;
/// Differences to earlier frames that one template may have.
const MOST_DIFFS: usize = 8;
const SWITCH: u8 = 2;

/// What a keyframe's descriptor says of all that follow until the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    offset: u8,
    targets: usize,
    templates: Vec<Template>,
    /// Width and height of the largest spatial layer, if told.
    pub size: Option<(u16, u16)>,
}

/// What frames with one template number are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Template {
    spatial: u8,
    temporal: u8,
    /// Per decode target: 0 not in it, 1 discardable, 2 switch, 3 required.
    indications: Vec<u8>,
}

/// One packet's descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Descriptor {
    /// The first packet of a frame.
    pub starts: bool,
    /// The last packet of a frame.
    pub ends: bool,
    /// The frame's number.
    pub frame: u16,
    /// Template number.
    template: u8,
    /// The structure, on a keyframe.
    pub structure: Option<Structure>,
}

impl Descriptor {
    /// Reads a descriptor; none if it is cut short or breaks the format's bounds.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut bits = Bits { bytes, at: 0 };
        let (starts, ends) = (bits.flag()?, bits.flag()?);
        let template = bits.small(6)?;
        let frame = bits.short()?;
        let mut structure = None;
        if bytes.len() > 3 {
            let present = bits.flag()?;
            bits.small(4)?;
            if present {
                structure = Some(Structure::parse(&mut bits)?);
            }
        }
        Some(Self { starts, ends, frame, template, structure })
    }

    /// What the packet is, by the structure in force.
    #[must_use]
    pub fn meta(&self, structure: Option<&Structure>) -> Option<Meta> {
        let structure = self.structure.as_ref().or(structure)?;
        let index = (self.template + 64 - structure.offset) % 64;
        let template = structure.templates.get(usize::from(index))?;
        let keyframe = self.structure.is_some() && template.spatial == 0;
        let switches = template.indications.contains(&SWITCH);
        Some(Meta {
            keyframe: keyframe && self.starts,
            spatial: template.spatial,
            temporal: template.temporal,
            switches_up: switches || template.temporal == 0,
            starts: self.starts,
            ends: self.ends,
            independent: self.structure.is_some(),
            size: self.structure.as_ref().and_then(|it| it.size),
        })
    }
}

impl Structure {
    fn parse(bits: &mut Bits<'_>) -> Option<Self> {
        let offset = bits.small(6)?;
        let targets = usize::from(bits.small(5)?) + 1;
        let mut templates = layers(bits)?;
        for template in &mut templates {
            for _ in 0..targets {
                template.indications.push(bits.small(2)?);
            }
        }
        for _ in 0..templates.len() {
            let mut diffs = 0;
            while bits.flag()? {
                bits.small(4)?;
                diffs += 1;
                if diffs > MOST_DIFFS {
                    return None;
                }
            }
        }
        let chains = bits.below(u32::try_from(targets).ok()? + 1)?;
        if chains > 0 {
            for _ in 0..targets {
                bits.below(chains)?;
            }
            for _ in 0..templates.len() {
                for _ in 0..chains {
                    bits.small(4)?;
                }
            }
        }
        let mut size = None;
        if bits.flag()? {
            for _ in 0..=templates.last()?.spatial {
                size = Some((bits.short()?.saturating_add(1), bits.short()?.saturating_add(1)));
            }
        }
        Some(Self { offset, targets, templates, size })
    }

    /// How many ways of decoding a part of the stream it names.
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
        if templates.len() > MOST_TEMPLATES {
            return None;
        }
        match bits.small(2)? {
            0 => {}
            1 => temporal = (temporal < 7).then_some(temporal + 1)?,
            2 => (spatial, temporal) = ((spatial < 3).then_some(spatial + 1)?, 0),
            _ => return Some(templates),
        }
    }
}

/// Reads bits from the front.
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

    /// At most eight bits.
    fn small(&mut self, count: u32) -> Option<u8> {
        (0..count.min(8)).try_fold(0, |value, _| Some(value << 1 | u8::from(self.flag()?)))
    }

    fn short(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes([self.small(8)?, self.small(8)?]))
    }

    /// A value below `n`, in no more bits than it takes: ns(n) of the AV1 specification (§4.10.7).
    fn below(&mut self, n: u32) -> Option<u32> {
        let width = u32::BITS - n.leading_zeros();
        let short = (1_u32 << width) - n;
        let value = u32::from(self.small(width.saturating_sub(1))?);
        if value < short {
            return Some(value);
        }
        Some((value << 1) + u32::from(self.flag()?) - short)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes bits, to make descriptors for tests.
    #[derive(Default)]
    struct Written(Vec<bool>);

    impl Written {
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

    /// A keyframe of a stream with two temporal layers: templates 0 (T0) and 1 (T1), two targets.
    fn keyframe() -> Vec<u8> {
        let mandatory = Written::default().put(1, 1).put(0, 1).put(10, 6).put(500, 16);
        let flags = mandatory.put(1, 1).put(0, 4);
        let head = flags.put(10, 6).put(1, 5);
        let layers = head.put(1, 2).put(3, 2);
        let indications = layers.put(2, 2).put(2, 2).put(0, 2).put(1, 2);
        let diffs = indications.put(0, 1).put(1, 1).put(0, 4).put(0, 1);
        // One chain: ns(3) of 1 is "10"; each target is protected by it, in no bits.
        let chains = diffs.put(0b10, 2).put(0, 4).put(1, 4);
        chains.put(1, 1).put(639, 16).put(359, 16).bytes()
    }

    #[test]
    fn a_keyframe_tells_the_layers_of_what_follows() {
        let bytes = keyframe();
        let key = Descriptor::parse(&bytes).unwrap();
        let structure = key.structure.clone().unwrap();
        assert_eq!((key.frame, structure.targets(), structure.size), (500, 2, Some((640, 360))));
        assert!(key.meta(None).unwrap().keyframe);
        let next = Descriptor::parse(&[0xc0 | 11, 1, 245]).unwrap();
        let meta = next.meta(Some(&structure)).unwrap();
        assert_eq!((meta.temporal, meta.keyframe, meta.starts, meta.ends), (1, false, true, true));
        assert_eq!(next.meta(None), None, "without a structure nothing is known");
        assert_eq!(Descriptor::parse(&[0xc0 | 12, 1, 246]).unwrap().meta(Some(&structure)), None);
    }

    #[test]
    fn what_is_cut_short_is_none() {
        let bytes = keyframe();
        for end in (0..3).chain(4..bytes.len()) {
            assert_eq!(Descriptor::parse(&bytes[..end]), None, "cut at {end}");
        }
    }
}
