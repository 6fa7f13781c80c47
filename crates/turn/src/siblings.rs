//! Several servers on one machine, one a thread, that share its relayed ports.
//!
//! Each has a part of the ports to itself, so whose a port is gets computed and never looked up.
//! What one must know of the others' is a bit a port, whether a relayed socket is open there; how
//! much each user holds of all of them, read and written when allocations come and go; and what each
//! has had relayed, of which a server takes its part many packets at a time.

use std::{
    hash::{BuildHasher as _, RandomState},
    ops::RangeInclusive,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Instant,
};

use crate::bucket::Bucket;

/// There are at most so many.
pub const MAX_SIBLINGS: u8 = 64;

/// Places in a ledger. Two holders who share one share a quota: what a few thousand hold seldom meets,
/// and nobody can meet another on purpose without the hash.
const LEDGER_SLOTS: usize = 1 << 16;

/// What users, or client addresses, hold of all siblings together. Two siblings that look at once may
/// each let one more in.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    hasher: RandomState,
    /// None where there are no siblings: one alone knows by itself.
    slots: Box<[LedgerSlot]>,
    total: LedgerSlot,
    /// From when on all of them count.
    start: OnceLock<Instant>,
}

/// What is held, and what is relayed for who holds it.
#[derive(Debug, Default)]
struct LedgerSlot {
    held: AtomicU32,
    relayed: Bucket,
}

impl Ledger {
    /// The place of a holder.
    #[allow(clippy::cast_possible_truncation, reason = "a hash may lose bits")]
    pub(crate) fn slot(&self, holder: &str) -> usize {
        self.hasher.hash_one(holder) as usize % LEDGER_SLOTS
    }

    fn of(&self, holder: &str) -> Option<&LedgerSlot> {
        self.slots.get(self.slot(holder))
    }

    /// One for so many siblings.
    fn shared_by(count: u8) -> Arc<Self> {
        let slots =
            (0..if count > 1 { LEDGER_SLOTS } else { 0 }).map(|_| LedgerSlot::default()).collect();
        Arc::new(Self { slots, ..Self::default() })
    }

    /// A holder has one thing more.
    pub(crate) fn hold(&self, holder: &str) {
        self.total.held.fetch_add(1, Ordering::Relaxed);
        if let Some(slot) = self.of(holder) {
            slot.held.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A holder has one thing less.
    pub(crate) fn release(&self, holder: &str) {
        self.total.held.fetch_sub(1, Ordering::Relaxed);
        if let Some(slot) = self.of(holder) {
            slot.held.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// How much a holder has of all siblings that has `own` of this one.
    pub(crate) fn held_by(&self, holder: &str, own: usize) -> usize {
        let slot = self.of(holder);
        slot.map_or(own, |slot| slot.held.load(Ordering::Relaxed) as usize)
    }

    /// How much all of them hold of all siblings.
    pub(crate) fn held(&self) -> usize {
        self.total.held.load(Ordering::Relaxed) as usize
    }

    /// What all siblings relay for the holder at that place, where there are any.
    pub(crate) fn relayed_for(&self, slot: usize) -> Option<&Bucket> {
        self.slots.get(slot).map(|slot| &slot.relayed)
    }

    /// What all siblings relay for all of them.
    pub(crate) fn relayed(&self) -> &Bucket {
        &self.total.relayed
    }
}

/// One server among its siblings.
#[derive(Debug, Clone)]
pub struct Sibling {
    index: u8,
    count: u8,
    ports: RangeInclusive<u16>,
    /// A bit for each port of `ports`, set while a relayed socket has it.
    open: Arc<[AtomicU64]>,
    users: Arc<Ledger>,
    addresses: Arc<Ledger>,
}

impl Sibling {
    /// A server without siblings, whose are all ports.
    #[must_use]
    pub fn alone(ports: RangeInclusive<u16>) -> Self {
        let (users, addresses) = (Arc::default(), Arc::default());
        Self { index: 0, count: 1, ports, open: Arc::default(), users, addresses }
    }

    /// So many servers, from 1 to [`MAX_SIBLINGS`]; fewer where there is not a pair of ports for each.
    #[must_use]
    pub fn family(ports: &RangeInclusive<u16>, count: u8) -> Vec<Self> {
        let pairs = u8::try_from(ports.len() / 2).unwrap_or(u8::MAX);
        let count = count.min(pairs).clamp(1, MAX_SIBLINGS);
        let words = ports.len().div_ceil(64);
        let open: Arc<[AtomicU64]> = (0..words).map(|_| AtomicU64::new(0)).collect();
        let (users, addresses) = (Ledger::shared_by(count), Ledger::shared_by(count));
        let of = |index| {
            let (users, addresses) = (Arc::clone(&users), Arc::clone(&addresses));
            Self { index, count, ports: ports.clone(), open: Arc::clone(&open), users, addresses }
        };
        (0..count).map(of).collect()
    }

    /// Which one this is, from 0.
    #[must_use]
    pub fn index(&self) -> u8 {
        self.index
    }

    /// Whether there is another one of this index.
    pub(crate) fn has_other(&self, index: u8) -> bool {
        index != self.index && index < self.count
    }

    /// This one's part of the ports.
    #[must_use]
    pub fn ports(&self) -> RangeInclusive<u16> {
        let ports_each = self.ports_each();
        let first = self.ports.start() + ports_each * u16::from(self.index);
        if self.index + 1 == self.count {
            return first..=*self.ports.end();
        }
        first..=first + (ports_each - 1)
    }

    /// How many ports each has, the last one more: an even number, so that pairs of ports stay
    /// together.
    fn ports_each(&self) -> u16 {
        let whole = self.ports.end().saturating_sub(*self.ports.start());
        ((whole / u16::from(self.count)) & !1).max(2)
    }

    /// Another one, if a relayed socket of its is open on this port.
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

    /// Tells the others that a relayed socket is open on this port, or no more.
    pub fn set_open(&self, port: u16, open: bool) {
        let offset = port.checked_sub(*self.ports.start());
        let Some((word, bit)) = offset.and_then(|offset| self.bit(offset)) else { return };
        if open {
            word.fetch_or(bit, Ordering::Relaxed);
        } else {
            word.fetch_and(!bit, Ordering::Relaxed);
        }
    }

    /// What users hold.
    pub(crate) fn users(&self) -> &Arc<Ledger> {
        &self.users
    }

    /// What client addresses hold.
    pub(crate) fn addresses(&self) -> &Arc<Ledger> {
        &self.addresses
    }

    /// From when on all siblings count, of which one begins now.
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
    fn every_port_has_one_owner() {
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
    fn one_alone_has_all_ports_and_nobody_else() {
        let alone = Sibling::alone(1000..=2000);
        assert_eq!(alone.ports(), 1000..=2000);
        alone.set_open(1500, true);
        for port in [0, 999, 1500, 2001] {
            assert_eq!(alone.owner_of_open(port), None);
        }
    }
}
