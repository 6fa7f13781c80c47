//! Permits of visits and probes, which are limited by client address and in total.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::{client_prefix::ClientPrefix, quota::Quota};

/// Permits in use at once, of all clients and of one.
#[derive(Clone)]
pub(super) struct TestPermits(Arc<Mutex<Quota>>);

/// Permits of all clients: a probe costs a handshake and 100 packets a second.
const MAX_PERMITS: usize = 64;
/// Permits of one address: the probes over UDP, IPv6 and TCP of three people behind one NAT.
const MAX_PERMITS_PER_ADDRESS: usize = 9;

impl Default for TestPermits {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Quota::new(MAX_PERMITS, MAX_PERMITS_PER_ADDRESS))))
    }
}

impl TestPermits {
    /// Takes a permit, if there is one.
    pub(super) fn take(&self, prefix: ClientPrefix) -> Option<TestPermit> {
        self.0.lock().take(prefix).ok()?;
        Some(TestPermit { permits: self.clone(), prefix })
    }
}

/// A permit, until it is dropped.
pub(super) struct TestPermit {
    permits: TestPermits,
    prefix: ClientPrefix,
}

impl Drop for TestPermit {
    fn drop(&mut self) {
        self.permits.0.lock().release(self.prefix);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn permits_are_nine_of_an_address_and_sixty_four_in_all() {
        let permits = TestPermits::default();
        let from = |last: u8| ClientPrefix::from(IpAddr::from([192, 0, 2, last]));
        let mut taken: Vec<_> = (0..9).map(|_| permits.take(from(1)).unwrap()).collect();
        assert!(permits.take(from(1)).is_none());
        taken.pop();
        taken.push(permits.take(from(1)).unwrap());
        for last in 2..=64 {
            taken.extend(std::iter::from_fn(|| permits.take(from(last))));
        }
        assert_eq!(taken.len(), 64);
        assert!(permits.take(from(65)).is_none());
        drop(taken);
        assert_eq!(permits.0.lock().held(), 0);
    }
}
