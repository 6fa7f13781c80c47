//! The lease of the own node's slot.

use std::time::{Duration, Instant};

/// The time for which the engine keeps a lease.
pub const LEASE: Duration = Duration::from_secs(2);
/// The time for which the holder believes in it, counted from before the request was sent. Shorter
/// than [`LEASE`], as clocks drift.
pub const TRUSTED: Duration = Duration::from_millis(1700);
/// Time between renewals.
pub const RENEWAL: Duration = Duration::from_millis(400);

/// When the lease must be renewed, and until when it is believed in. By the monotonic clock alone,
/// which never goes back.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Lease {
    trusted_until: Option<Instant>,
    asked: Option<Instant>,
    next: Instant,
}

impl Lease {
    /// A lease that is not held yet.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self { trusted_until: None, asked: None, next: now }
    }

    /// True if it must be renewed now. The caller then sends the request.
    pub fn poll_renewal(&mut self, now: Instant) -> bool {
        if self.asked.is_some() || now < self.next {
            return false;
        }
        self.asked = Some(now);
        self.next = now + RENEWAL;
        true
    }

    /// The engine granted what was asked last.
    pub fn handle_renewed(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.trusted_until = Some(asked + TRUSTED);
        }
    }

    /// The slot belongs to another node.
    pub fn handle_refused(&mut self) {
        self.asked = None;
        self.trusted_until = None;
    }

    /// The engine did not answer: what it granted before ends in its time.
    pub fn handle_unanswered(&mut self) {
        self.asked = None;
    }

    /// True if other nodes take this one for alive.
    #[must_use]
    pub fn is_held(&self, now: Instant) -> bool {
        self.trusted_until.is_some_and(|until| now < until)
    }

    /// The time of the next renewal.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.asked.is_none().then_some(self.next)
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    #[test]
    fn lease_counts_from_before_the_request_was_sent() {
        let mut clock = Clock::new();
        let mut lease = Lease::new(clock.now());
        assert!(lease.poll_renewal(clock.now()));
        assert!(!lease.poll_renewal(clock.now()));
        clock.advance(Duration::from_millis(900));
        lease.handle_renewed();
        assert!(lease.is_held(clock.now()));
        clock.advance(TRUSTED - Duration::from_millis(900));
        assert!(!lease.is_held(clock.now()));
    }

    #[test]
    fn lease_is_renewed_in_time_and_ends_without_answers() {
        let mut clock = Clock::new();
        let mut lease = Lease::new(clock.now());
        for _ in 0..10 {
            assert!(clock.jump([lease.poll_timeout()]));
            assert!(lease.poll_renewal(clock.now()));
            lease.handle_renewed();
            assert!(lease.is_held(clock.now()));
        }
        let renewed = clock.elapsed();
        while lease.is_held(clock.now()) {
            assert!(clock.jump([lease.poll_timeout()]));
            if lease.poll_renewal(clock.now()) {
                lease.handle_unanswered();
            }
        }
        assert!(clock.elapsed() - renewed < LEASE + RENEWAL);
    }

    #[test]
    fn refused_slot_ends_the_lease_at_once() {
        let clock = Clock::new();
        let mut lease = Lease::new(clock.now());
        assert!(lease.poll_renewal(clock.now()));
        lease.handle_renewed();
        lease.handle_refused();
        assert!(!lease.is_held(clock.now()));
    }
}
