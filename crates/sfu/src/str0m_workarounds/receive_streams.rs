//! Receive streams that a packet may move before it was authenticated.
//!
//! The engine moves a stream to another SSRC as soon as a packet says so, before it knows whether the
//! packet is its sender's, and never moves it back. So what a packet that came to nothing has changed
//! is undone.

use str0m::{
    Rtc,
    media::{Mid, Rid},
    rtp::Ssrc,
};

/// How streams were before a packet whose SSRC has proven nothing.
#[derive(Debug)]
pub(crate) struct Before {
    was_there: bool,
    streams: Vec<Stream>,
}

#[derive(Debug, Clone, Copy)]
struct Stream {
    ssrc: Ssrc,
    repairs: Option<Ssrc>,
    mid: Mid,
    rid: Option<Rid>,
}

impl Before {
    /// The receive streams of these SSRCs, before str0m sees a packet of `ssrc`.
    pub(crate) fn of(rtc: &mut Rtc, ssrc: Ssrc, proven: impl Iterator<Item = Ssrc>) -> Self {
        let mut direct = rtc.direct_api();
        let was_there = direct.stream_rx(&ssrc).is_some();
        let streams = proven.filter_map(|ssrc| {
            let it = direct.stream_rx(&ssrc)?;
            Some(Stream { ssrc, repairs: it.rtx(), mid: it.mid(), rid: it.rid() })
        });
        Self { was_there, streams: streams.collect() }
    }

    /// Undoes what a packet of `ssrc` that came to nothing has changed.
    pub(crate) fn restore(self, rtc: &mut Rtc, ssrc: Ssrc) {
        if !self.was_there {
            rtc.direct_api().remove_stream_rx(ssrc);
        }
        for it in self.streams.into_iter().filter(|it| it.ssrc != ssrc) {
            // Else there is none to be expected.
            if rtc.media(it.mid).is_none() {
                continue;
            }
            let mut direct = rtc.direct_api();
            let now = direct.stream_rx(&it.ssrc).map(|now| now.rtx());
            if now.is_none_or(|repairs| repairs != it.repairs) {
                direct.expect_stream_rx(it.ssrc, it.repairs, it.mid, it.rid);
            }
        }
    }
}
