//! H264 payloads (RFC 6184): where a keyframe starts.

use super::Meta;

const STAP_A: u8 = 24;
const FU_A: u8 = 28;
const IDR: u8 = 5;
const SPS: u8 = 7;

pub(super) fn meta(payload: &[u8]) -> Meta {
    Meta::plain(starts_keyframe(payload).unwrap_or(false))
}

/// A sequence parameter set leads in an IDR picture and comes in the same frame; an IDR slice alone
/// counts as well, since some encoders send parameters but once.
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
    fn a_keyframe_is_found_in_every_packaging() {
        assert!(meta(&[0x67, 1, 2]).keyframe, "parameters alone");
        assert!(meta(&[0x65, 1, 2]).keyframe, "a whole slice");
        assert!(
            meta(&[0x78, 0, 1, 0x09, 0, 2, 0x67, 1]).keyframe,
            "behind a delimiter in one packet"
        );
        assert!(meta(&[0x7c, 0x85, 1]).keyframe, "the first of its pieces");
        assert!(!meta(&[0x7c, 0x05, 1]).keyframe, "not the others");
        assert!(!meta(&[0x61, 1, 2]).keyframe);
    }

    #[test]
    fn lengths_that_lie_are_no_keyframe() {
        for lie in [&[][..], &[0x78], &[0x78, 0xff, 0xff, 0x67], &[0x78, 0, 0], &[0x7c]] {
            assert!(!meta(lie).keyframe, "{lie:?}");
        }
    }
}
