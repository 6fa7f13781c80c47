//! The path on which str0m sends.

use str0m::{Rtc, rtp::Ssrc};

/// Makes str0m send a meaningless RTCP APP packet. It leaves on the nominated path.
pub(crate) fn probe(rtc: &mut Rtc) {
    let unused = Ssrc::from(1);
    rtc.direct_api().send_app_specific_feedback(unused, unused, [0; 4]);
}
