//! SSRCs that a link receives, and whether their packets were authentic.

use std::time::Instant;

use foldhash::HashMap;
use str0m::{Rtc, rtp::Ssrc};

use super::rate_limit::RateLimit;
use crate::{output::DropReason, str0m_workarounds::receive_streams::ReceiveStreams};

/// SSRCs remembered: three layers each of camera and screen and two of audio, all with RTX, and
/// their predecessors.
const MAX_SSRCS: usize = 64;

/// Fields of an RTP header, which is not encrypted (RFC 3550 §5.1).
#[derive(Debug, Clone, Copy)]
pub(super) struct RtpHeader {
    ssrc: Ssrc,
    payload_type: u8,
    seq: u16,
}

impl RtpHeader {
    /// Parses the header of RTP; `None` for RTCP (RFC 5761 §4) and others.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
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
pub(super) struct SsrcTable {
    entries: HashMap<Ssrc, Entry>,
    new_ssrcs: RateLimit,
}

#[derive(Debug)]
struct Entry {
    last_received: Instant,
    /// Newest sequence number of an authentic packet.
    authentic_seq: Option<u16>,
}

impl SsrcTable {
    pub(super) fn new(now: Instant) -> Self {
        Self { entries: HashMap::default(), new_ssrcs: RateLimit::new(now) }
    }

    /// Returns whether str0m may see a packet. New SSRCs are limited, as str0m keeps state for
    /// each.
    pub(super) fn admit(&mut self, now: Instant, header: RtpHeader) -> bool {
        if let Some(entry) = self.entries.get_mut(&header.ssrc) {
            entry.last_received = now;
            return true;
        }
        if !self.new_ssrcs.is_left(now) {
            return false;
        }
        self.new_ssrcs.spend();
        if self.entries.len() >= MAX_SSRCS {
            let oldest = self
                .entries
                .iter()
                .min_by_key(|(_, entry)| (entry.authentic_seq.is_some(), entry.last_received));
            if let Some(oldest) = oldest.map(|(ssrc, _)| *ssrc) {
                self.entries.remove(&oldest);
            }
        }
        let entry = Entry { last_received: now, authentic_seq: None };
        self.entries.insert(header.ssrc, entry);
        true
    }

    /// State to restore if a packet turns out not to be authentic; `None` if its SSRC is known to
    /// be.
    pub(super) fn before(&self, rtc: &mut Rtc, header: RtpHeader) -> Option<ReceiveStreams> {
        if header.ssrc.is_probe() || self.authentic_seq(header).is_some() {
            return None;
        }
        let authentic = self.entries.iter().filter(|(_, entry)| entry.authentic_seq.is_some());
        Some(ReceiveStreams::snapshot(rtc, header.ssrc, authentic.map(|(ssrc, _)| *ssrc)))
    }

    /// Records a new, authentic packet.
    pub(super) fn authenticate(&mut self, header: RtpHeader) {
        if let Some(entry) = self.entries.get_mut(&header.ssrc)
            && entry.authentic_seq.is_none_or(|newest| !is_behind(header.seq, newest))
        {
            entry.authentic_seq = Some(header.seq);
        }
    }

    /// The reason for which str0m has dropped a packet; `None` for padding.
    pub(super) fn drop_reason(&self, rtc: &mut Rtc, header: RtpHeader) -> Option<DropReason> {
        if self.authentic_seq(header).is_some_and(|newest| is_behind(header.seq, newest)) {
            return Some(DropReason::Replayed);
        }
        // Probes and RTX are mostly padding, which str0m does not return.
        let mut rtx_pts = rtc.codec_config().params().iter().filter_map(|it| it.resend());
        let is_probe = header.ssrc.is_probe() || rtx_pts.any(|pt| *pt == header.payload_type);
        let mut direct = rtc.direct_api();
        let has_rtx = |ssrc| direct.stream_rx(ssrc).and_then(|it| it.rtx()) == Some(header.ssrc);
        let may_be_padding = is_probe || self.entries.keys().any(has_rtx);
        (!may_be_padding).then_some(DropReason::Forged)
    }

    fn authentic_seq(&self, header: RtpHeader) -> Option<u16> {
        self.entries.get(&header.ssrc)?.authentic_seq
    }
}

/// Returns whether a sequence number is not ahead of the newest (RFC 1982 §3.2).
fn is_behind(seq: u16, newest: u16) -> bool {
    newest.wrapping_sub(seq) < 0x8000
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use testnet::Clock;

    fn header(ssrc: u32, seq: u16) -> RtpHeader {
        RtpHeader { ssrc: ssrc.into(), payload_type: 96, seq }
    }

    #[test]
    fn only_complete_rtp_headers_are_parsed() {
        let packet = [0x80, 0xe0, 1, 2, 0, 0, 0, 0, 9, 8, 7, 6];
        let header = RtpHeader::parse(&packet).unwrap();
        assert_eq!((*header.ssrc, header.payload_type, header.seq), (0x0908_0706, 0x60, 0x0102));
        for other in [&packet[..11], &[0x80, 201, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[22; 12], &[]] {
            assert!(RtpHeader::parse(other).is_none());
        }
    }

    #[test]
    fn new_ssrcs_are_limited_and_authentic_ones_stay() {
        let mut clock = Clock::new();
        let mut table = SsrcTable::new(clock.now());
        assert!(table.admit(clock.now(), header(1, 5)));
        table.authenticate(header(1, 5));
        let mut admitted = 0;
        for ssrc in 1000..100_000 {
            admitted += usize::from(table.admit(clock.now(), header(ssrc, 1)));
            clock.advance(Duration::from_millis(1));
        }
        assert!((150..170).contains(&admitted), "{admitted} in 99 seconds");
        assert!(table.entries.len() <= MAX_SSRCS);
        assert!(table.admit(clock.now(), header(1, 6)));
        assert_eq!(table.authentic_seq(header(1, 6)), Some(5));
    }

    #[test]
    fn sequence_numbers_may_wrap() {
        let clock = Clock::new();
        let mut table = SsrcTable::new(clock.now());
        table.admit(clock.now(), header(1, 65_534));
        for (seq, newest) in [(65_534, 65_534), (3, 3), (65_535, 3), (4, 4)] {
            table.authenticate(header(1, seq));
            assert_eq!(table.authentic_seq(header(1, seq)), Some(newest));
        }
        assert!(is_behind(65_535, 4) && is_behind(4, 4) && !is_behind(5, 4));
    }
}
