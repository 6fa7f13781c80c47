//! Which other nodes are believed to be gone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::{lease::LEASE, node::NodeId};

/// Time without a message after which a node counts as silent.
pub const SILENCE: Duration = Duration::from_millis(600);
/// Time without the engine after which a node was away itself.
const AWAY: Duration = Duration::from_secs(1);

/// A node is believed to be gone if its lease has ended and it is silent. Absence counts only for a
/// node that has listened for a whole lease: one that was stopped or cut off, or whose engine was
/// away, first waits for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Suspicion {
    leased: BTreeSet<NodeId>,
    heard: BTreeMap<NodeId, Instant>,
    /// When the engine last answered.
    answered: Option<Instant>,
    /// Since when this node listens without a break.
    listens_since: Instant,
}

impl Suspicion {
    /// A node that begins to listen.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        let (leased, heard) = (BTreeSet::new(), BTreeMap::new());
        Self { leased, heard, answered: None, listens_since: now }
    }

    /// The engine answered.
    pub fn handle_answered(&mut self, now: Instant) {
        if self.answered.is_none_or(|answered| now - answered > AWAY) {
            self.listens_since = now;
        }
        self.answered = Some(now);
    }

    /// The engine told that a node's lease has ended.
    pub fn handle_lease_ended(&mut self, node: NodeId) {
        self.leased.remove(&node);
    }

    /// The engine listed the nodes whose leases live.
    pub fn handle_leases(&mut self, now: Instant, leased: impl IntoIterator<Item = NodeId>) {
        self.handle_answered(now);
        self.leased = leased.into_iter().collect();
        self.heard.retain(|_, at| now - *at < SILENCE);
    }

    /// The engine lost what it knew of leases, as after a restart with empty memory.
    pub fn handle_amnesia(&mut self, now: Instant) {
        self.listens_since = now;
    }

    /// A message of another node has come.
    pub fn handle_message(&mut self, now: Instant, from: NodeId) {
        self.heard.insert(from, now);
    }

    /// A node's process is gone, and its lease was ended.
    pub fn handle_deposed(&mut self, node: NodeId) {
        self.leased.remove(&node);
        self.heard.remove(&node);
    }

    /// True if a node's rooms may be claimed.
    #[must_use]
    pub fn is_gone(&self, now: Instant, node: NodeId) -> bool {
        let is_silent = self.heard.get(&node).is_none_or(|at| now - *at >= SILENCE);
        let listens = self.answered.is_some_and(|answered| now - answered <= AWAY)
            && now - self.listens_since >= LEASE;
        listens && is_silent && !self.leased.contains(&node)
    }

    /// Nodes whose leases live, as last reported.
    pub fn leased(&self) -> impl Iterator<Item = NodeId> {
        self.leased.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;
    use crate::node::Slot;

    const OTHER: u16 = 2;

    fn other() -> NodeId {
        NodeId { slot: Slot::new(OTHER).unwrap(), boot: 1 }
    }

    /// A node that has listened for `seconds`, and saw the other one leased all the time.
    fn listener(clock: &mut Clock, seconds: u32) -> Suspicion {
        let mut suspicion = Suspicion::new(clock.now());
        for _ in 0..seconds * 2 {
            clock.advance(Duration::from_millis(500));
            suspicion.handle_leases(clock.now(), [other()]);
        }
        suspicion
    }

    #[test]
    fn node_is_gone_when_its_lease_ended_and_it_is_silent() {
        let mut clock = Clock::new();
        let mut suspicion = listener(&mut clock, 4);
        suspicion.handle_message(clock.now(), other());
        assert!(!suspicion.is_gone(clock.now(), other()));
        suspicion.handle_leases(clock.now(), []);
        assert!(!suspicion.is_gone(clock.now(), other()), "it was heard a moment ago");
        clock.advance(SILENCE);
        assert!(suspicion.is_gone(clock.now(), other()));
        suspicion.handle_leases(clock.now(), [other()]);
        assert!(!suspicion.is_gone(clock.now(), other()), "its lease lives");
    }

    #[test]
    fn deposed_node_is_gone_at_once_for_those_who_listen() {
        let mut clock = Clock::new();
        let mut suspicion = listener(&mut clock, 4);
        suspicion.handle_message(clock.now(), other());
        suspicion.handle_deposed(other());
        assert!(suspicion.is_gone(clock.now(), other()));
        let mut newcomer = listener(&mut clock, 1);
        newcomer.handle_deposed(other());
        assert!(!newcomer.is_gone(clock.now(), other()));
    }

    #[test]
    fn newcomer_listens_for_a_lease_first() {
        let mut clock = Clock::new();
        let mut suspicion = Suspicion::new(clock.now());
        suspicion.handle_leases(clock.now(), []);
        assert!(!suspicion.is_gone(clock.now(), other()));
        for _ in 0..4 {
            clock.advance(Duration::from_millis(500));
            suspicion.handle_leases(clock.now(), []);
        }
        assert!(suspicion.is_gone(clock.now(), other()));
    }

    #[test]
    fn nobody_is_gone_for_a_node_that_was_away_itself() {
        let mut clock = Clock::new();
        let mut suspicion = listener(&mut clock, 4);
        clock.advance(Duration::from_secs(5));
        assert!(!suspicion.is_gone(clock.now(), other()), "the engine did not answer");
        suspicion.handle_leases(clock.now(), []);
        assert!(!suspicion.is_gone(clock.now(), other()), "the engine is just back");
        for _ in 0..4 {
            clock.advance(Duration::from_millis(500));
            suspicion.handle_leases(clock.now(), []);
        }
        assert!(suspicion.is_gone(clock.now(), other()));
    }

    #[test]
    fn amnesia_of_the_engine_is_no_absence() {
        let mut clock = Clock::new();
        let mut suspicion = listener(&mut clock, 4);
        suspicion.handle_leases(clock.now(), []);
        assert!(suspicion.is_gone(clock.now(), other()));
        suspicion.handle_amnesia(clock.now());
        assert!(!suspicion.is_gone(clock.now(), other()));
    }
}
