//! The receiving side: delivers each packet once, and asks for those that are missing.

use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

use crate::{
    datagram::{Gap, Header, MAX_GAPS, MEDIA_HEADER, Part},
    health::Health,
    numbers::{Arrival, Seen, expand, truncate},
};

/// Datagrams that overtake a missing one before it is asked for.
const REORDERING: u64 = 3;
/// Time after which it is asked for at the latest.
const REORDERING_TIME: Duration = Duration::from_millis(3);
/// Times that a datagram is asked for.
const MAX_REQUESTS: u8 = 3;
/// Round trips after which it is asked for again.
const RETRY_ROUND_TRIPS: f64 = 1.2;
/// Shortest time after which it is asked for again.
const MIN_RETRY: Duration = Duration::from_millis(4);
/// Time after which a missing datagram is lost: a decoder doesn't wait for longer.
const REPAIR_TIME: Duration = Duration::from_millis(120);
/// Missing datagrams that are remembered.
const MAX_MISSING: usize = 2048;
/// Halves that wait for the other one.
const MAX_HALVES: usize = 64;

/// A packet that has arrived.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Time since the other server received it, without the time on the path.
    pub(crate) age: Duration,
    pub(crate) payload: Bytes,
}

#[derive(Debug)]
struct Missing {
    number: u64,
    noticed_at: Instant,
    requests: u8,
    due: Instant,
}

/// Delivers packets once, and asks for missing ones.
#[derive(Debug)]
pub(crate) struct Receiver {
    seen: Seen,
    /// Ascending.
    missing: VecDeque<Missing>,
    /// No later than the first `due` of the missing ones.
    due: Option<Instant>,
    /// Halves by the number of the first.
    halves: BTreeMap<u64, Half>,
    health: Health,
    pub(crate) received: u64,
    pub(crate) repaired: u64,
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
}

#[derive(Debug)]
struct Half {
    part: Part,
    payload: Bytes,
}

impl Receiver {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            seen: Seen::default(),
            missing: VecDeque::new(),
            due: None,
            halves: BTreeMap::new(),
            health: Health::new(now),
            received: 0,
            repaired: 0,
            lost: 0,
            duplicates: 0,
        }
    }

    /// Handles a datagram of media. Returns the packet, if it is complete and has not arrived before.
    pub(crate) fn handle_media(
        &mut self,
        now: Instant,
        header: Header,
        datagram: &Bytes,
    ) -> Option<Received> {
        if !header.is_resent {
            self.health.on_delay(now, header.sent);
        }
        let number = expand(header.number, self.seen.next());
        match self.seen.insert(number) {
            Arrival::New { missing } => self.note_missing(now, missing, number),
            Arrival::Late => {
                if let Ok(at) = self.missing.binary_search_by_key(&number, |known| known.number) {
                    let missing = self.missing.remove(at);
                    self.repaired += u64::from(missing.is_some_and(|known| known.requests > 0));
                }
            }
            Arrival::Duplicate => {
                self.duplicates += 1;
                return None;
            }
        }
        self.received += 1;
        let payload = datagram.slice(MEDIA_HEADER.min(datagram.len())..);
        let age = Duration::from_micros(header.age.into());
        let payload = match header.part {
            Part::Whole => payload,
            Part::First => self.join(number, header.part, payload)?,
            Part::Second => self.join(number.checked_sub(1)?, header.part, payload)?,
        };
        Some(Received { age, payload })
    }

    /// Handles the number of the newest datagram that was sent.
    pub(crate) fn handle_newest(&mut self, now: Instant, newest: u32) {
        let next = expand(newest, self.seen.next()).saturating_add(1);
        if next > self.seen.next() {
            let missing = self.seen.advance(next);
            self.note_missing(now, missing, next);
        }
    }

    /// Notes that the numbers from `missing` up to `end` have not arrived, but later ones have.
    fn note_missing(&mut self, now: Instant, missing: u64, end: u64) {
        self.health.on_expected(now, end.saturating_sub(missing).saturating_add(1));
        for number in missing..end {
            if self.missing.len() >= MAX_MISSING {
                self.missing.pop_front();
                self.lose(now);
            }
            let due = now + REORDERING_TIME;
            self.missing.push_back(Missing { number, noticed_at: now, requests: 0, due });
            self.due = Some(self.due.map_or(due, |known| known.min(due)));
        }
        // The numbers that enough others have overtaken are due now. Those not asked for yet are
        // the last ones.
        let overtaken = |known: &&mut Missing| known.number + REORDERING <= end;
        let unasked = self.missing.iter_mut().rev().take_while(|known| known.requests == 0);
        for known in unasked.filter(overtaken) {
            known.due = now;
            self.due = Some(now);
        }
    }

    fn lose(&mut self, now: Instant) {
        self.lost += 1;
        self.health.on_lost(now);
    }

    /// Keeps a half, or joins it with the other.
    fn join(&mut self, first: u64, part: Part, payload: Bytes) -> Option<Bytes> {
        match self.halves.remove(&first) {
            Some(other) if other.part != part => {
                let (head, tail) = match part {
                    Part::Second => (other.payload, payload),
                    _ => (payload, other.payload),
                };
                let mut whole = BytesMut::with_capacity(head.len() + tail.len());
                whole.extend_from_slice(&head);
                whole.extend_from_slice(&tail);
                Some(whole.freeze())
            }
            _ => {
                self.halves.insert(first, Half { part, payload });
                if self.halves.len() > MAX_HALVES {
                    self.halves.pop_first();
                }
                None
            }
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Returns the gaps to ask for, if any are due.
    pub(crate) fn handle_timeout(&mut self, now: Instant, round_trip: Duration) -> Vec<Gap> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        let retry = round_trip.mul_f64(RETRY_ROUND_TRIPS).clamp(MIN_RETRY, REPAIR_TIME);
        let mut requested = Vec::new();
        let mut lost = 0_u32;
        self.missing.retain_mut(|known| {
            if known.due > now {
                return true;
            }
            let is_late = now.saturating_duration_since(known.noticed_at) >= REPAIR_TIME;
            if is_late || known.requests >= MAX_REQUESTS {
                lost += 1;
                return false;
            }
            known.requests += 1;
            known.due = now + retry;
            requested.push(truncate(known.number));
            true
        });
        (0..lost).for_each(|_| self.lose(now));
        self.due = self.missing.iter().map(|known| known.due).min();
        let mut gaps = Gap::cover(requested);
        // The rest is asked for after the next retry.
        gaps.truncate(MAX_GAPS);
        gaps
    }

    /// Returns whether the link is congested, at most twice a second.
    pub(crate) fn poll_congestion(&mut self, now: Instant) -> bool {
        self.health.poll_congestion(now)
    }

    /// Entries retained.
    #[cfg(test)]
    pub(crate) fn entries(&self) -> usize {
        self.missing.len() + self.halves.len()
    }
}
