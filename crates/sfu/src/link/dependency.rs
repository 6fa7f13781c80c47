//! The dependency descriptor as a header extension: carried as it is, but for its frame number.

use std::sync::Arc;
use str0m::rtp::{ExtensionSerializer, ExtensionValues};

pub(super) const DEPENDENCY_URI: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";
/// The longest value that fits the one-byte form of extensions (RFC 8285 §4.2).
const ONE_BYTE_FORM: usize = 16;

/// The descriptor's bytes and the frame number to write into them.
#[derive(Debug, Clone)]
pub(super) struct Dependency {
    pub(super) bytes: Arc<[u8]>,
    pub(super) frame: u16,
}

#[derive(Debug)]
pub(super) struct DependencySerializer;

/// The frame number stands behind flags and template number.
pub(super) fn frame_of(bytes: &[u8]) -> Option<u16> {
    let [_, high, low, ..] = *bytes else { return None };
    Some(u16::from_be_bytes([high, low]))
}

impl ExtensionSerializer for DependencySerializer {
    fn write_to(&self, buffer: &mut [u8], values: &ExtensionValues) -> usize {
        let Some(it) = values.user_values.get::<Dependency>() else { return 0 };
        let Some(room) = buffer.get_mut(..it.bytes.len()) else { return 0 };
        room.copy_from_slice(&it.bytes);
        if let Some(frame) = room.get_mut(1..3) {
            frame.copy_from_slice(&it.frame.to_be_bytes());
        }
        it.bytes.len()
    }

    fn parse_value(&self, bytes: &[u8], values: &mut ExtensionValues) -> bool {
        let Some(frame) = frame_of(bytes) else { return false };
        values.user_values.set(Dependency { bytes: bytes.into(), frame });
        true
    }

    fn is_video(&self) -> bool {
        true
    }

    fn is_audio(&self) -> bool {
        false
    }

    fn requires_two_byte_form(&self, values: &ExtensionValues) -> bool {
        let it = values.user_values.get::<Dependency>();
        it.is_some_and(|it| it.bytes.len() > ONE_BYTE_FORM)
    }
}
