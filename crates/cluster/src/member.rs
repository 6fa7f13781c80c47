//! The own node among the others.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use crate::{
    engine::{Answer, Payload, Request, RoomKey, Unanswered},
    lease::Lease,
    node::{Card, NodeId, NodeState, Slot},
    placement::{self, CLAIM_STAGGER},
    suspicion::Suspicion,
};

/// Time between two looks at the leases of other nodes.
const LOOK: Duration = Duration::from_millis(500);
/// The same for each node, if that is more: the engine's work for all looks rises with the nodes, and
/// not with their square. The end of a single lease is told by [`Request::Find`], too.
const LOOK_PER_NODE: Duration = Duration::from_micros(2500);

/// The rank from which on nodes wait alike: clients of a room come back by any few of many nodes, so
/// the best of these may have a high rank.
const MAX_RANK: usize = 5;

/// The request that is on its way to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Purpose {
    Renew,
    Nodes,
}

/// The own node: its slot and lease, and which others are there.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Member {
    id: NodeId,
    card: Card,
    lease: Lease,
    suspicion: Suspicion,
    cards: BTreeMap<NodeId, Card>,
    /// Listed nodes that said that they drain, whatever their cards tell yet.
    draining: BTreeSet<NodeId>,
    /// The renewal and the look that are on their way, with their requests' ids.
    asked: Vec<(u64, Purpose)>,
    last_request: u64,
    look_at: Instant,
    was_leased: bool,
    has_regained: bool,
}

impl Member {
    /// A node that wants a slot, the one it had before if that is free. `boot` is random.
    #[must_use]
    pub fn new(now: Instant, slot: Slot, boot: u64, card: Card) -> Self {
        Self {
            id: NodeId { slot, boot },
            card,
            lease: Lease::new(now),
            suspicion: Suspicion::new(now),
            cards: BTreeMap::new(),
            draining: BTreeSet::new(),
            asked: Vec::new(),
            last_request: 0,
            look_at: now,
            was_leased: false,
            has_regained: false,
        }
    }

