//! Send streams, which str0m creates while it negotiates.

use str0m::{Rtc, media::Mid};

/// Removes str0m's send streams of these sections. str0m would send reports on their SSRCs, which
/// are ours: both would use the same SRTCP keystream.
pub(crate) fn remove(rtc: &mut Rtc, sections: impl Iterator<Item = Mid>) {
    let mut direct = rtc.direct_api();
    for mid in sections {
        while let Some(ssrc) = direct.stream_tx_by_mid(mid, None).map(|stream| stream.ssrc()) {
            direct.remove_stream_tx(ssrc);
        }
    }
}
