//! Signs that a link carries more than it can: loss that repair did not mend, and queues.

use std::time::{Duration, Instant};

/// Interval over which loss is measured.
const LOSS_INTERVAL: Duration = Duration::from_secs(1);
/// Loss after repair that counts as congestion.
const MAX_LOSS: f64 = 0.02;
/// Datagrams below which a loss says nothing.
const MIN_EXPECTED: u64 = 50;
/// Delay above the lowest that counts as congestion.
const MAX_BACKLOG_US: i64 = 50_000;
/// Interval over which the lowest delay is taken for the current one: jitter is not a queue.
const DELAY_INTERVAL: Duration = Duration::from_millis(200);
/// Interval of the lowest delay ever, of which two are remembered. Clocks drift, and routes change.
const BASE_INTERVAL: Duration = Duration::from_secs(15);
/// Shortest time between two reports, so that the first has an effect.
const REPORT_INTERVAL: Duration = Duration::from_millis(500);

/// Loss and delay of what a link has received.
#[derive(Debug)]
pub(crate) struct Health {
    epoch: Instant,
    since: Instant,
    expected: u64,
    lost: u64,
    /// Lowest relative delay of the interval, and of the one before, microseconds.
    base: Lowest,
    recent: Lowest,
    is_congested: bool,
    reported_at: Option<Instant>,
}

/// The lowest value of an interval and of the one before.
#[derive(Debug)]
struct Lowest {
    interval: Duration,
    since: Instant,
    now: Option<i64>,
    before: Option<i64>,
}

impl Lowest {
    fn new(now: Instant, interval: Duration) -> Self {
        Self { interval, since: now, now: None, before: None }
    }

    /// Adds a value. Returns true if an interval has ended, whose lowest is `before`.
    fn add(&mut self, at: Instant, value: i64) -> bool {
        let has_ended = at.saturating_duration_since(self.since) >= self.interval;
        if has_ended {
            (self.since, self.before) = (at, self.now.take());
        }
        self.now = Some(self.now.map_or(value, |known| known.min(value)));
        has_ended
    }
}

impl Health {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            epoch: now,
            since: now,
            expected: 0,
            lost: 0,
            base: Lowest::new(now, BASE_INTERVAL),
            recent: Lowest::new(now, DELAY_INTERVAL),
            is_congested: false,
            reported_at: None,
        }
    }

    /// Notes that datagrams were sent.
    pub(crate) fn on_expected(&mut self, now: Instant, count: u64) {
        self.expected += count;
        if now.saturating_duration_since(self.since) < LOSS_INTERVAL {
            return;
        }
        #[expect(clippy::cast_precision_loss, reason = "counts of a second")]
        let rate = self.lost as f64 / self.expected.max(1) as f64;
        self.is_congested |= self.expected >= MIN_EXPECTED && rate > MAX_LOSS;
        (self.since, self.expected, self.lost) = (now, 0, 0);
    }

    /// Notes that a datagram is lost for good.
    pub(crate) fn on_lost(&mut self, now: Instant) {
        self.lost += 1;
        self.on_expected(now, 0);
    }

    /// Notes the delay of a datagram: the time of arrival minus that of sending, of which only
    /// differences count.
    pub(crate) fn on_delay(&mut self, now: Instant, sent: u32) {
        let micros = now.saturating_duration_since(self.epoch).as_micros();
        let arrived = u32::try_from(micros & u128::from(u32::MAX)).unwrap_or_default();
        let delay = i64::from(arrived.wrapping_sub(sent).cast_signed());
        self.base.add(now, delay);
        if self.recent.add(now, delay)
            && let Some(recent) = self.recent.before
            && let Some(base) = self.base.now.into_iter().chain(self.base.before).min()
            // Either clock may wrap between two datagrams; the next interval is right again.
            && (MAX_BACKLOG_US..i64::from(u32::MAX) / 2).contains(&(recent - base))
        {
            self.is_congested = true;
        }
    }

    /// Returns whether the link was congested since the last call that said so.
    pub(crate) fn poll_congestion(&mut self, now: Instant) -> bool {
        let rested = |at: Instant| now.saturating_duration_since(at) >= REPORT_INTERVAL;
        if !self.is_congested || !self.reported_at.is_none_or(rested) {
            return false;
        }
        self.is_congested = false;
        self.reported_at = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    /// Sends 100 datagrams a second for a while, each with a delay. Returns the reports.
    fn reports(
        clock: &mut Clock,
        health: &mut Health,
        seconds: u32,
        delay: impl Fn(u32) -> u32,
    ) -> u32 {
        let mut reports = 0;
        for n in 0..seconds * 100 {
            clock.advance(Duration::from_millis(10));
            let arrived = u32::try_from(clock.elapsed().as_micros()).unwrap();
            health.on_delay(clock.now(), arrived.wrapping_sub(delay(n)));
            health.on_expected(clock.now(), 1);
            reports += u32::from(health.poll_congestion(clock.now()));
        }
        reports
    }

    #[test]
    fn queue_is_congestion_and_jitter_is_not() {
        let mut clock = Clock::new();
        let mut health = Health::new(clock.now());
        let jitter = |n: u32| 5_000 + n * 7919 % 80_000;
        assert_eq!(reports(&mut clock, &mut health, 10, jitter), 0);
        let queue = |n: u32| 60_000 + n * 7919 % 80_000;
        assert!(reports(&mut clock, &mut health, 2, queue) >= 3);
    }

    #[test]
    fn other_clock_may_be_anywhere_and_drift() {
        let mut clock = Clock::new();
        let mut health = Health::new(clock.now());
        // 100 ppm slow, from an hour behind.
        let drift = |n: u32| 3_600_000_000 + n;
        assert_eq!(reports(&mut clock, &mut health, 600, drift), 0);
    }

    #[test]
    fn loss_after_repair_above_two_percent_is_congestion() {
        let mut clock = Clock::new();
        for (lost, expected) in [(1, false), (4, true)] {
            let mut health = Health::new(clock.now());
            let mut reported = false;
            for _ in 0..3 {
                for _ in 0..lost {
                    health.on_lost(clock.now());
                }
                reported |= reports(&mut clock, &mut health, 1, |_| 1000) > 0;
            }
            assert_eq!(reported, expected, "{lost} %");
        }
    }
}
