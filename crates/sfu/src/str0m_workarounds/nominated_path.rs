//! The path on which str0m sends.

use str0m::{Rtc, rtp::Ssrc};

/// Has str0m send an RTCP APP packet of no meaning: the five-tuple it leaves on is the nominated one.
pub(crate) fn probe(rtc: &mut Rtc) {
    let nobody = Ssrc::from(1);
    rtc.direct_api().send_app_specific_feedback(nobody, nobody, [0; 4]);
}
