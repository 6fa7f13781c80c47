//! Load of a shard's thread: the share of time that it works, and the delay of packets in it.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::pulse::Pulse;
use crate::histogram::{Histogram, PACKET_DELAY_SECONDS};

/// Time over which the busy share is averaged.
const WINDOW: Duration = Duration::from_secs(5);
/// Part of each window in which the delay of packets is measured: the kernel's times of receipt and
/// another look at the clock cost as much as a tenth of a packet.
const SAMPLED: Duration = Duration::from_millis(250);

/// Load of one shard.
#[derive(Debug)]
pub(super) struct Load {
    pulse: Arc<Pulse>,
    window_start: Instant,
    slept: Duration,
    is_sampling: bool,
    /// The kernel's time of receipt of the first packet of this poll, if it is measured.
    received: Option<Duration>,
    packet_delay: Histogram,
}

impl Load {
    pub(super) fn new(pulse: Arc<Pulse>, now: Instant) -> Self {
        Self {
            pulse,
            window_start: now,
            slept: Duration::ZERO,
            is_sampling: false,
            received: None,
            packet_delay: Histogram::new(PACKET_DELAY_SECONDS),
        }
    }

    /// Notes that the thread has slept until now. Returns whether the kernel is to tell times of
    /// receipt from now on, when that changes.
    pub(super) fn on_wake(&mut self, now: Instant, slept: Duration) -> Option<bool> {
        self.slept += slept;
        let mut window = now.saturating_duration_since(self.window_start);
        if window >= WINDOW {
            let busy = window.saturating_sub(self.slept);
            let permille = busy.as_millis() * 1000 / window.as_millis().max(1);
            self.pulse.set_busy(u32::try_from(permille).unwrap_or(1000));
            self.window_start = now;
            self.slept = Duration::ZERO;
            window = Duration::ZERO;
        }
        let is_sampling = window < SAMPLED;
        let has_changed = is_sampling != self.is_sampling;
        self.is_sampling = is_sampling;
        has_changed.then_some(is_sampling)
    }

    /// Notes the kernel's time of receipt of a packet, in Unix time.
    pub(super) fn on_packets(&mut self, received: impl FnOnce() -> Option<Duration>) {
        if self.is_sampling && self.received.is_none() {
            self.received = received();
        }
    }

    /// Notes that everything that the packets caused has been sent.
    pub(super) fn on_sent(&mut self) {
        let Some(received) = self.received.take() else { return };
        let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) else { return };
        // The wall clock may have been set meanwhile.
        if let Some(delay) = now.checked_sub(received) {
            self.packet_delay.observe(delay.as_secs_f64());
        }
    }

    /// Delays of the packets measured.
    pub(super) fn packet_delay(&self) -> &Histogram {
        &self.packet_delay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn busy_share_is_the_time_not_slept_in_each_window() {
        let pulse = Arc::<Pulse>::default();
        let mut now = Instant::now();
        let mut load = Load::new(Arc::clone(&pulse), now);
        let second = Duration::from_secs(1);
        for (slept, busy) in [(second * 4 / 5, 200), (second / 10, 900), (second, 0)] {
            for _ in 0..5 {
                now += second;
                load.on_wake(now, slept);
            }
            assert_eq!(pulse.busy_permille(), busy);
        }
    }

    #[test]
    fn delay_is_measured_at_the_start_of_each_window() {
        let start = Instant::now();
        let mut load = Load::new(Arc::default(), start);
        let mut changes = Vec::new();
        for millis in (0..10_000).step_by(50) {
            let now = start + Duration::from_millis(millis);
            if let Some(on) = load.on_wake(now, Duration::ZERO) {
                changes.push((millis, on));
            }
            load.on_packets(|| SystemTime::now().duration_since(UNIX_EPOCH).ok());
            load.on_sent();
        }
        assert_eq!(changes, [(0, true), (250, false), (5_000, true), (5_250, false)]);
        assert_eq!(load.packet_delay().count(), 10);
    }
}
