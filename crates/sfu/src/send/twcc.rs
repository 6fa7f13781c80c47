//! Transport-wide congestion control feedback on received packets
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! Senders may choose any sequence numbers, so the state is bounded, and no gap that is reported is
//! longer than [`MAX_GAP`].

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::seq::extend;
use crate::quality::PacketCounts;

/// Longest time until an arrival is reported.
const FEEDBACK_INTERVAL: Duration = Duration::from_millis(50);
/// Arrivals kept; beyond, the oldest is dropped.
const MAX_ARRIVALS: usize = 1024;
/// Reported arrivals kept, so that a reordered packet can be reported among its neighbours.
const MAX_REPORTED: usize = 128;
/// A sequence number further away from the newest restarts the recording.
const MAX_GAP: u64 = 4096;
/// Packets covered by one feedback packet, including missing ones.
const MAX_STATUSES: usize = 8000;
/// Bytes of one feedback packet: with SRTCP it fits a datagram.
const MAX_BYTES: usize = 1100;
/// Feedback packets sent at a time.
const MAX_FEEDBACK_PACKETS: usize = 16;

/// Offset of extended sequence numbers, so that they can go below the first.
const FIRST_CYCLE: u64 = 1 << 32;
const RTCP_TRANSPORT_FEEDBACK: u8 = 205;
const FORMAT: u8 = 15;
/// Bytes of the packet before the first chunk.
const HEADER_BYTES: usize = 20;
/// Unit of the reference time in microseconds.
const REFERENCE_UNIT: u128 = 64_000;
/// Unit of receive deltas in microseconds.
const DELTA_UNIT: i128 = 250;
/// Longest run length of a chunk.
const MAX_RUN: usize = 0x1fff;

/// Recorder of the arrivals on one link, and writer of the feedback on them.
#[derive(Debug)]
pub(super) struct TwccRecorder {
    /// Sender SSRC of the feedback.
    ssrc: u32,
    /// Zero of the reference time.
    epoch: Instant,
    newest: Option<u64>,
    /// In the order of their sequence numbers.
    arrivals: VecDeque<Arrival>,
    /// Number of arrivals at the front that have been reported.
    reported: usize,
    /// True if older arrivals were dropped.
    is_trimmed: bool,
    /// SSRC of the packet received last.
    media_ssrc: u32,
    due: Option<Instant>,
    feedback_count: u8,
    /// Sequence number from which on packets are expected.
    first: u64,
    arrived: u64,
    /// Packets before the last restart of the recording.
    before_restart: PacketCounts,
}

#[derive(Debug, Clone, Copy)]
struct Arrival {
    seq: u64,
    at: Instant,
}

/// Status of one packet in the feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Missing,
    Small(u8),
    Large(i16),
}

impl Status {
    fn symbol(self) -> u16 {
        match self {
            Self::Missing => 0,
            Self::Small(_) => 1,
            Self::Large(_) => 2,
        }
    }

    fn bytes(self) -> usize {
        usize::from(self.symbol())
    }
}

impl TwccRecorder {
    pub(super) fn new(ssrc: u32, epoch: Instant) -> Self {
        Self {
            ssrc,
            epoch,
            newest: None,
            arrivals: VecDeque::new(),
            reported: 0,
            is_trimmed: false,
            media_ssrc: 0,
            due: None,
            feedback_count: 0,
            first: 0,
            arrived: 0,
            before_restart: PacketCounts::default(),
        }
    }

    /// Records the sequence number of an authenticated packet.
    pub(super) fn handle_arrival(&mut self, now: Instant, media_ssrc: u32, seq: u16) {
        self.media_ssrc = media_ssrc;
        let seq = match self.newest {
            Some(newest) => extend(newest, seq),
            None => FIRST_CYCLE + u64::from(seq),
        };
        if self.newest.is_some_and(|newest| newest.abs_diff(seq) > MAX_GAP) {
            self.before_restart = self.total();
            self.arrivals.clear();
            self.reported = 0;
            self.is_trimmed = false;
            self.newest = None;
            self.arrived = 0;
        }
        if !self.insert(Arrival { seq, at: now }) {
            return;
        }
        self.first = if self.arrived == 0 { seq } else { self.first.min(seq) };
        self.arrived += 1;
        self.newest = Some(self.newest.map_or(seq, |newest| newest.max(seq)));
        self.due.get_or_insert(now + FEEDBACK_INTERVAL);
        while self.arrivals.len() > MAX_ARRIVALS || self.reported > MAX_REPORTED {
            self.arrivals.pop_front();
            self.reported = self.reported.saturating_sub(1);
            self.is_trimmed = true;
        }
    }

