//! Detection of keyframes in H264 payloads (RFC 6184).

use super::payload_info::PayloadInfo;

/// NAL unit types (RFC 6184 §5.2, ITU-T H.264 §7.4.1).
const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const IDR: u8 = 5;
const SPS: u8 = 7;

pub(super) fn inspect(payload: &[u8]) -> PayloadInfo {
    PayloadInfo::without_layers(starts_keyframe(payload).unwrap_or(false))
}

/// Returns whether a payload starts a keyframe: with the parameter set (SPS) that precedes an IDR
/// picture, or with an IDR slice, since some encoders send parameter sets only once.
fn starts_keyframe(payload: &[u8]) -> Option<bool> {
    let (head, mut rest) = payload.split_first()?;
    match head & 0x1f {
        STAP_A => {
            while let Some((length, after)) = rest.split_first_chunk::<2>() {
                let unit = after.get(..usize::from(u16::from_be_bytes(*length)))?;
                if matches!(unit.first()? & 0x1f, IDR | SPS) {
                    return Some(true);
                }
                rest = after.get(unit.len()..)?;
            }
            Some(false)
        }
        FU_A => {
            let fragment = rest.first()?;
            Some(fragment & 0x80 != 0 && fragment & 0x1f == IDR)
        }
        kind => Some(matches!(kind, IDR | SPS)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keyframe_is_detected_in_every_packetization() {
        assert!(inspect(&[0x67, 1, 2]).keyframe, "parameter set alone");
        assert!(inspect(&[0x65, 1, 2]).keyframe, "a whole slice");
        assert!(
            inspect(&[0x78, 0, 1, 0x09, 0, 2, 0x67, 1]).keyframe,
            "after a delimiter in a STAP-A"
        );
        assert!(inspect(&[0x7c, 0x85, 1]).keyframe, "first fragment");
        assert!(!inspect(&[0x7c, 0x05, 1]).keyframe, "later fragment");
        assert!(!inspect(&[0x61, 1, 2]).keyframe);
    }

    #[test]
    fn malformed_lengths_are_no_keyframe() {
        for malformed in [&[][..], &[0x78], &[0x78, 0xff, 0xff, 0x67], &[0x78, 0, 0], &[0x7c]] {
            assert!(!inspect(malformed).keyframe, "{malformed:?}");
        }
    }
}
