//! Servers on one machine, one per thread, that share its relayed ports.
//!
//! Each owns a range of the ports, so the owner of a port is computed, not looked up. Siblings
//! share three things: a bit per port that is set while a relayed socket is open on it; the number
//! of allocations of each user and client address, which changes when allocations come and go; and
//! the bandwidth used by each, of which a server takes credit for many packets at a time.

#![expect(
    clippy::disallowed_types,
    reason = "the one lock in a core: siblings run on threads of their own and count exactly; it is \
              never taken per packet"
)]

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};

use foldhash::HashMap;

use crate::bucket::Bucket;

/// Maximum number of siblings.
pub const MAX_SIBLINGS: u8 = 64;

/// The number of allocations and the bandwidth of each user or client address on all siblings
/// together. Two siblings that check at the same time may each admit one too many.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Locked only when an account opens or closes, or a quota is checked: never per packet.
    holders: Mutex<HashMap<Box<str>, Weak<Charges>>>,
    total: Charges,
    /// Start of the shared clock.
    start: OnceLock<Instant>,
}

/// Allocations and bandwidth of one holder on all siblings.
#[derive(Debug, Default)]
pub(crate) struct Charges {
    held: AtomicU32,
    relayed: Bucket,
}

impl Charges {
    /// Number of allocations.
    pub(crate) fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed) as usize
    }

    /// The bandwidth in use.
    pub(crate) fn relayed(&self) -> &Bucket {
        &self.relayed
    }
}

impl Ledger {
    /// The charges of a holder, which are kept while any sibling has an account for it.
    pub(crate) fn open(&self, holder: &str) -> Arc<Charges> {
        let mut holders = self.holders();
        let known = holders.get(holder).and_then(Weak::upgrade);
        known.unwrap_or_else(|| {
            let charges = Arc::default();
            holders.insert(holder.into(), Arc::downgrade(&charges));
            charges
        })
    }

    /// Forgets a holder if these are the last charges of it.
    pub(crate) fn close(&self, holder: &str, charges: Arc<Charges>) {
        let mut holders = self.holders();
        drop(charges);
        if holders.get(holder).is_some_and(|charges| charges.strong_count() == 0) {
            holders.remove(holder);
        }
    }

    /// Adds one to a holder's count.
    pub(crate) fn hold(&self, charges: &Charges) {
        self.total.held.fetch_add(1, Ordering::Relaxed);
        charges.held.fetch_add(1, Ordering::Relaxed);
    }

    /// Subtracts one from a holder's count.
    pub(crate) fn release(&self, charges: &Charges) {
        self.total.held.fetch_sub(1, Ordering::Relaxed);
        charges.held.fetch_sub(1, Ordering::Relaxed);
    }

    /// The count of a holder on all siblings.
    pub(crate) fn held_by(&self, holder: &str) -> usize {
        let charges = self.holders().get(holder).and_then(Weak::upgrade);
        charges.map_or(0, |charges| charges.held())
    }

    /// The charges of all holders on all siblings.
    pub(crate) fn total(&self) -> &Charges {
        &self.total
    }

    /// Number of holders on all siblings.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.holders().len()
    }

    fn holders(&self) -> MutexGuard<'_, HashMap<Box<str>, Weak<Charges>>> {
        // Whole after every statement, so a panic of another holder of the lock leaves no harm.
        self.holders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server's share of the relayed ports, and the state it shares with its siblings.
#[derive(Debug, Clone)]
pub struct Sibling {
    index: u8,
    count: u8,
    ports: RangeInclusive<u16>,
    /// A bit per port of `ports`, set while a relayed socket is open on it.
    open: Arc<[AtomicU64]>,
    users: Arc<Ledger>,
    addresses: Arc<Ledger>,
}

impl Sibling {
    /// A single server that owns all ports.
    #[must_use]
    pub fn alone(ports: RangeInclusive<u16>) -> Self {
        let (users, addresses) = (Arc::default(), Arc::default());
        Self { index: 0, count: 1, ports, open: Arc::default(), users, addresses }
    }