    /// All packets of the peer so far, by the gaps in their sequence numbers.
    pub(super) fn total(&self) -> PacketCounts {
        let PacketCounts { expected, lost } = self.before_restart;
        let span = self.newest.map_or(0, |newest| newest.saturating_sub(self.first) + 1);
        PacketCounts { expected: expected + span, lost: lost + span.saturating_sub(self.arrived) }
    }

    /// Inserts an arrival in order. Returns whether it is to be reported.
    fn insert(&mut self, arrival: Arrival) -> bool {
        if self.newest.is_none_or(|newest| newest < arrival.seq) {
            self.arrivals.push_back(arrival);
            return true;
        }
        let Err(at) = self.arrivals.binary_search_by_key(&arrival.seq, |it| it.seq) else {
            return false;
        };
        if at == 0 && self.is_trimmed {
            return false;
        }
        self.arrivals.insert(at, arrival);
        self.reported = self.reported.min(at);
        true
    }

    /// Time at which to call [`handle_timeout`](Self::handle_timeout), if any.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Passes each feedback packet that is due to `send`.
    pub(super) fn handle_timeout(&mut self, now: Instant, mut send: impl FnMut(&[u8])) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let mut bytes = Vec::new();
        for _ in 0..MAX_FEEDBACK_PACKETS {
            bytes.clear();
            if !self.write_next(&mut bytes) {
                break;
            }
            send(&bytes);
        }
        self.due = (self.reported < self.arrivals.len()).then(|| now + FEEDBACK_INTERVAL);
    }

    /// Writes the next feedback packet. Returns whether there is one.
    fn write_next(&mut self, bytes: &mut Vec<u8>) -> bool {
        let Some(first) = self.arrivals.get(self.reported).copied() else { return false };
        // Includes the packets missing since the last feedback.
        let before = self.reported.checked_sub(1).and_then(|at| self.arrivals.get(at));
        let base = before
            .map(|before| before.seq + 1)
            .filter(|base| first.seq - base <= MAX_GAP)
            .unwrap_or(first.seq);
        let since = |at: Instant| at.saturating_duration_since(self.epoch).as_micros();
        let reference = since(first.at) / REFERENCE_UNIT;
        let mut time = i128::try_from(reference * REFERENCE_UNIT).unwrap_or(0) / DELTA_UNIT;
        let mut statuses = Vec::new();
        // An upper bound: only a run covers fewer than seven packets, up to a different status.
        let mut length = HEADER_BYTES + 4;
        let mut covered = 0;
        for arrival in self.arrivals.iter().skip(self.reported) {
            let next = base + u64::try_from(statuses.len()).unwrap_or(0);
            let missing = usize::try_from(arrival.seq - next).unwrap_or(usize::MAX);
            let at = i128::try_from(since(arrival.at)).unwrap_or(0) / DELTA_UNIT;
            let Ok(delta) = i16::try_from(at - time) else { break };
            let status = u8::try_from(delta).map_or(Status::Large(delta), Status::Small);
            let chunks = if missing > 0 { 4 } else { 2 };
            let is_full = length + chunks + status.bytes() > MAX_BYTES
                || statuses.len().saturating_add(missing) >= MAX_STATUSES;
            if is_full && covered > 0 {
                break;
            }
            time = at;
            length += chunks + status.bytes();
            statuses.extend(std::iter::repeat_n(Status::Missing, missing));
            statuses.push(status);
            covered += 1;
        }
        self.reported += covered;
        self.write(bytes, base, reference, &statuses);
        covered > 0
    }

    fn write(&mut self, bytes: &mut Vec<u8>, base: u64, reference: u128, statuses: &[Status]) {
        let count = u16::try_from(statuses.len()).unwrap_or(u16::MAX);
        let [.., b0, b1] = base.to_be_bytes();
        let [.., r0, r1, r2] = reference.to_be_bytes();
        bytes.extend([0x80 | FORMAT, RTCP_TRANSPORT_FEEDBACK, 0, 0]);
        bytes.extend(self.ssrc.to_be_bytes());
        bytes.extend(self.media_ssrc.to_be_bytes());
        bytes.extend([b0, b1]);
        bytes.extend(count.to_be_bytes());
        bytes.extend([r0, r1, r2, self.feedback_count]);
        self.feedback_count = self.feedback_count.wrapping_add(1);
        chunks(statuses, |chunk| bytes.extend(chunk.to_be_bytes()));
        for status in statuses {
            match status {
                Status::Missing => {}
                Status::Small(delta) => bytes.push(*delta),
                Status::Large(delta) => bytes.extend(delta.to_be_bytes()),
            }
        }
        let padding = bytes.len().next_multiple_of(4) - bytes.len();
        if padding > 0 {
            bytes.resize(bytes.len() + padding, 0);
            if let Some(last) = bytes.last_mut() {
                *last = u8::try_from(padding).unwrap_or(0);
            }
            if let Some(first) = bytes.first_mut() {
                *first |= 0x20;
            }
        }
        let words = u16::try_from(bytes.len() / 4 - 1).unwrap_or(u16::MAX);
        if let Some(length) = bytes.get_mut(2..4) {
            length.copy_from_slice(&words.to_be_bytes());
        }
    }
}

