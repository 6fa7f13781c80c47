//! A test of this server by another one: what it is asked for, and what arrived.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::net::{
    expected::{Expected, ExpectedPackets},
    tls::{Given, Proofs},
};

/// Time for a test.
const LIFETIME: Duration = Duration::from_secs(60);

/// Tests that go on.
pub(super) struct Tests {
    proofs: Arc<Proofs>,
    packets: ExpectedPackets,
    open: Mutex<Vec<Test>>,
}

struct Test {
    since: Instant,
    expected: Expected,
    _proof: Given,
}

/// Proofs that this server shows to the other one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct TestProofs {
    pub(crate) nonce: String,
    pub(crate) answer: String,
    /// Transaction of a STUN request.
    pub(crate) transaction: [u8; 12],
}

/// True if the STUN request arrived.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Arrived {
    pub(crate) arrived: bool,
}

impl Tests {
    pub(super) fn new(proofs: Arc<Proofs>, packets: ExpectedPackets) -> Self {
        Self { proofs, packets, open: Mutex::default() }
    }

    /// Begins a test. `None` if there are too many.
    pub(super) fn begin(&self) -> Option<TestProofs> {
        let mut open = self.open.lock();
        open.retain(|test| test.since.elapsed() < LIFETIME);
        let expected = self.packets.expect()?;
        let [nonce, answer] = [(); 2].map(|()| format!("{:032x}", rand::random::<u128>()));
        let transaction = expected.id().0;
        let proof = self.proofs.give_self(&nonce, &answer);
        open.push(Test { since: Instant::now(), expected, _proof: proof });
        Some(TestProofs { nonce, answer, transaction })
    }

    /// Ends the test with a transaction; `None` if there is none.
    pub(super) fn end(&self, transaction: [u8; 12]) -> Option<Arrived> {
        let mut open = self.open.lock();
        let index = open.iter().position(|test| test.expected.id().0 == transaction)?;
        Some(Arrived { arrived: open.swap_remove(index).expected.has_arrived() })
    }
}
