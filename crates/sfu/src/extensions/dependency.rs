//! The dependency descriptor of AV1 as a header extension, forwarded as received.

use std::sync::Arc;

use str0m::rtp::{ExtensionSerializer, ExtensionValues};

pub(crate) const DEPENDENCY_URI: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// A descriptor and its frame number.
#[derive(Debug, Clone)]
pub(crate) struct Dependency {
    pub(crate) bytes: Arc<[u8]>,
    pub(crate) frame: u16,
}

#[derive(Debug)]
pub(crate) struct DependencySerializer;

/// The frame number, which follows flags and template id.
pub(crate) fn frame_of(bytes: &[u8]) -> Option<u16> {
    let [_, high, low, ..] = *bytes else { return None };
    Some(u16::from_be_bytes([high, low]))
}

impl ExtensionSerializer for DependencySerializer {
    /// Never called: str0m sends no media.
    fn write_to(&self, _: &mut [u8], _: &ExtensionValues) -> usize {
        0
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

    fn requires_two_byte_form(&self, _: &ExtensionValues) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptor_is_kept_and_its_frame_number_parsed() {
        let bytes = [0xc5, 0x12, 0x34, 0x80, 1, 2, 3];
        let mut values = ExtensionValues::default();
        assert!(!DependencySerializer.parse_value(&bytes[..2], &mut values), "truncated");
        assert!(DependencySerializer.parse_value(&bytes, &mut values));
        let read = values.user_values.get::<Dependency>().unwrap();
        assert_eq!((read.frame, &read.bytes[..]), (0x1234, &bytes[..]));
    }
}
