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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_descriptor_is_carried_as_it_is_but_for_its_frame_number() {
        let bytes = [0xc5, 0x12, 0x34, 0x80, 1, 2, 3];
        let mut values = ExtensionValues::default();
        assert!(DependencySerializer.parse_value(&bytes, &mut values));
        let read = values.user_values.get::<Dependency>().cloned().unwrap();
        assert_eq!(read.frame, 0x1234);
        values.user_values.set(Dependency { frame: 0xabcd, ..read });
        let mut buffer = [0; 16];
        assert_eq!(DependencySerializer.write_to(&mut buffer, &values), bytes.len());
        assert_eq!(buffer[..7], [0xc5, 0xab, 0xcd, 0x80, 1, 2, 3]);
        assert!(!DependencySerializer.requires_two_byte_form(&values));
    }

    #[test]
    fn what_is_too_short_or_too_long_is_left_out() {
        let mut values = ExtensionValues::default();
        assert!(!DependencySerializer.parse_value(&[1, 2], &mut values));
        assert_eq!(DependencySerializer.write_to(&mut [0; 16], &values), 0);
        assert!(DependencySerializer.parse_value(&[7; 60], &mut values));
        assert!(DependencySerializer.requires_two_byte_form(&values));
        assert_eq!(DependencySerializer.write_to(&mut [0; 16], &values), 0, "there is no room");
    }
}
