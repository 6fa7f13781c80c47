//! Quotas of a bounded resource, so that no client prefix can take all of it.

use std::collections::HashMap;

use crate::net::client_prefix::ClientPrefix;

/// While more than half of a resource is in use, one prefix may hold at most one part of this many.
const RESERVED_PARTS: usize = 8;

/// Counts the units of a resource that each client prefix holds. Loopback is limited by the total
/// alone, since a reverse proxy on this host stands for many clients.
#[derive(Debug)]
pub(crate) struct Quota {
    total: usize,
    per_prefix: usize,
    held: usize,
    by_prefix: HashMap<ClientPrefix, usize>,
}

/// The limit that a further unit would exceed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exceeded {
    /// All units are in use.
    Total,
    /// The prefix has used up its share.
    Share,
}

impl Quota {
    /// A quota of `total` units, at most `per_prefix` for one prefix.
    pub(crate) fn new(total: usize, per_prefix: usize) -> Self {
        Self { total, per_prefix, held: 0, by_prefix: HashMap::new() }
    }

    /// Replaces the limits. What is held stays held.
    pub(crate) fn set_limits(&mut self, total: usize, per_prefix: usize) {
        (self.total, self.per_prefix) = (total, per_prefix);
    }

    /// Checks that the prefix may take one more unit.
    pub(crate) fn check(&self, prefix: ClientPrefix) -> Result<(), Exceeded> {
        if self.held >= self.total {
            return Err(Exceeded::Total);
        }
        if prefix.is_loopback() {
            return Ok(());
        }
        let share = share(self.total, self.held).min(self.per_prefix);
        if self.held_by(prefix) < share { Ok(()) } else { Err(Exceeded::Share) }
    }

    /// Takes one unit for the prefix.
    pub(crate) fn take(&mut self, prefix: ClientPrefix) -> Result<(), Exceeded> {
        self.check(prefix)?;
        self.take_back(prefix);
        Ok(())
    }

    /// Takes one unit that the prefix had before, whatever the limits are now.
    pub(crate) fn take_back(&mut self, prefix: ClientPrefix) {
        self.held += 1;
        if !prefix.is_loopback() {
            *self.by_prefix.entry(prefix).or_default() += 1;
        }
    }

    /// Releases a unit that was [taken](Self::take).
    pub(crate) fn release(&mut self, prefix: ClientPrefix) {
        self.held = self.held.saturating_sub(1);
        if let Some(held) = self.by_prefix.get_mut(&prefix) {
            *held -= 1;
            if *held == 0 {
                self.by_prefix.remove(&prefix);
            }
        }
    }

    /// Units in use.
    #[cfg(test)]
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Units that one prefix holds; always 0 for loopback.
    pub(crate) fn held_by(&self, prefix: ClientPrefix) -> usize {
        self.by_prefix.get(&prefix).copied().unwrap_or_default()
    }
}

/// The limit for one prefix while `held` units of `total` are in use.
pub(crate) fn share(total: usize, held: usize) -> usize {
    if held > total / 2 { (total / RESERVED_PARTS).max(1) } else { total }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn prefix(last: u8) -> ClientPrefix {
        IpAddr::from([192, 0, 2, last]).into()
    }

    #[test]
    fn take_is_limited_per_prefix_and_units_are_returned() {
        let mut quota = Quota::new(100, 2);
        quota.take(prefix(1)).unwrap();
        quota.take(prefix(1)).unwrap();
        assert_eq!(quota.take(prefix(1)), Err(Exceeded::Share));
        quota.take(prefix(2)).unwrap();
        quota.release(prefix(1));
        quota.take(prefix(1)).unwrap();
        for (from, count) in [(1, 2), (2, 1)] {
            for _ in 0..count {
                quota.release(prefix(from));
            }
        }
        assert_eq!(quota.held(), 0);
        assert!(quota.by_prefix.is_empty());
    }

    #[test]
    fn one_prefix_gets_an_eighth_once_half_is_in_use() {
        let mut quota = Quota::new(64, 1000);
        while quota.take(prefix(1)).is_ok() {}
        assert_eq!(quota.held(), 33, "half, and the unit that exceeded it");
        for last in 2..=4 {
            while quota.take(prefix(last)).is_ok() {}
            assert_eq!(quota.held_by(prefix(last)), 8);
        }
        while quota.take(prefix(5)).is_ok() {}
        assert_eq!(quota.held_by(prefix(5)), 7);
        assert_eq!(quota.take(prefix(6)), Err(Exceeded::Total));
    }

    #[test]
    fn units_are_taken_back_beyond_every_limit_and_count() {
        let mut quota = Quota::new(8, 2);
        for _ in 0..9 {
            quota.take_back(prefix(1));
        }
        assert_eq!((quota.held(), quota.held_by(prefix(1))), (9, 9));
        assert_eq!(quota.take(prefix(2)), Err(Exceeded::Total));
        for _ in 0..9 {
            quota.release(prefix(1));
        }
        assert_eq!(quota.take(prefix(1)), Ok(()));
    }

    #[test]
    fn loopback_is_limited_by_the_total_alone() {
        let mut quota = Quota::new(8, 1);
        let loopback = ClientPrefix::from(IpAddr::from([127, 0, 0, 1]));
        for _ in 0..8 {
            quota.take(loopback).unwrap();
        }
        assert_eq!(quota.take(loopback), Err(Exceeded::Total));
        quota.release(loopback);
        quota.take(prefix(1)).unwrap();
    }
}
