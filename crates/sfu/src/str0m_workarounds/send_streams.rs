//! Send streams, which str0m creates while it negotiates.

use str0m::{Rtc, media::Mid};

/// Takes the send streams of sections from str0m: were they its own, it would report on them under
/// SSRCs that are ours.
pub(crate) fn remove(rtc: &mut Rtc, sections: impl Iterator<Item = Mid>) {
    let mut direct = rtc.direct_api();
    for mid in sections {
        while let Some(ssrc) = direct.stream_tx_by_mid(mid, None).map(|stream| stream.ssrc()) {
            direct.remove_stream_tx(ssrc);
        }
    }
}
