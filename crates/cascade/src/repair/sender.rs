//! The sending side: numbers datagrams, keeps them for a while, and sends them again on request.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    datagram::{Datagram, Gap, Header, MEDIA_HEADER, Part},
    numbers::{expand, truncate},
};

/// Time for which a datagram is kept: longer than a receiver asks for it.
const KEPT_FOR: Duration = Duration::from_millis(300);
/// Bytes that are kept.
const MAX_KEPT_BYTES: usize = 2 << 20;
/// Times that a datagram is sent again on request.
const MAX_RESENDS: u8 = 3;
/// Delay of the copy of an audio packet. A burst of losses is rarely longer.
const COPY_DELAY: Duration = Duration::from_millis(10);
/// Loss from which audio is sent twice.
const COPY_LOSS: f64 = 0.005;
/// Interval over which loss is measured.
const LOSS_INTERVAL: Duration = Duration::from_secs(1);
/// Silence after which the number of the newest datagram is sent.
const NEWEST_DELAY: Duration = Duration::from_millis(10);
/// Times that it is sent, each after twice the time.
const NEWEST_REPEATS: u32 = 3;

/// Numbers datagrams and keeps them.
#[derive(Debug)]
pub(crate) struct Sender {
    /// Zero of the clock that is sent.
    epoch: Instant,
    next: u64,
    /// The datagrams before `next`.
    kept: VecDeque<Kept>,
    kept_bytes: usize,
    /// Audio to be sent again, by number.
    copies: VecDeque<(Instant, u64)>,
    loss: Loss,
    newest_at: Option<Instant>,
    newest_repeats: u32,
    pub(crate) resent: u64,
}

#[derive(Debug)]
struct Kept {
    sent_at: Instant,
    header: Header,
    bytes: Bytes,
    requests: u8,
}

/// Datagrams sent, and those that the receiver missed.
#[derive(Debug)]
struct Loss {
    since: Instant,
    sent: u32,
    missed: u32,
    /// Of the interval before.
    rate: f64,
}

impl Sender {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            next: 0,
            kept: VecDeque::new(),
            kept_bytes: 0,
            copies: VecDeque::new(),
            loss: Loss { since: now, sent: 0, missed: 0, rate: 0.0 },
            newest_at: None,
            newest_repeats: 0,
            resent: 0,
        }
    }

    /// Returns the datagrams that carry a packet: one, or two if it is longer than `max_datagram`.
    pub(crate) fn send(
        &mut self,
        now: Instant,
        is_audio: bool,
        age: Duration,
        payload: &[u8],
        max_datagram: usize,
        out: &mut VecDeque<Bytes>,
    ) {
        self.loss.roll(now);
        let max_payload = max_datagram.saturating_sub(MEDIA_HEADER);
        if payload.len() <= max_payload {
            self.push(now, Part::Whole, age, payload, out);
        } else if let Some((first, second)) = payload.split_at_checked(payload.len() / 2)
            && second.len() <= max_payload
        {
            self.push(now, Part::First, age, first, out);
            self.push(now, Part::Second, age, second, out);
        } else {
            // Longer than any network's packet.
            return;
        }
        if is_audio && self.loss.rate > COPY_LOSS {
            self.copies.push_back((now + COPY_DELAY, self.next - 1));
        }
        self.newest_at = Some(now + NEWEST_DELAY);
        self.newest_repeats = 0;
        self.forget(now);
    }

    fn push(
        &mut self,
        now: Instant,
        part: Part,
        age: Duration,
        payload: &[u8],
        out: &mut VecDeque<Bytes>,
    ) {
        let header = Header {
            part,
            is_resent: false,
            number: truncate(self.next),
            sent: micros(now.saturating_duration_since(self.epoch)),
            age: u32::try_from(age.as_micros()).unwrap_or(u32::MAX),
        };
        let bytes = Bytes::from(Datagram::Media(header, payload).to_bytes());
        self.kept_bytes += bytes.len();
        self.kept.push_back(Kept { sent_at: now, header, bytes: bytes.clone(), requests: 0 });
        self.next += 1;
        self.loss.sent += 1;
        out.push_back(bytes);
    }

    /// Sends again what the receiver has missed.
    pub(crate) fn handle_request(&mut self, now: Instant, gaps: &[Gap], out: &mut VecDeque<Bytes>) {
        self.loss.roll(now);
        for number in gaps.iter().flat_map(|gap| gap.numbers()) {
            let number = expand(number, self.next);
            let Some(kept) = self.kept_mut(number) else { continue };
            if kept.requests >= MAX_RESENDS {
                continue;
            }
            kept.requests += 1;
            let is_first = kept.requests == 1;
            self.loss.missed += u32::from(is_first);
            self.resend(now, number, out);
        }
    }

    fn resend(&mut self, now: Instant, number: u64, out: &mut VecDeque<Bytes>) {
        let sent = micros(now.saturating_duration_since(self.epoch));
        let Some(kept) = self.kept_mut(number) else { return };
        let Some(payload) = kept.bytes.get(MEDIA_HEADER..) else { return };
        let waited = micros(now.saturating_duration_since(kept.sent_at));
        let age = kept.header.age.saturating_add(waited);
        let header = Header { is_resent: true, sent, age, ..kept.header };
        out.push_back(Bytes::from(Datagram::Media(header, payload).to_bytes()));
        self.resent += 1;
    }

    fn kept_mut(&mut self, number: u64) -> Option<&mut Kept> {
        let first = self.next - self.kept.len() as u64;
        let at = number.checked_sub(first)?;
        self.kept.get_mut(usize::try_from(at).ok()?)
    }

    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.kept.front()
            && (now.saturating_duration_since(oldest.sent_at) > KEPT_FOR
                || self.kept_bytes > MAX_KEPT_BYTES)
        {
            self.kept_bytes -= oldest.bytes.len();
            self.kept.pop_front();
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        let copy = self.copies.front().map(|(due, _)| *due);
        copy.into_iter().chain(self.newest_at).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, out: &mut VecDeque<Bytes>) {
        while let Some((due, number)) = self.copies.front().copied()
            && due <= now
        {
            self.copies.pop_front();
            self.resend(now, number, out);
        }
        if self.newest_at.is_some_and(|due| due <= now) {
            out.push_back(Bytes::from(Datagram::Newest(truncate(self.next - 1)).to_bytes()));
            self.newest_repeats += 1;
            let is_last = self.newest_repeats >= NEWEST_REPEATS;
            self.newest_at = (!is_last).then(|| now + NEWEST_DELAY * (1 << self.newest_repeats));
        }
        self.forget(now);
    }

    /// Bytes that are kept.
    #[cfg(test)]
    pub(crate) fn kept_bytes(&self) -> usize {
        self.kept_bytes
    }
}

impl Loss {
    fn roll(&mut self, now: Instant) {
        if now.saturating_duration_since(self.since) >= LOSS_INTERVAL {
            self.rate = f64::from(self.missed) / f64::from(self.sent.max(1));
            (self.since, self.sent, self.missed) = (now, 0, 0);
        }
    }
}

/// Microseconds, wrapped.
fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros() & u128::from(u32::MAX)).unwrap_or_default()
}
