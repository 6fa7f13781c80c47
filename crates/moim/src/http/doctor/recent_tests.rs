//! Tests of other servers in the last minute, which are limited by address and in total.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::net::client_prefix::ClientPrefix;

/// Time between two tests for one address.
const INTERVAL: Duration = Duration::from_secs(60);
/// Addresses that are remembered, thus tests of all in that time.
const MAX_ADDRESSES: usize = 64;

/// Tests of the last minute, by address.
#[derive(Debug, Default)]
pub(super) struct RecentTests(Mutex<HashMap<ClientPrefix, Instant>>);

impl RecentTests {
    /// Takes the place of an address, if it has one.
    pub(super) fn take(&self, prefix: ClientPrefix, now: Instant) -> bool {
        let mut recent = self.0.lock();
        recent.retain(|_, at| now.saturating_duration_since(*at) < INTERVAL);
        let is_free = recent.len() < MAX_ADDRESSES && !recent.contains_key(&prefix);
        if is_free {
            recent.insert(prefix, now);
        }
        is_free
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn addresses_are_dialled_once_a_minute_and_few_in_all() {
        let recent = RecentTests::default();
        let start = Instant::now();
        let of = |last: u8| ClientPrefix::from(IpAddr::from([93, 184, 216, last]));
        assert!(recent.take(of(1), start));
        assert!(!recent.take(of(1), start + INTERVAL - Duration::from_secs(1)));
        assert!(recent.take(of(1), start + INTERVAL));
        let taken = (2..=255).filter(|last| recent.take(of(*last), start + INTERVAL)).count();
        assert_eq!(taken, MAX_ADDRESSES - 1);
    }
}
