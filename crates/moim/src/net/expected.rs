//! Packets by which another server tests this one: each is expected, and proves that it came.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use turn::stun::TransactionId;

/// Packets that are expected at once.
const MAX_EXPECTED: usize = 8;
/// Place of the transaction id in a STUN message (RFC 8489 §5).
const TRANSACTION: std::ops::Range<usize> = 8..20;

/// Transactions that are expected, and whether they came. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExpectedPackets(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Spares the lock while nothing is expected, which is nearly always.
    is_any: AtomicBool,
    arrived: Mutex<HashMap<[u8; 12], bool>>,
}

/// An expected packet, until this is dropped.
#[derive(Debug)]
pub(crate) struct Expected {
    packets: ExpectedPackets,
    id: TransactionId,
}

impl ExpectedPackets {
    /// Expects a request with a random transaction id. `None` at the limit.
    pub(crate) fn expect(&self) -> Option<Expected> {
        let id = TransactionId(rand::random());
        let mut arrived = self.0.arrived.lock();
        if arrived.len() >= MAX_EXPECTED {
            return None;
        }
        arrived.insert(id.0, false);
        self.0.is_any.store(true, Ordering::Relaxed);
        Some(Expected { packets: self.clone(), id })
    }

    /// Notes a STUN request that arrived over UDP.
    pub(super) fn note(&self, request: &[u8]) {
        if !self.0.is_any.load(Ordering::Relaxed) {
            return;
        }
        let mut arrived = self.0.arrived.lock();
        let expected = request.get(TRANSACTION).and_then(|id| arrived.get_mut(id));
        if let Some(has_arrived) = expected {
            *has_arrived = true;
        }
    }
}

impl Expected {
    /// The request's transaction id.
    pub(crate) fn id(&self) -> TransactionId {
        self.id
    }

    /// True once the request has arrived.
    pub(crate) fn has_arrived(&self) -> bool {
        self.packets.0.arrived.lock().get(&self.id.0).copied().unwrap_or_default()
    }
}

impl Drop for Expected {
    fn drop(&mut self) {
        let mut arrived = self.packets.0.arrived.lock();
        arrived.remove(&self.id.0);
        self.packets.0.is_any.store(!arrived.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use turn::stun::{Class, Method, Writer};

    use super::*;

    fn request(id: TransactionId) -> Vec<u8> {
        let mut request = Vec::new();
        Writer::new(&mut request, Class::Request, Method::BINDING, id);
        request
    }

    #[test]
    fn expected_request_is_known_by_its_transaction() {
        let packets = ExpectedPackets::default();
        let expected = packets.expect().unwrap();
        packets.note(&request(TransactionId([7; 12])));
        packets.note(&[0; 9]);
        assert!(!expected.has_arrived());
        packets.note(&request(expected.id()));
        assert!(expected.has_arrived());
        let more: Vec<_> = std::iter::from_fn(|| packets.expect()).collect();
        assert_eq!(more.len(), MAX_EXPECTED - 1);
        drop((more, expected));
        assert!(!packets.0.is_any.load(Ordering::Relaxed), "the lock is spared again");
    }
}
