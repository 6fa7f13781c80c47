//! Transport-wide feedback on what a peer sends us
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3.1).
//!
//! Numbers may jump, turn back and repeat as the sender likes: what is kept has a limit, and a report
//! names no gap longer than [`MAX_GAP`].

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long packets wait to be reported.
const INTERVAL: Duration = Duration::from_millis(50);
/// Packets kept; beyond, the oldest is forgotten.
const MAX_KEPT: usize = 1024;
/// Reported packets kept, so that one which comes late can be reported among its neighbours.
const MAX_REPORTED: usize = 128;
/// A number further away from the newest begins a new count.
const MAX_GAP: u64 = 4096;
/// Packets, missing ones included, that one report tells of.
const MAX_STATUSES: usize = 8000;
/// Bytes of one report, so that it fits a datagram with its protection.
const MAX_BYTES: usize = 1100;
/// Reports given out at a time.
const MAX_REPORTS: usize = 16;

/// Where counting begins, so that numbers before the first one can be told from it.
const START: u64 = 1 << 32;
const RTCP_TRANSPORT_FEEDBACK: u8 = 205;
const FORMAT: u8 = 15;
/// Head of the packet up to the first chunk.
const HEAD: usize = 20;
/// Unit of the reference time.
const REFERENCE: u128 = 64_000;
/// Unit of arrival times.
const DELTA: i128 = 250;
/// Longest run that a chunk can tell of.
const MAX_RUN: usize = 0x1fff;

/// Arrivals on one link and the feedback on them.
#[derive(Debug)]
pub(super) struct Twcc {
    /// Under which the reports are sent.
    ssrc: u32,
    /// What times are told from.
    epoch: Instant,
    newest: Option<u64>,
    /// By number.
    arrivals: VecDeque<Arrival>,
    /// Of the arrivals, those in front that have been reported.
    reported: usize,
    /// Whether arrivals older than those kept were forgotten.
    is_trimmed: bool,
    /// The stream that was received last.
    media_ssrc: u32,
    due: Option<Instant>,
    count: u8,
}

#[derive(Debug, Clone, Copy)]
struct Arrival {
    seq: u64,
    at: Instant,
}

/// What a report says of one packet.
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

