//! Receive streams, which str0m moves to another SSRC before it authenticates the packet.
//!
//! str0m never moves a stream back. So the streams are recorded before a packet of a new SSRC, and
//! restored if the packet turns out to be forged.

use str0m::{
    Rtc,
    media::{Mid, Rid},
    rtp::Ssrc,
};

/// Receive streams before a packet whose SSRC is not authenticated.
#[derive(Debug)]
pub(crate) struct ReceiveStreams {
    has_stream: bool,
    authenticated: Vec<ReceiveStream>,
}

#[derive(Debug, Clone, Copy)]
struct ReceiveStream {
    ssrc: Ssrc,
    rtx_ssrc: Option<Ssrc>,
    mid: Mid,
    rid: Option<Rid>,
}

impl ReceiveStreams {
    /// Records the streams of authenticated SSRCs, before str0m handles a packet of `ssrc`.
    pub(crate) fn snapshot(
        rtc: &mut Rtc,
        ssrc: Ssrc,
        authenticated: impl Iterator<Item = Ssrc>,
    ) -> Self {
        let mut direct = rtc.direct_api();
        let has_stream = direct.stream_rx(&ssrc).is_some();
        let authenticated = authenticated.filter_map(|ssrc| {
            let stream = direct.stream_rx(&ssrc)?;
            Some(ReceiveStream {
                ssrc,
                rtx_ssrc: stream.rtx(),
                mid: stream.mid(),
                rid: stream.rid(),
            })
        });
        Self { has_stream, authenticated: authenticated.collect() }
    }

    /// Restores the streams after a forged packet of `ssrc`.
    pub(crate) fn restore(self, rtc: &mut Rtc, ssrc: Ssrc) {
        if !self.has_stream {
            rtc.direct_api().remove_stream_rx(ssrc);
        }
        for stream in self.authenticated.into_iter().filter(|stream| stream.ssrc != ssrc) {
            // The section may have been removed.
            if rtc.media(stream.mid).is_none() {
                continue;
            }
            let mut direct = rtc.direct_api();
            let rtx_ssrc = direct.stream_rx(&stream.ssrc).map(|known| known.rtx());
            if rtx_ssrc.is_none_or(|rtx_ssrc| rtx_ssrc != stream.rtx_ssrc) {
                direct.expect_stream_rx(stream.ssrc, stream.rtx_ssrc, stream.mid, stream.rid);
            }
        }
    }
}