/// Passes the packet chunks of these statuses to `push`: run lengths where they are long, else
/// vectors of one-bit or two-bit symbols.
fn chunks(mut statuses: &[Status], mut push: impl FnMut(u16)) {
    while let Some(first) = statuses.first() {
        let symbol = first.symbol();
        let run = statuses.iter().take(MAX_RUN).take_while(|it| it.symbol() == symbol).count();
        let vector = |length: usize| statuses.iter().take(length);
        let is_one_bit = vector(14).all(|status| status.symbol() < 2);
        let covered = if run >= if is_one_bit { 14 } else { 7 } || run == statuses.len() {
            push(symbol << 13 | u16::try_from(run).unwrap_or(0));
            run
        } else if is_one_bit {
            let bits = vector(14).zip((0..14).rev());
            push(bits.fold(0x8000, |chunk, (status, bit)| chunk | status.symbol() << bit));
            14
        } else {
            let bits = vector(7).zip((0..14).step_by(2).rev());
            push(bits.fold(0xc000, |chunk, (status, bit)| chunk | status.symbol() << bit));
            7
        };
        statuses = statuses.get(covered..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::rtcp::{self, Rtcp};
    use proptest::prelude::*;
    use testnet::Clock;

    /// Contents of the feedback: sequence numbers, and arrival times since the epoch.
    fn feedback(twcc: &mut TwccRecorder, now: Instant) -> Vec<(u16, Option<Duration>)> {
        let mut packets_reported = Vec::new();
        twcc.handle_timeout(now, |bytes| {
            assert!(bytes.len() <= MAX_BYTES && bytes.len().is_multiple_of(4));
            let mut packets = rtcp::read(bytes);
            let Some(Rtcp::Twcc(feedback)) = packets.next() else { panic!("{bytes:?}") };
            assert_eq!(packets.next(), None);
            let first = feedback.first_seq();
            let second = Duration::from_secs(1);
            let seqs = (0..).map(|ahead: u16| first.wrapping_add(ahead));
            let arrivals = feedback.arrivals().map(|at| Some(at? - second));
            packets_reported.extend(seqs.zip(arrivals));
        });
        packets_reported
    }

    fn arrived(feedback: &[(u16, Option<Duration>)]) -> Vec<u16> {
        feedback.iter().filter(|(_, at)| at.is_some()).map(|(seq, _)| *seq).collect()
    }

    #[test]
    fn arrivals_and_gaps_are_reported() {
        let mut clock = Clock::new();
        let mut twcc = TwccRecorder::new(1, clock.now());
        clock.advance(Duration::from_millis(100));
        for seq in [7, 8, 11] {
            twcc.handle_arrival(clock.now(), 9, seq);
            clock.advance(Duration::from_millis(5));
        }
        assert!(twcc.poll_timeout().unwrap() > clock.now());
        clock.advance(FEEDBACK_INTERVAL);
        let at = |ms| Some(Duration::from_millis(ms));
        assert_eq!(
            feedback(&mut twcc, clock.now()),
            [(7, at(100)), (8, at(105)), (9, None), (10, None), (11, at(110))]
        );
        assert_eq!(twcc.poll_timeout(), None);
        twcc.handle_arrival(clock.now(), 9, 14);
        clock.advance(FEEDBACK_INTERVAL);
        assert_eq!(
            feedback(&mut twcc, clock.now())[..2],
            [(12, None), (13, None)],
            "missing since the last feedback"
        );
    }

    #[test]
    fn reordered_packets_are_reported() {
        let mut clock = Clock::new();
        let mut twcc = TwccRecorder::new(1, clock.now());
        let mut report = |seqs: &[u16]| {
            seqs.iter().for_each(|seq| twcc.handle_arrival(clock.now(), 9, *seq));
            clock.advance(FEEDBACK_INTERVAL);
            feedback(&mut twcc, clock.now())
        };
        assert_eq!(arrived(&report(&[5, 7])), [5, 7]);
        assert_eq!(arrived(&report(&[6])), [6, 7]);
        assert_eq!(arrived(&report(&[4])), [4, 5, 6, 7], "from before the first");
        assert_eq!(arrived(&report(&[65_530])), [65_530, 4, 5, 6, 7]);
        assert_eq!(arrived(&report(&[6])), [], "a duplicate");
        let many: Vec<u16> = (8..600).collect();
        assert_eq!(arrived(&report(&many)), many);
        assert_eq!(arrived(&report(&[9])), [], "reported long ago");
    }

    #[test]
    fn distant_sequence_number_restarts_the_recording() {
        let mut clock = Clock::new();
        let mut twcc = TwccRecorder::new(1, clock.now());
        for seq in [100, 40_000, 99, 20_000] {
            twcc.handle_arrival(clock.now(), 9, seq);
            clock.advance(FEEDBACK_INTERVAL);
            assert_eq!(arrived(&feedback(&mut twcc, clock.now())), [seq]);
        }
    }

    #[test]
    fn feedback_on_a_flood_is_bounded() {
        let mut clock = Clock::new();
        let mut twcc = TwccRecorder::new(1, clock.now());
        for seq in 0..30_000 {
            twcc.handle_arrival(clock.now(), 9, seq * 2);
        }
        assert_eq!(twcc.arrivals.len(), MAX_ARRIVALS);
        clock.advance(FEEDBACK_INTERVAL);
        let arrived = arrived(&feedback(&mut twcc, clock.now()));
        assert!(arrived.len() <= MAX_ARRIVALS && !arrived.is_empty());
        assert_eq!(arrived.last(), Some(&59_998));
    }

    #[test]
    fn wraparound_and_long_pauses_are_reported() {
        let mut clock = Clock::new();
        let mut twcc = TwccRecorder::new(1, clock.now());
        for seq in [65_534, 65_535, 0, 1] {
            twcc.handle_arrival(clock.now(), 9, seq);
            clock.advance(Duration::from_secs(9));
        }
        assert_eq!(arrived(&feedback(&mut twcc, clock.now())), [65_534, 65_535, 0, 1]);
    }

    proptest! {
        #[test]
        fn feedback_on_any_sequence_is_well_formed_bounded_and_true(
            steps in prop::collection::vec((any::<u16>(), 0..4_u8, 0..30_000_u32), 1..300),
        ) {
            let mut clock = Clock::new();
            let mut twcc = TwccRecorder::new(1, clock.now());
            let mut seq = 0_u16;
            let mut sent = std::collections::HashSet::new();
            for (random, kind, micros) in steps {
                seq = match kind {
                    0 => random,
                    1 => seq.wrapping_sub(random % 40),
                    _ => seq.wrapping_add(random % 20),
                };
                twcc.handle_arrival(clock.now(), 9, seq);
                sent.insert(seq);
                clock.advance(Duration::from_micros(u64::from(micros)));
                for seq in arrived(&feedback(&mut twcc, clock.now())) {
                    prop_assert!(sent.contains(&seq));
                }
                prop_assert!(twcc.arrivals.len() <= MAX_ARRIVALS);
                prop_assert!(twcc.arrivals.iter().is_sorted_by_key(|it| it.seq));
            }
        }
    }
}