impl Twcc {
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
            count: 0,
        }
    }

    /// Takes an authenticated packet's number.
    pub(super) fn handle_arrival(&mut self, now: Instant, media_ssrc: u32, number: u16) {
        self.media_ssrc = media_ssrc;
        let seq = match self.newest {
            Some(newest) => super::extend(newest, number),
            None => START + u64::from(number),
        };
        if self.newest.is_some_and(|newest| newest.abs_diff(seq) > MAX_GAP) {
            self.arrivals.clear();
            self.reported = 0;
            self.is_trimmed = false;
            self.newest = None;
        }
        if !self.insert(Arrival { seq, at: now }) {
            return;
        }
        self.newest = Some(self.newest.map_or(seq, |newest| newest.max(seq)));
        self.due.get_or_insert(now + INTERVAL);
        while self.arrivals.len() > MAX_KEPT || self.reported > MAX_REPORTED {
            self.arrivals.pop_front();
            self.reported = self.reported.saturating_sub(1);
            self.is_trimmed = true;
        }
    }

    /// Keeps an arrival at its place; says whether it is worth reporting.
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

    /// When to call [`poll_report`](Self::poll_report).
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Gives each report that is due to `write`, until there is none.
    pub(super) fn handle_timeout(&mut self, now: Instant, mut write: impl FnMut(&[u8])) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        let mut bytes = Vec::new();
        for _ in 0..MAX_REPORTS {
            bytes.clear();
            if !self.report(&mut bytes) {
                break;
            }
            write(&bytes);
        }
        self.due = (self.reported < self.arrivals.len()).then(|| now + INTERVAL);
    }

    /// Writes the next report; says whether there is one.
    fn report(&mut self, bytes: &mut Vec<u8>) -> bool {
        let Some(first) = self.arrivals.get(self.reported).copied() else { return false };
        // What is missing since the last report is told of as well.
        let before = self.reported.checked_sub(1).and_then(|at| self.arrivals.get(at));
        let base = before
            .map(|before| before.seq + 1)
            .filter(|base| first.seq - base <= MAX_GAP)
            .unwrap_or(first.seq);
        let since = |at: Instant| at.saturating_duration_since(self.epoch).as_micros();
        let reference = since(first.at) / REFERENCE;
        let mut time = i128::try_from(reference * REFERENCE).unwrap_or(0) / DELTA;
        let mut statuses = Vec::new();
        // An upper bound: no chunk tells of fewer than seven packets but a run, which ends where
        // another status begins.
        let mut length = HEAD + 4;
        let mut told = 0;
        for arrival in self.arrivals.iter().skip(self.reported) {
            let next = base + u64::try_from(statuses.len()).unwrap_or(0);
            let missing = usize::try_from(arrival.seq - next).unwrap_or(usize::MAX);
            let at = i128::try_from(since(arrival.at)).unwrap_or(0) / DELTA;
            let Ok(delta) = i16::try_from(at - time) else { break };
            let status = u8::try_from(delta).map_or(Status::Large(delta), Status::Small);
            let chunks = if missing > 0 { 4 } else { 2 };
            let is_full = length + chunks + status.bytes() > MAX_BYTES
                || statuses.len().saturating_add(missing) >= MAX_STATUSES;
            if is_full && told > 0 {
                break;
            }
            time = at;
            length += chunks + status.bytes();
            statuses.extend(std::iter::repeat_n(Status::Missing, missing));
            statuses.push(status);
            told += 1;
        }
        self.reported += told;
        self.write(bytes, base, reference, &statuses);
        told > 0
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
        bytes.extend([r0, r1, r2, self.count]);
        self.count = self.count.wrapping_add(1);
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

/// Gives out the chunks that tell of these statuses: runs where they are long, else lists of one bit
/// or of two.
fn chunks(mut statuses: &[Status], mut give: impl FnMut(u16)) {
    while let Some(first) = statuses.first() {
        let symbol = first.symbol();
        let run = statuses.iter().take(MAX_RUN).take_while(|it| it.symbol() == symbol).count();
        let list = |most: usize| statuses.iter().take(most);
        let is_narrow = list(14).all(|status| status.symbol() < 2);
        let taken = if run >= if is_narrow { 14 } else { 7 } || run == statuses.len() {
            give(symbol << 13 | u16::try_from(run).unwrap_or(0));
            run
        } else if is_narrow {
            let bits = list(14).zip((0..14).rev());
            give(bits.fold(0x8000, |chunk, (status, bit)| chunk | status.symbol() << bit));
            14
        } else {
            let bits = list(7).zip((0..14).step_by(2).rev());
            give(bits.fold(0xc000, |chunk, (status, bit)| chunk | status.symbol() << bit));
            7
        };
        statuses = statuses.get(taken..).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::rtcp::{self, Rtcp};
    use proptest::prelude::*;
    use testnet::Clock;

    /// What reports say: numbers, and when they came since the epoch; none if they did not.
    fn told(twcc: &mut Twcc, now: Instant) -> Vec<(u16, Option<Duration>)> {
        let mut told = Vec::new();
        twcc.handle_timeout(now, |bytes| {
            assert!(bytes.len() <= MAX_BYTES && bytes.len().is_multiple_of(4));
            let mut packets = rtcp::read(bytes);
            let Some(Rtcp::Transport(feedback)) = packets.next() else { panic!("{bytes:?}") };
            assert_eq!(packets.next(), None);
            let first = feedback.first();
            let second = Duration::from_secs(1);
            let numbers = (0..).map(|ahead: u16| first.wrapping_add(ahead));
            told.extend(numbers.zip(feedback.packets().map(|at| Some(at? - second))));
        });
        told
    }

    fn came(told: &[(u16, Option<Duration>)]) -> Vec<u16> {
        told.iter().filter(|(_, at)| at.is_some()).map(|(number, _)| *number).collect()
    }

    #[test]
    fn each_packet_is_reported_with_its_time_and_what_is_missing_between() {
        let mut clock = Clock::new();
        let mut twcc = Twcc::new(1, clock.now());
        clock.advance(Duration::from_millis(100));
        for number in [7, 8, 11] {
            twcc.handle_arrival(clock.now(), 9, number);
            clock.advance(Duration::from_millis(5));
        }
        assert!(twcc.poll_timeout().unwrap() > clock.now());
        clock.advance(INTERVAL);
        let at = |ms| Some(Duration::from_millis(ms));
        assert_eq!(
            told(&mut twcc, clock.now()),
            [(7, at(100)), (8, at(105)), (9, None), (10, None), (11, at(110))]
        );
        assert_eq!(twcc.poll_timeout(), None);
        twcc.handle_arrival(clock.now(), 9, 14);
        clock.advance(INTERVAL);
        assert_eq!(
            told(&mut twcc, clock.now())[..2],
            [(12, None), (13, None)],
            "what is missing since the last report"
        );
    }

    #[test]
    fn a_packet_that_comes_late_is_reported_late() {
        let mut clock = Clock::new();
        let mut twcc = Twcc::new(1, clock.now());
        let mut report = |numbers: &[u16]| {
            numbers.iter().for_each(|number| twcc.handle_arrival(clock.now(), 9, *number));
            clock.advance(INTERVAL);
            told(&mut twcc, clock.now())
        };
        assert_eq!(came(&report(&[5, 7])), [5, 7]);
        assert_eq!(came(&report(&[6])), [6, 7]);
        assert_eq!(came(&report(&[4])), [4, 5, 6, 7], "one from before the first");
        assert_eq!(came(&report(&[65_530])), [65_530, 4, 5, 6, 7]);
        assert_eq!(came(&report(&[6])), [], "the same again");
        let many: Vec<u16> = (8..600).collect();
        assert_eq!(came(&report(&many)), many);
        assert_eq!(came(&report(&[9])), [], "long reported and forgotten");
    }

    #[test]
    fn a_number_far_away_begins_a_new_count() {
        let mut clock = Clock::new();
        let mut twcc = Twcc::new(1, clock.now());
        for number in [100, 40_000, 99, 20_000] {
            twcc.handle_arrival(clock.now(), 9, number);
            clock.advance(INTERVAL);
            assert_eq!(came(&told(&mut twcc, clock.now())), [number]);
        }
    }

    #[test]
    fn a_flood_is_reported_up_to_a_limit() {
        let mut clock = Clock::new();
        let mut twcc = Twcc::new(1, clock.now());
        for number in 0..30_000 {
            twcc.handle_arrival(clock.now(), 9, number * 2);
        }
        assert_eq!(twcc.arrivals.len(), MAX_KEPT);
        clock.advance(INTERVAL);
        let told = came(&told(&mut twcc, clock.now()));
        assert!(told.len() <= MAX_KEPT && !told.is_empty());
        assert_eq!(told.last(), Some(&59_998));
    }

    #[test]
    fn numbers_that_wrap_and_pauses_longer_than_a_delta_are_reported() {
        let mut clock = Clock::new();
        let mut twcc = Twcc::new(1, clock.now());
        for number in [65_534, 65_535, 0, 1] {
            twcc.handle_arrival(clock.now(), 9, number);
            clock.advance(Duration::from_secs(9));
        }
        assert_eq!(came(&told(&mut twcc, clock.now())), [65_534, 65_535, 0, 1]);
    }

    proptest! {
        #[test]
        fn whatever_numbers_come_reports_are_whole_bounded_and_true(
            steps in prop::collection::vec((any::<u16>(), 0..4_u8, 0..30_000_u32), 1..300),
        ) {
            let mut clock = Clock::new();
            let mut twcc = Twcc::new(1, clock.now());
            let mut number = 0_u16;
            let mut sent = std::collections::HashSet::new();
            for (random, kind, micros) in steps {
                number = match kind {
                    0 => random,
                    1 => number.wrapping_sub(random % 40),
                    _ => number.wrapping_add(random % 20),
                };
                twcc.handle_arrival(clock.now(), 9, number);
                sent.insert(number);
                clock.advance(Duration::from_micros(u64::from(micros)));
                for number in came(&told(&mut twcc, clock.now())) {
                    prop_assert!(sent.contains(&number));
                }
                prop_assert!(twcc.arrivals.len() <= MAX_KEPT);
                prop_assert!(twcc.arrivals.iter().is_sorted_by_key(|it| it.seq));
            }
        }
    }
}