    /// A family of `count` servers, from 1 to [`MAX_SIBLINGS`]; fewer if there are fewer pairs of
    /// ports.
    #[must_use]
    pub fn family(ports: &RangeInclusive<u16>, count: u8) -> Vec<Self> {
        let pairs = u8::try_from(ports.len() / 2).unwrap_or(u8::MAX);
        let count = count.min(pairs).clamp(1, MAX_SIBLINGS);
        let words = ports.len().div_ceil(64);
        let open: Arc<[AtomicU64]> = (0..words).map(|_| AtomicU64::new(0)).collect();
        let (users, addresses) = (Arc::<Ledger>::default(), Arc::<Ledger>::default());
        let of = |index| {
            let (users, addresses) = (Arc::clone(&users), Arc::clone(&addresses));
            Self { index, count, ports: ports.clone(), open: Arc::clone(&open), users, addresses }
        };
        (0..count).map(of).collect()
    }

    /// The index of this server, from 0.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Returns whether another server has this index.
    pub(crate) fn has_other(&self, index: u8) -> bool {
        index != self.index && index < self.count
    }

    /// The ports of this server.
    #[must_use]
    pub fn ports(&self) -> RangeInclusive<u16> {
        let ports_each = self.ports_each();
        let first = self.ports.start() + ports_each * u16::from(self.index);
        if self.index + 1 == self.count {
            return first..=*self.ports.end();
        }
        first..=first + (ports_each - 1)
    }

    /// Number of ports per server; the last one also has the remainder. It is even, so that pairs
    /// of ports stay together.
    fn ports_each(&self) -> u16 {
        let whole = self.ports.end().saturating_sub(*self.ports.start());
        ((whole / u16::from(self.count)) & !1).max(2)
    }

    /// The sibling that has a relayed socket open on this port, if it is another one.
    #[inline]
    #[must_use]
    pub fn owner_of_open(&self, port: u16) -> Option<u8> {
        let offset = port.checked_sub(*self.ports.start())?;
        let owner = offset / self.ports_each();
        let owner = u8::try_from(owner).ok()?.min(self.count - 1);
        (owner != self.index
            && self.bit(offset).is_some_and(|(word, bit)| word.load(Ordering::Relaxed) & bit != 0))
        .then_some(owner)
    }

    /// Announces to the siblings that a relayed socket is open on this port, or closed.
    pub fn set_open(&self, port: u16, open: bool) {
        let offset = port.checked_sub(*self.ports.start());
        let Some((word, bit)) = offset.and_then(|offset| self.bit(offset)) else { return };
        if open {
            word.fetch_or(bit, Ordering::Relaxed);
        } else {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// The ledger of users.
    pub(crate) fn users(&self) -> &Arc<Ledger> {
        &self.users
    }

    /// The ledger of client addresses.
    pub(crate) fn addresses(&self) -> &Arc<Ledger> {
        &self.addresses
    }

    /// The start of the shared clock, which is `now` for the first sibling.
    pub(crate) fn start(&self, now: Instant) -> Instant {
        *self.users.start.get_or_init(|| now)
    }

    fn bit(&self, offset: u16) -> Option<(&AtomicU64, u64)> {
        Some((self.open.get(usize::from(offset / 64))?, 1 << (offset % 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_port_has_one_owner() {
        for (ports, count) in [
            (49_152..=65_535, 1),
            (49_152..=65_535, 3),
            (49_152..=65_535, 64),
            (0..=65_535, 2),
            (50_001..=50_010, 4),
            (50_000..=50_001, 9),
        ] {
            let family = Sibling::family(&ports, count);
            assert_eq!(family.len(), usize::from(count).min(ports.len() / 2));
            let mut next = *ports.start();
            for sibling in &family {
                let own = sibling.ports();
                assert_eq!(*own.start(), next, "{ports:?} {count}");
                assert!(own.len() >= 2);
                next = own.end().wrapping_add(1);
                for port in [*own.start(), *own.end()] {
                    sibling.set_open(port, true);
                    for one in &family {
                        let is_other = one.index() != sibling.index();
                        assert_eq!(one.owner_of_open(port), is_other.then_some(sibling.index()));
                    }
                    sibling.set_open(port, false);
                    assert!(family.iter().all(|one| one.owner_of_open(port).is_none()));
                }
            }
            assert_eq!(next, ports.end().wrapping_add(1));
        }
    }

    #[test]
    fn single_server_owns_all_ports() {
        let alone = Sibling::alone(1000..=2000);
        assert_eq!(alone.ports(), 1000..=2000);
        alone.set_open(1500, true);
        for port in [0, 999, 1500, 2001] {
            assert_eq!(alone.owner_of_open(port), None);
        }
    }
}
