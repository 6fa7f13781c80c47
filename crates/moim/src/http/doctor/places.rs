//! Places of visits and probes, which are limited by client address and in total.

use std::sync::Arc;

use parking_lot::Mutex;

use crate::net::{client_prefix::ClientPrefix, quota::Quota};

/// Places in use at once, of all clients and of one.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<Quota>>);

/// Places of all clients: a probe costs a handshake and 100 packets a second.
const MAX_PLACES: usize = 64;
/// Places of one address: the probes over UDP, IPv6 and TCP of three people behind one NAT.
const MAX_PLACES_PER_ADDRESS: usize = 9;

impl Default for Places {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Quota::new(MAX_PLACES, MAX_PLACES_PER_ADDRESS))))
    }
}

impl Places {
    /// Takes a place, if there is one.
    pub(super) fn take(&self, prefix: ClientPrefix) -> Option<Place> {
        self.0.lock().take(prefix).ok()?;
        Some(Place { places: self.clone(), prefix })
    }
}

/// A place, until it is dropped.
pub(super) struct Place {
    places: Places,
    prefix: ClientPrefix,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.0.lock().release(self.prefix);
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn places_are_nine_of_an_address_and_sixty_four_in_all() {
        let places = Places::default();
        let from = |last: u8| ClientPrefix::from(IpAddr::from([192, 0, 2, last]));
        let mut taken: Vec<_> = (0..9).map(|_| places.take(from(1)).unwrap()).collect();
        assert!(places.take(from(1)).is_none());
        taken.pop();
        taken.push(places.take(from(1)).unwrap());
        for last in 2..=64 {
            taken.extend(std::iter::from_fn(|| places.take(from(last))));
        }
        assert_eq!(taken.len(), 64);
        assert!(places.take(from(65)).is_none());
        drop(taken);
        assert_eq!(places.0.lock().held(), 0);
    }
}
