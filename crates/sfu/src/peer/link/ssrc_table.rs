//! Whose packets a link takes: what is known of each SSRC.

use std::time::Instant;

use foldhash::HashMap;
use str0m::{Rtc, rtp::Ssrc};

use super::allowance::Allowance;
use crate::{output::DropReason, str0m_workarounds::receive_streams::Before};

/// SSRCs remembered: three layers of camera and screen and two of sound, each with its repairs, and
/// their forerunners.
const MOST: usize = 64;

/// What stands in front of a packet in clear (RFC 3550 §5.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    ssrc: Ssrc,
    payload_type: u8,
    seq: u16,
}

impl Head {
    /// Of RTP; RTCP has another (RFC 5761 §4).
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let [first, second, s0, s1, _, _, _, _, x0, x1, x2, x3, ..] = *bytes else { return None };
        let is_rtp = (128..192).contains(&first) && !(192..224).contains(&second);
        is_rtp.then(|| Self {
            ssrc: u32::from_be_bytes([x0, x1, x2, x3]).into(),
            payload_type: second & 0x7f,
            seq: u16::from_be_bytes([s0, s1]),
        })
    }

    pub(super) fn ssrc(self) -> u32 {
        *self.ssrc
    }
}

#[derive(Debug)]
pub(super) struct Sources {
    known: HashMap<Ssrc, Known>,
    new: Allowance,
}

#[derive(Debug)]
struct Known {
    heard: Instant,
    /// The newest number of what was its sender's beyond doubt.
    proven: Option<u16>,
}

impl Sources {
    pub(super) fn new(now: Instant) -> Self {
        Self { known: HashMap::default(), new: Allowance::new(now) }
    }

    /// Whether the engine may see a packet: not if there are ever new SSRCs, of each of which it would
    /// keep something.
    pub(super) fn admit(&mut self, now: Instant, head: Head) -> bool {
        if let Some(known) = self.known.get_mut(&head.ssrc) {
            known.heard = now;
            return true;
        }
        if !self.new.is_left(now) {
            return false;
        }
        self.new.spend();
        if self.known.len() >= MOST {
            let stalest = self.known.iter().min_by_key(|(_, it)| (it.proven.is_some(), it.heard));
            if let Some(stalest) = stalest.map(|(ssrc, _)| *ssrc) {
                self.known.remove(&stalest);
            }
        }
        self.known.insert(head.ssrc, Known { heard: now, proven: None });
        true
    }

    /// What is to be restored if a packet comes to nothing; none if its SSRC has proven to be its
    /// sender's.
    pub(super) fn before(&self, rtc: &mut Rtc, head: Head) -> Option<Before> {
        if head.ssrc.is_probe() || self.proven(head).is_some() {
            return None;
        }
        let proven = self.known.iter().filter(|(_, known)| known.proven.is_some());
        Some(Before::of(rtc, head.ssrc, proven.map(|(ssrc, _)| *ssrc)))
    }

    /// A packet was new and its sender's.
    pub(super) fn prove(&mut self, head: Head) {
        if let Some(known) = self.known.get_mut(&head.ssrc)
            && known.proven.is_none_or(|newest| !is_behind(head.seq, newest))
        {
            known.proven = Some(head.seq);
        }
    }

    /// A packet has come to nothing: why, if that is worth telling.
    pub(super) fn judge(&self, rtc: &mut Rtc, head: Head) -> Option<DropReason> {
        if self.proven(head).is_some_and(|newest| is_behind(head.seq, newest)) {
            return Some(DropReason::Replayed);
        }
        // Probes and repairs are padding for the most part, which comes to nothing as well.
        let mut repairs = rtc.codec_config().params().iter().filter_map(|it| it.resend());
        let pads = head.ssrc.is_probe() || repairs.any(|pt| *pt == head.payload_type);
        let mut direct = rtc.direct_api();
        let repairs = |ssrc| direct.stream_rx(ssrc).and_then(|it| it.rtx()) == Some(head.ssrc);
        let pads = pads || self.known.keys().any(repairs);
        (!pads).then_some(DropReason::Forged)
    }

    fn proven(&self, head: Head) -> Option<u16> {
        self.known.get(&head.ssrc)?.proven
    }
}

/// In the arithmetic of numbers that wrap (RFC 1982 §3.2).
fn is_behind(seq: u16, newest: u16) -> bool {
    newest.wrapping_sub(seq) < 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use testnet::Clock;

    fn head(ssrc: u32, seq: u16) -> Head {
        Head { ssrc: ssrc.into(), payload_type: 96, seq }
    }

    #[test]
    fn a_head_is_of_rtp_and_whole() {
        let packet = [0x80, 0xe0, 1, 2, 0, 0, 0, 0, 9, 8, 7, 6];
        let head = Head::read(&packet).unwrap();
        assert_eq!((*head.ssrc, head.payload_type, head.seq), (0x0908_0706, 0x60, 0x0102));
        for other in [&packet[..11], &[0x80, 201, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[22; 12], &[]] {
            assert!(Head::read(other).is_none());
        }
    }

    #[test]
    fn of_ever_new_numbers_some_are_let_in_and_those_that_have_proven_themselves_stay() {
        let mut clock = Clock::new();
        let mut sources = Sources::new(clock.now());
        assert!(sources.admit(clock.now(), head(1, 5)));
        sources.prove(head(1, 5));
        let mut let_in = 0;
        for ssrc in 1000..100_000 {
            let_in += usize::from(sources.admit(clock.now(), head(ssrc, 1)));
            clock.advance(Duration::from_millis(1));
        }
        assert!((150..170).contains(&let_in), "{let_in} in 99 seconds");
        assert!(sources.known.len() <= MOST);
        assert!(sources.admit(clock.now(), head(1, 6)));
        assert_eq!(sources.proven(head(1, 6)), Some(5));
    }

    #[test]
    fn numbers_that_wrap_go_on() {
        let clock = Clock::new();
        let mut sources = Sources::new(clock.now());
        sources.admit(clock.now(), head(1, 65_534));
        for (seq, newest) in [(65_534, 65_534), (3, 3), (65_535, 3), (4, 4)] {
            sources.prove(head(1, seq));
            assert_eq!(sources.proven(head(1, seq)), Some(newest));
        }
        assert!(is_behind(65_535, 4) && is_behind(4, 4) && !is_behind(5, 4));
    }
}
