//! One subscriber's copy of a track.

use std::time::{Duration, Instant};

use super::link::Link;
use crate::{
    bwe::keyframe_backoff::PliHistory, output::Unavailable, quality::PauseReason,
    send::SendStreamId, track::rewriter::RtpRewriter,
};

/// Minimum interval between two changes of [`CodecSupport`].
const CODEC_CHANGE_INTERVAL: Duration = Duration::from_secs(1);

/// Sending state of a receiving section. It outlives the track on the section: sequence numbers
/// continue with the next track.
#[derive(Debug)]
pub(crate) struct DownTrack {
    pub(crate) rewriter: RtpRewriter,
    /// `None` until the section is negotiated.
    pub(crate) send_stream: Option<SendStreamId>,
    pub(crate) pli_history: Option<PliHistory>,
    pub(crate) codec_support: CodecSupport,
    /// Reason for which a video is sent nothing, as of the last allocation.
    pub(crate) paused: Option<PauseReason>,
}

/// Support of the publisher's codec by the subscriber.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct CodecSupport {
    is_unsupported: bool,
    changed: Option<Instant>,
}

impl CodecSupport {
    /// Updates from a packet. Returns whether the subscriber must be notified of a change. A
    /// publisher that alternates between codecs causes at most one change per interval.
    pub(crate) fn update(&mut self, now: Instant, is_supported: bool) -> bool {
        if self.is_unsupported != is_supported {
            return false;
        }
        let rested = |at| now.saturating_duration_since(at) >= CODEC_CHANGE_INTERVAL;
        let has_changed = self.changed.is_none_or(rested);
        if has_changed {
            *self = Self { is_unsupported: !is_supported, changed: Some(now) };
        }
        has_changed
    }

    pub(crate) fn unavailable(self) -> Option<Unavailable> {
        self.is_unsupported.then_some(Unavailable::Codec)
    }
}

impl DownTrack {
    pub(crate) fn new(rewriter: RtpRewriter) -> Self {
        Self {
            rewriter,
            send_stream: None,
            pli_history: None,
            codec_support: CodecSupport::default(),
            paused: None,
        }
    }

    /// Sets the reason for a pause. Returns it if it is new.
    pub(crate) fn set_paused(&mut self, paused: Option<PauseReason>) -> Option<PauseReason> {
        let before = std::mem::replace(&mut self.paused, paused);
        paused.filter(|reason| Some(*reason) != before)
    }

    /// Pauses until the keyframe of a pending switch arrives. Retransmissions of the old encoding
    /// stop too, since they would only delay the new one.
    pub(crate) fn pause_for_keyframe(&mut self, link: Option<&mut Link>) {
        if self.rewriter.pause_for_keyframe()
            && let (Some(link), Some(stream)) = (link, self.send_stream)
        {
            link.clear_rtx_cache(stream);
        }
    }
}