    /// The own id. Its slot may change until the lease is held for the first time, and after another
    /// node took it.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.id
    }

    /// True if other nodes take this one for alive.
    #[must_use]
    pub fn is_leased(&self, now: Instant) -> bool {
        self.lease.is_held(now)
    }

    /// The node's description of itself.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Changes what the node tells of itself, with the next renewal.
    pub fn set_card(&mut self, card: Card) {
        self.card = card;
    }

    /// Another node said that it drains: it takes no rooms and no links from now on.
    pub fn handle_draining(&mut self, node: NodeId) {
        if let Some(card) = self.cards.get_mut(&node) {
            card.state = NodeState::Draining;
            self.draining.insert(node);
        }
    }

    /// The next request, with an id that its answer must have.
    pub fn poll_request(&mut self, now: Instant) -> Option<(u64, Request)> {
        if self.lease.poll_renewal(now) {
            let card = Payload::from(self.card.encode());
            return Some(self.ask(Purpose::Renew, Request::Renew { node: self.id, card }));
        }
        if now >= self.look_at && !self.is_looking() {
            let nodes = u32::try_from(self.cards.len()).unwrap_or(u32::MAX);
            self.look_at = now + LOOK.max(LOOK_PER_NODE.saturating_mul(nodes));
            return Some(self.ask(Purpose::Nodes, Request::Nodes));
        }
        None
    }

    fn ask(&mut self, asked: Purpose, request: Request) -> (u64, Request) {
        self.last_request += 1;
        self.asked.push((self.last_request, asked));
        (self.last_request, request)
    }

    /// The engine's answer to a request, or the news that none comes.
    pub fn handle_answer(&mut self, now: Instant, id: u64, answer: Result<Answer, Unanswered>) {
        let Some(index) = self.asked.iter().position(|(own, _)| *own == id) else { return };
        let (_, asked) = self.asked.swap_remove(index);
        match (asked, answer) {
            (Purpose::Renew, Ok(Answer::Renewed)) => {
                self.has_regained |= self.was_leased && !self.lease.is_held(now);
                self.lease.handle_renewed();
                self.suspicion.handle_answered(now);
                self.was_leased = true;
            }
            (Purpose::Renew, Ok(Answer::SlotTaken)) => {
                self.lease.handle_refused();
                self.id.slot = self.id.slot.next();
            }
            (Purpose::Nodes, Ok(Answer::Nodes(nodes))) => {
                self.suspicion.handle_leases(now, nodes.iter().map(|(node, _)| *node));
                // A node of a later version has a card that can't be read: it takes no rooms of ours.
                let readable = nodes
                    .iter()
                    .filter_map(|(node, card)| Card::decode(card).ok().map(|card| (*node, card)));
                self.cards = readable.collect();
                self.draining.retain(|node| self.cards.contains_key(node));
                for node in &self.draining {
                    self.cards.entry(*node).and_modify(|card| card.state = NodeState::Draining);
                }
            }
            (Purpose::Renew, _) => self.lease.handle_unanswered(),
            (Purpose::Nodes, _) => {}
        }
    }

    /// True if the lease is held again after it had ended: meanwhile, others may have claimed this
    /// node's rooms, and the caller must [check](crate::OwnedRoom::check) each. True once.
    pub fn poll_regained(&mut self) -> bool {
        std::mem::take(&mut self.has_regained)
    }

    /// A message of another node has come.
    pub fn handle_message(&mut self, now: Instant, from: NodeId) {
        self.suspicion.handle_message(now, from);
    }

    /// The engine told with a room that the lease of its owner has ended.
    pub fn handle_lease_ended(&mut self, owner: NodeId) {
        self.suspicion.handle_lease_ended(owner);
    }

    /// The engine has ended the lease of a node whose process is gone.
    pub fn handle_deposed(&mut self, node: NodeId) {
        self.suspicion.handle_deposed(node);
        self.cards.remove(&node);
        self.draining.remove(&node);
    }

    /// The engine lost its memory: absence counts only after a whole lease.
    pub fn handle_amnesia(&mut self, now: Instant) {
        self.suspicion.handle_amnesia(now);
    }

    /// The other nodes, and what they tell of themselves.
    pub fn others(&self) -> impl Iterator<Item = (NodeId, &Card)> {
        self.cards.iter().map(|(node, card)| (*node, card)).filter(|(node, _)| *node != self.id)
    }

    /// The node that should open a room which has no owner: of those that take new rooms.
    #[must_use]
    pub fn owner_for(&self, room: RoomKey) -> NodeId {
        let serving = self.serving().chain([self.id]);
        placement::owner_for(room, serving).unwrap_or(self.id)
    }

    /// The other node that should have the room after this one, which drains.
    #[must_use]
    pub fn successor_for(&self, room: RoomKey) -> Option<NodeId> {
        placement::owner_for(room, self.serving())
    }

    fn serving(&self) -> impl Iterator<Item = NodeId> {
        self.others().filter(|(_, card)| card.state == NodeState::Serving).map(|(node, _)| node)
    }

    /// True if a node's rooms may be claimed: its lease has ended, and it is silent.
    #[must_use]
    pub fn is_gone(&self, now: Instant, node: NodeId) -> bool {
        self.suspicion.is_gone(now, node)
    }

    /// The time to wait before the room of `owner` is claimed; `None` while `owner` may be alive, or
    /// this node may not claim.
    #[must_use]
    pub fn claim_delay(&self, now: Instant, room: RoomKey, owner: NodeId) -> Option<Duration> {
        if !self.is_gone(now, owner) || !self.is_leased(now) {
            return None;
        }
        let rank = placement::rank(room, self.id, self.serving()).min(MAX_RANK);
        Some(CLAIM_STAGGER * u32::try_from(rank).unwrap_or(u32::MAX))
    }

    /// The time of the next request; `None` while an answer must come first.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let look = (!self.is_looking()).then_some(self.look_at);
        [self.lease.poll_timeout(), look].into_iter().flatten().min()
    }

    fn is_looking(&self) -> bool {
        self.asked.iter().any(|(_, asked)| *asked == Purpose::Nodes)
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    fn node(slot: u16) -> NodeId {
        NodeId { slot: Slot::new(slot).unwrap(), boot: 7 }
    }

    fn card() -> Card {
        let (state, media) = (NodeState::Serving, Vec::new());
        Card { state, load: 0, url: None, address: None, media }
    }

    /// A member that has its lease and has listened for three seconds, among as many nodes.
    fn member(clock: &mut Clock, nodes: u16) -> (Member, u32) {
        let mut member = Member::new(clock.now(), Slot::new(0).unwrap(), 7, card());
        let listed = |of: u16| (0..of).map(|slot| (node(slot), Payload::from(card().encode())));
        let (end, mut looks) = (clock.now() + Duration::from_secs(10), 0);
        while clock.now() < end {
            while let Some((id, request)) = member.poll_request(clock.now()) {
                let answer = match request {
                    Request::Nodes => {
                        looks += 1;
                        Answer::Nodes(listed(nodes).collect())
                    }
                    _ => Answer::Renewed,
                };
                member.handle_answer(clock.now(), id, Ok(answer));
            }
            assert!(clock.jump([member.poll_timeout()]));
        }
        (member, looks)
    }

    #[test]
    fn looks_become_rarer_with_more_nodes() {
        let [(_, few), (_, many)] = [3, 1000].map(|nodes| member(&mut Clock::new(), nodes));
        assert!((19..=21).contains(&few), "{few}");
        assert!((4..=6).contains(&many), "{many}");
    }

    #[test]
    fn node_that_drains_gets_nothing_though_its_card_is_old() {
        let mut clock = Clock::new();
        let (mut member, _) = member(&mut clock, 3);
        let rooms = || (0..100_u128).map(|room| RoomKey(room.to_be_bytes()));
        let has =
            |member: &Member, other| rooms().any(|room| member.successor_for(room) == Some(other));
        assert!(has(&member, node(1)) && has(&member, node(2)) && !has(&member, node(0)));
        member.handle_draining(node(1));
        member.handle_draining(node(7));
        let end = clock.now() + Duration::from_secs(2);
        while clock.now() < end {
            while let Some((id, request)) = member.poll_request(clock.now()) {
                let card = || Payload::from(card().encode());
                let answer = match request {
                    Request::Nodes => Answer::Nodes([0, 1, 2].map(|it| (node(it), card())).into()),
                    _ => Answer::Renewed,
                };
                member.handle_answer(clock.now(), id, Ok(answer));
            }
            assert!(clock.jump([member.poll_timeout()]));
            assert!(!has(&member, node(1)) && has(&member, node(2)));
        }
        member.handle_draining(node(2));
        assert_eq!(member.successor_for(RoomKey([0; 16])), None, "nobody is left");
    }

    #[test]
    fn lease_that_the_engine_tells_to_have_ended_need_not_be_missed_in_a_look() {
        let mut clock = Clock::new();
        let (mut member, _) = member(&mut clock, 1000);
        let room = RoomKey([3; 16]);
        assert_eq!(member.claim_delay(clock.now(), room, node(5)), None);
        member.handle_lease_ended(node(5));
        let delay = member.claim_delay(clock.now(), room, node(5)).unwrap();
        assert!(delay <= CLAIM_STAGGER * 5, "{delay:?}: a few nodes of many don't wait for all");
    }
}
