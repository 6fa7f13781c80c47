//! Who gets in: bounds on connections, in total and by address.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{config::Limits, net::client_prefix::ClientPrefix};

/// How many are in from whom.
type ByAddress = Arc<Mutex<HashMap<ClientPrefix, usize>>>;

/// Lets connections in as long as there is room.
#[derive(Debug, Clone)]
pub(crate) struct Admission {
    total: usize,
    free: Arc<Semaphore>,
    per_address: usize,
    by_address: ByAddress,
}

/// Why a connection wasn't let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There are as many as the server takes.
    Full,
    /// There are as many from this address as it may have.
    FullForAddress,
}

/// A place in the server, held as long as the connection is.
#[derive(Debug)]
pub(crate) struct Place {
    _one: OwnedSemaphorePermit,
    /// Of whom it is counted, and where.
    counted: Option<(ClientPrefix, ByAddress)>,
}

impl Admission {
    /// Nobody is in yet.
    pub(crate) fn new(limits: &Limits) -> Self {
        let total = limits.connections.min(Semaphore::MAX_PERMITS);
        Self {
            total,
            free: Arc::new(Semaphore::new(total)),
            per_address: limits.connections_per_address,
            by_address: Arc::default(),
        }
    }

    /// A place for a connection from `address`, if there is one.
    pub(crate) fn admit(&self, address: IpAddr) -> Result<Place, Refused> {
        let mut place = self.admit_proxy()?;
        let who = ClientPrefix::from(address);
        if who.is_loopback() {
            return Ok(place);
        }
        let mut by_address = lock(&self.by_address);
        let count = by_address.entry(who).or_default();
        if *count >= self.per_address {
            return Err(Refused::FullForAddress);
        }
        *count += 1;
        place.counted = Some((who, Arc::clone(&self.by_address)));
        Ok(place)
    }

    /// A place for a connection that carries requests of many clients, each of which is counted
    /// where its own address is known.
    pub(crate) fn admit_proxy(&self) -> Result<Place, Refused> {
        let one = Arc::clone(&self.free).try_acquire_owned().map_err(|_| Refused::Full)?;
        Ok(Place { _one: one, counted: None })
    }

    /// How many are in.
    pub(crate) fn count(&self) -> usize {
        self.total.saturating_sub(self.free.available_permits())
    }

    /// Returns once nobody is in any more.
    pub(crate) async fn empty(&self) {
        let all = u32::try_from(self.total).unwrap_or(u32::MAX);
        // The semaphore is never closed.
        let _ = self.free.acquire_many(all).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some((who, by_address)) = &self.counted else { return };
        let mut by_address = lock(by_address);
        if let Some(count) = by_address.get_mut(who) {
            *count -= 1;
            if *count == 0 {
                by_address.remove(who);
            }
        }
    }
}

/// The map is whole between any two statements, so a panic elsewhere leaves it usable.
fn lock(map: &Mutex<HashMap<ClientPrefix, usize>>) -> MutexGuard<'_, HashMap<ClientPrefix, usize>> {
    map.lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admission(total: usize, per_address: usize) -> Admission {
        Admission {
            total,
            free: Arc::new(Semaphore::new(total)),
            per_address,
            by_address: Arc::default(),
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_has_its_share_and_gets_it_back() {
        let admission = admission(9, 2);
        let places = [(); 2].map(|()| admission.admit(ip("192.0.2.1")).unwrap());
        assert_eq!(admission.admit(ip("192.0.2.1")).unwrap_err(), Refused::FullForAddress);
        let other = admission.admit(ip("192.0.2.2")).unwrap();
        assert_eq!(admission.count(), 3);
        drop(places);
        assert!(admission.admit(ip("192.0.2.1")).is_ok());
        drop(other);
        assert_eq!(admission.count(), 0);
        assert!(lock(&admission.by_address).is_empty());
    }

    #[test]
    fn loopback_is_bounded_only_in_total() {
        let admission = admission(3, 1);
        let _places = [(); 3].map(|()| admission.admit(ip("127.0.0.1")).unwrap());
        assert_eq!(admission.admit(ip("127.0.0.1")).unwrap_err(), Refused::Full);
    }
}
