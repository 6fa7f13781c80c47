//! Rules about the visitor's computer.

use serde::{Deserialize, Serialize};

use super::VisitorCode;
use crate::{Certainty, Finding};

/// Fewest frames that say something.
const MIN_FRAMES: u32 = 20;
/// Time to encode a frame (ms) from which on 30 a second leave no time for anything else.
const SLOW_MS: f64 = 28.0;
/// Share of the frames of which fewer are a trouble.
const FRAMES_ENCODED: f64 = 0.67;

/// Test of the video encoder, with a moving picture of the size of a camera's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Encoder {
    /// Height of the video.
    pub height: u32,
    /// The browser's own prediction that frames are encoded in time.
    pub is_smooth: Option<bool>,
    /// Frames of the picture.
    pub captured: u32,
    /// Frames of these that were encoded.
    pub encoded: u32,
    /// Time to encode one (ms).
    pub encode_ms: f64,
    /// The encoder said that the computer limits it.
    pub is_limited: bool,
}

pub(super) fn judge(encoder: &Encoder) -> Option<Finding> {
    let certainty = if encoder.captured < MIN_FRAMES {
        // The browser knows of earlier videos of other sizes, on a computer that may have been busy.
        (encoder.is_smooth == Some(false)).then_some(Certainty::Possible)?
    } else {
        let share = f64::from(encoder.encoded) / f64::from(encoder.captured);
        let is_late = encoder.encode_ms >= SLOW_MS && share < FRAMES_ENCODED;
        (encoder.is_limited || is_late).then_some(Certainty::Likely)?
    };
    Some(Finding::new(VisitorCode::Cpu, certainty).with("height", encoder.height))
}
