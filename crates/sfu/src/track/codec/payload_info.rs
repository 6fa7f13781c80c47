//! Result of parsing a payload descriptor.

/// Position of a packet among frames and layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PayloadInfo {
    /// First packet of a frame that refers to no other.
    pub keyframe: bool,
    /// Spatial layer, from 0.
    pub spatial: u8,
    /// Temporal layer, from 0.
    pub temporal: u8,
    /// A receiver of the lower temporal layers can add this one from here on.
    pub is_switching_point: bool,
    /// First packet of its layer's frame.
    pub starts_frame: bool,
    /// Last packet of its layer's frame.
    pub ends_frame: bool,
    /// Refers to no earlier frame of its own spatial layer.
    pub is_independent: bool,
    /// Width and height, if the packet carries them.
    pub resolution: Option<(u16, u16)>,
}

impl PayloadInfo {
    /// A packet of a stream without layers.
    pub(super) fn without_layers(keyframe: bool) -> Self {
        Self {
            keyframe,
            starts_frame: keyframe,
            is_independent: keyframe,
            is_switching_point: true,
            ..Self::default()
        }
    }
}
