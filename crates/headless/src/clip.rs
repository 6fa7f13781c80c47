//! The recordings (media/record.mjs).

/// Frame rate of the VP8 recordings, each with one keyframe at its start.
pub(crate) const FRAMES_PER_SECOND: u32 = 25;

/// Height and file of each recording, lowest first.
const VIDEOS: [(u16, &[u8]); 3] = [
    (180, include_bytes!("../media/camera-180.ivf")),
    (360, include_bytes!("../media/camera-360.ivf")),
    (720, include_bytes!("../media/camera-720.ivf")),
];
const AUDIO: &[u8] = include_bytes!("../media/voice.opus-packets");

/// IVF: the header of the file, and the header of each frame.
const FILE_HEADER: usize = 32;
const FRAME_HEADER: usize = 12;

/// The frames of the highest recording up to `height`, or of the lowest one.
pub(crate) fn video_frames(height: u16) -> Vec<&'static [u8]> {
    let fits = VIDEOS.iter().rev().find(|(high, _)| *high <= height);
    let file = fits.or(VIDEOS.first()).map_or(&[][..], |(_, file)| *file);
    let mut rest = file.get(FILE_HEADER..).unwrap_or_default();
    std::iter::from_fn(|| {
        let (length, _) = rest.split_first_chunk::<4>()?;
        let end = FRAME_HEADER + usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let frame = rest.get(FRAME_HEADER..end)?;
        rest = rest.get(end..)?;
        Some(frame)
    })
    .collect()
}

/// The Opus packets of the audio recording, 20 ms each.
pub(crate) fn audio_packets() -> Vec<&'static [u8]> {
    let mut rest = AUDIO;
    std::iter::from_fn(|| {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let (packet, next) = behind.split_at_checked(u16::from_be_bytes(*length).into())?;
        rest = next;
        Some(packet)
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recordings_are_complete_and_start_with_a_keyframe() {
        for height in [180, 360, 720] {
            let frames = video_frames(height);
            assert_eq!(frames.len(), 100);
            let is_key = |frame: &&[u8]| frame.first().is_some_and(|tag| tag & 1 == 0);
            assert!(is_key(&frames[0]), "{height}");
            assert!(!frames[1..].iter().any(is_key), "{height}");
            assert_eq!(u16::from_le_bytes([frames[0][8], frames[0][9]]), height);
        }
        assert_eq!(video_frames(240), video_frames(180));
        assert_eq!(video_frames(90), video_frames(180));
        assert_eq!(audio_packets().len(), 201);
    }
}
