//! Assignment of a room's links to shards of nodes, and of peer ids.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

use cluster::NodeId;
use room::protocol::ParticipantId;
use sfu::{PeerId, RoomId};

/// Number of links that a room keeps on its home shard: an easy load for a core. A track forwarded
/// to another shard costs about as much as one more subscriber.
const MAX_AT_HOME: usize = 4;

/// Numbers of rooms and peers, which no other node and no earlier process uses.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    rooms: AtomicU64,
    peers: AtomicU64,
}

/// Bits of a count of rooms or peers; above it are the node's slot and the end of its boot. The
/// highest bit is that of probes.
const COUNT_BITS: u32 = 39;
const BOOT_BITS: u32 = 14;

/// The part of numbers that is this node's. Zero without a cluster.
pub(super) fn number_base(node: Option<NodeId>) -> u64 {
    node.map_or(0, |node| {
        let boot = node.boot & ((1 << BOOT_BITS) - 1);
        (u64::from(node.slot.value()) << BOOT_BITS | boot) << COUNT_BITS
    })
}

impl Numbers {
    pub(super) fn next_room(&self, base: u64) -> RoomId {
        RoomId(base | self.rooms.fetch_add(1, Ordering::Relaxed))
    }
}

/// A node on which links may begin, and its number of shards. Without an id it is the own one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NodeShards {
    pub(super) node: Option<NodeId>,
    pub(super) shards: usize,
}

/// A shard of a node; without an id of the own one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) node: Option<NodeId>,
    pub(super) shard: usize,
}

/// Links of one room.
#[derive(Debug)]
pub(super) struct Placement {
    room: RoomId,
    /// Next unused peer id, shared by all rooms.
    numbers: Arc<Numbers>,
    base: u64,
    by_id: HashMap<ParticipantId, Placed>,
    by_peer: HashMap<PeerId, ParticipantId>,
    /// Links that live on while their participants begin the next one.
    retired: HashMap<ParticipantId, Retired>,
    /// Number of links per shard, of each node that has any.
    links: BTreeMap<Option<NodeId>, Vec<usize>>,
}

/// Peer id and place of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) peer: PeerId,
    pub(super) place: Place,
    /// The link is the first or was the last of the room on its shard.
    pub(super) changes_shards: bool,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    peer: PeerId,
    /// Place of the link, once begun.
    place: Option<Place>,
}

/// A link whose participant has another one, or begins it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Retired {
    pub(super) peer: PeerId,
    pub(super) place: Place,
    /// It ends at this time.
    until: Instant,
}

impl Placement {
    /// Creates an empty placement, whose peers have numbers above `base`.
    pub(super) fn new(room: RoomId, numbers: Arc<Numbers>, base: u64) -> Self {
        Self {
            room,
            numbers,
            base,
            by_id: HashMap::new(),
            by_peer: HashMap::new(),
            retired: HashMap::new(),
            links: BTreeMap::new(),
        }
    }

    /// Participant of a peer id, also of a retired link.
    pub(super) fn of(&self, peer: PeerId) -> Option<&ParticipantId> {
        self.by_peer.get(&peer)
    }

    /// Participant whose link has this peer id, unless it is retired.
    pub(super) fn current(&self, peer: PeerId) -> Option<&ParticipantId> {
        self.of(peer).filter(|id| self.by_id.get(*id).is_some_and(|placed| placed.peer == peer))
    }

    /// Peer id of a participant, assigned if needed, even without a link.
    pub(super) fn peer_id(&mut self, id: &ParticipantId) -> PeerId {
        self.placed(id).peer
    }

    /// Place of a participant's link, once it has begun.
    pub(super) fn place(&self, id: &ParticipantId) -> Option<Place> {
        self.by_id.get(id)?.place
    }

    /// Returns a participant's peer id and the place of its link, assigned on a node if needed.
    /// Links begin on healthy shards, if any.
    pub(super) fn assign(
        &mut self,
        id: &ParticipantId,
        on: NodeShards,
        is_healthy: impl Fn(usize) -> bool,
    ) -> Assignment {
        let Placed { peer, place } = self.placed(id);
        if let Some(place) = place {
            return Assignment { peer, place, changes_shards: false };
        }
        let shard = self.choose_shard(on, is_healthy);
        let place = Place { node: on.node, shard };
        let changes_shards = self.add(id, peer, place, on.shards);
        Assignment { peer, place, changes_shards }
    }

    /// Takes over a link that has begun. Returns false if the place can't be.
    pub(super) fn restore(
        &mut self,
        id: &ParticipantId,
        peer: PeerId,
        shard: usize,
        on: NodeShards,
    ) -> bool {
        let is_new = !self.by_id.contains_key(id) && !self.by_peer.contains_key(&peer);
        if shard >= on.shards || !is_new {
            return false;
        }
        self.by_peer.insert(peer, id.clone());
        self.add(id, peer, Place { node: on.node, shard }, on.shards);
        true
    }

    /// Adds a link. Returns true if it is the first on its shard.
    fn add(&mut self, id: &ParticipantId, peer: PeerId, place: Place, shards: usize) -> bool {
        self.by_id.insert(id.clone(), Placed { peer, place: Some(place) });
        let links = self.links.entry(place.node).or_insert_with(|| vec![0; shards]);
        let Some(links) = links.get_mut(place.shard) else { return false };
        *links += 1;
        *links == 1
    }

    /// Keeps the peer id of a participant whose link is lost: others go on to name it.
    pub(super) fn keep_peer(&mut self, id: ParticipantId, peer: PeerId) {
        if !self.by_id.contains_key(&id) && !self.by_peer.contains_key(&peer) {
            self.by_peer.insert(peer, id.clone());
            self.by_id.insert(id, Placed { peer, place: None });
        }
    }

    /// Releases a participant's link, but not its peer id.
    pub(super) fn release_link(&mut self, id: &ParticipantId) {
        if let Some(Assignment { peer, .. }) = self.release(id) {
            self.keep_peer(id.clone(), peer);
        }
    }

    /// Releases a participant's peer id; returns the assignment of its link, if it had one.
    pub(super) fn release(&mut self, id: &ParticipantId) -> Option<Assignment> {
        let Placed { peer, place } = self.by_id.remove(id)?;
        self.by_peer.remove(&peer);
        self.remove_link(peer, place?)
    }

    /// Uncounts a link.
    fn remove_link(&mut self, peer: PeerId, place: Place) -> Option<Assignment> {
        let of_node = self.links.get_mut(&place.node)?;
        let links = of_node.get_mut(place.shard)?;
        *links -= 1;
        let changes_shards = *links == 0;
        if of_node.iter().all(|links| *links == 0) {
            self.links.remove(&place.node);
        }
        Some(Assignment { peer, place, changes_shards })
    }

    /// Retires a participant's link, if it has one and none is retired: it stays counted until this
    /// time, and the participant's next link has the other number.
    pub(super) fn retire(&mut self, id: &ParticipantId, until: Instant) -> Option<Retired> {
        let Placed { peer, place } =
            *self.by_id.get(id).filter(|_| !self.retired.contains_key(id))?;
        let retired = Retired { peer, place: place?, until };
        self.retired.insert(id.clone(), retired);
        let next = peer.twin();
        self.by_id.insert(id.clone(), Placed { peer: next, place: None });
        self.by_peer.insert(next, id.clone());
        Some(retired)
    }

    /// A participant's retired link.
    pub(super) fn retired(&self, id: &ParticipantId) -> Option<Retired> {
        self.retired.get(id).copied()
    }

    /// Releases a participant's retired link.
    pub(super) fn release_retired(&mut self, id: &ParticipantId) -> Option<Assignment> {
        let Retired { peer, place, .. } = self.retired.remove(id)?;
        self.by_peer.remove(&peer);
        self.remove_link(peer, place)
    }

    /// Participants with a retired link on a node.
    pub(super) fn retired_on(&self, node: NodeId) -> Vec<ParticipantId> {
        let retired = self.retired.iter().filter(|(_, link)| link.place.node == Some(node));
        retired.map(|(id, _)| id.clone()).collect()
    }

    /// Participants whose retired links end.
    pub(super) fn overdue(&self, now: Instant) -> Vec<ParticipantId> {
        let overdue = self.retired.iter().filter(|(_, link)| link.until <= now);
        overdue.map(|(id, _)| id.clone()).collect()
    }

    /// Time at which the next retired link ends.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.retired.values().map(|link| link.until).min()
    }

    /// Nodes with links, each with the shards that take part in the room: those that have links, and
    /// on several nodes each one's home shard, over which tracks of others come in.
    pub(super) fn spans(&self) -> Vec<(Option<NodeId>, Vec<usize>)> {
        let is_spread = self.links.len() > 1;
        let span = |(node, links): (&Option<NodeId>, &Vec<usize>)| {
            let home = self.home(links.len());
            let links = links.iter().enumerate();
            let has_part = |shard: usize, links: usize| links > 0 || (is_spread && shard == home);
            let shards = links.filter(|(shard, links)| has_part(*shard, **links));
            (*node, shards.map(|(shard, _)| shard).collect())
        };
        self.links.iter().map(span).collect()
    }

    /// The home shard of a room on a node: on it links begin, and tracks of other nodes come in. It
    /// must not change while the room lives.
    pub(super) fn home(&self, shards: usize) -> usize {
        let shards = u64::try_from(shards).unwrap_or(1).max(1);
        usize::try_from(self.room.0 % shards).unwrap_or_default()
    }

    /// The home shard of a node that has links.
    pub(super) fn home_on(&self, node: Option<NodeId>) -> Option<usize> {
        self.links.get(&node).map(|links| self.home(links.len()))
    }

    /// All participants with a peer id.
    pub(super) fn ids(&self) -> Vec<ParticipantId> {
        self.by_id.keys().cloned().collect()
    }

    /// Peers on a node with their shards, retired ones among them.
    pub(super) fn peers_on(&self, node: Option<NodeId>) -> Vec<(u8, PeerId)> {
        let retired = self.retired.values().map(|link| (link.peer, link.place));
        let links = self.links().map(|(_, peer, place)| (peer, place)).chain(retired);
        let links = links.filter(|(_, place)| place.node == node);
        links.filter_map(|(peer, place)| Some((u8::try_from(place.shard).ok()?, peer))).collect()
    }

    /// All links that are not retired.
    pub(super) fn links(&self) -> impl Iterator<Item = (&ParticipantId, PeerId, Place)> {
        let links = self.by_id.iter();
        links.filter_map(|(id, placed)| Some((id, placed.peer, placed.place?)))
    }

    /// Returns whether a node has links.
    pub(super) fn has_node(&self, node: Option<NodeId>) -> bool {
        self.links.contains_key(&node)
    }

    /// Shard for the next link on a node: the home shard of a small room, then the one with the
    /// fewest links of the room.
    pub(super) fn choose_shard(&self, on: NodeShards, is_healthy: impl Fn(usize) -> bool) -> usize {
        let links = self.links.get(&on.node);
        let count = |shard| links.and_then(|links| links.get(shard)).copied().unwrap_or_default();
        let home = self.home(on.shards);
        if count(home) < MAX_AT_HOME && is_healthy(home) {
            return home;
        }
        let healthy = (0..on.shards).filter(|shard| is_healthy(*shard));
        healthy.min_by_key(|shard| count(*shard)).unwrap_or(home)
    }

    fn placed(&mut self, id: &ParticipantId) -> Placed {
        if let Some(placed) = self.by_id.get(id) {
            return *placed;
        }
        let peer = PeerId(self.base | self.numbers.peers.fetch_add(1, Ordering::Relaxed));
        let placed = Placed { peer, place: None };
        self.by_id.insert(id.clone(), placed);
        self.by_peer.insert(peer, id.clone());
        placed
    }
}

#[cfg(test)]
mod tests {
    use cluster::Slot;

    use super::*;

    fn id(n: usize) -> ParticipantId {
        serde_json::from_value(format!("p{n}").into()).unwrap()
    }

    fn all(_: usize) -> bool {
        true
    }

    /// The placement of a room whose home shard is 1 of 2 or 3.
    fn placement() -> Placement {
        Placement::new(RoomId(1), Arc::default(), 0)
    }

    fn own(shards: usize) -> NodeShards {
        NodeShards { node: None, shards }
    }

    fn other(slot: u16) -> NodeShards {
        NodeShards { node: Some(NodeId { slot: Slot::new(slot).unwrap(), boot: 1 }), shards: 3 }
    }

    #[test]
    fn small_room_stays_on_one_shard_and_large_room_spreads() {
        let mut placement = placement();
        let shards: Vec<usize> =
            (0..MAX_AT_HOME).map(|n| placement.assign(&id(n), own(3), all).place.shard).collect();
        assert_eq!(shards, vec![1; MAX_AT_HOME]);
        assert_eq!(placement.spans(), [(None, vec![1])]);
        let news: Vec<bool> = (0..2 * MAX_AT_HOME)
            .map(|n| placement.assign(&id(MAX_AT_HOME + n), own(3), all).changes_shards)
            .collect();
        assert_eq!(
            news.iter().filter(|new| **new).count(),
            2,
            "the first links on two more shards"
        );
        assert_eq!(placement.links[&None], [MAX_AT_HOME; 3]);
    }

    #[test]
    fn placement_lasts_until_leave_and_peer_ids_are_never_reused() {
        let mut placement = placement();
        let assigned = placement.assign(&id(1), own(2), all);
        let peer = assigned.peer;
        assert!(assigned.changes_shards);
        let again = Assignment { changes_shards: false, ..assigned };
        assert_eq!(placement.assign(&id(1), other(5), all), again);
        assert_eq!(placement.of(peer), Some(&id(1)));
        assert_eq!(placement.release(&id(1)), Some(assigned));
        assert_eq!(
            (placement.release(&id(1)), placement.of(peer), placement.spans()),
            (None, None, vec![])
        );
        assert_ne!(placement.assign(&id(1), own(2), all).peer, peer);
    }

    #[test]
    fn participant_without_link_occupies_no_shard() {
        let mut placement = placement();
        let peer = placement.peer_id(&id(1));
        assert_eq!((placement.peer_id(&id(1)), placement.spans()), (peer, vec![]));
        assert_eq!(placement.release(&id(1)), None);
        assert_eq!(placement.of(peer), None);
    }

    #[test]
    fn links_begin_on_healthy_shards() {
        let mut placement = placement();
        assert_eq!(placement.assign(&id(0), own(3), all).place.shard, 1);
        let except_home = |shard: usize| shard != 1;
        assert_eq!(placement.assign(&id(0), own(3), except_home).place.shard, 1, "it stays");
        for n in 1..=4 {
            let expected = placement.choose_shard(own(3), except_home);
            assert_eq!(placement.assign(&id(n), own(3), except_home).place.shard, expected);
        }
        assert_eq!(placement.links[&None], [2, 1, 2]);
        assert_eq!(placement.assign(&id(5), own(3), all).place.shard, 1, "healthy again");
        let none = placement.assign(&id(6), own(3), |_| false).place.shard;
        assert_eq!(none, 1, "home shard if none is healthy");
    }

    #[test]
    fn home_shard_of_each_node_takes_part_in_a_room_on_several() {
        let mut placement = placement();
        for n in 0..=MAX_AT_HOME {
            placement.assign(&id(n), own(3), all);
        }
        for n in 0..MAX_AT_HOME {
            placement.release(&id(n));
        }
        assert_eq!(placement.spans(), [(None, vec![0])], "its home shard has no link");
        placement.assign(&id(9), other(5), all);
        assert_eq!(placement.spans(), [(None, vec![0, 1]), (other(5).node, vec![1])]);
        placement.release(&id(9));
        assert_eq!(placement.spans(), [(None, vec![0])]);
    }

    #[test]
    fn restored_links_keep_their_places() {
        let mut placement = placement();
        assert!(placement.restore(&id(1), PeerId(77), 2, other(5)));
        placement.keep_peer(id(3), PeerId(80));
        assert_eq!((placement.peer_id(&id(3)), placement.place(&id(3))), (PeerId(80), None));
        assert!(!placement.restore(&id(1), PeerId(78), 2, other(5)), "it has one");
        assert!(!placement.restore(&id(2), PeerId(79), 3, other(5)), "there is no such shard");
        let Assignment { peer, place, .. } = placement.assign(&id(1), own(3), all);
        assert_eq!((peer, place), (PeerId(77), Place { node: other(5).node, shard: 2 }));
        placement.release_link(&id(1));
        assert_eq!((placement.peer_id(&id(1)), placement.spans()), (PeerId(77), vec![]));
    }

    #[test]
    fn retired_link_is_counted_until_its_end_and_speaks_for_nobody() {
        let mut placement = placement();
        let now = Instant::now();
        assert_eq!(placement.retire(&id(1), now), None, "no link");
        let first = placement.assign(&id(1), own(3), all);
        let until = now + std::time::Duration::from_secs(10);
        let retired = placement.retire(&id(1), until).unwrap();
        assert_eq!((retired.peer, retired.place), (first.peer, first.place));
        assert_eq!(
            placement.retire(&id(1), until),
            None,
            "none has begun, and one at most is kept"
        );
        let next = placement.assign(&id(1), other(5), all);
        assert_eq!(next.peer, first.peer.twin());
        let who = |peer| (placement.of(peer), placement.current(peer));
        assert_eq!(who(first.peer), (Some(&id(1)), None));
        assert_eq!(who(next.peer), (Some(&id(1)), Some(&id(1))));
        assert_eq!(placement.spans().len(), 2);
        assert_eq!(placement.peers_on(None), [(1, first.peer)]);
        assert_eq!(placement.links().map(|(_, peer, _)| peer).collect::<Vec<_>>(), [next.peer]);
        assert_eq!((placement.overdue(now), placement.poll_timeout()), (vec![], Some(until)));
        assert_eq!(placement.overdue(until), [id(1)]);
        let ended = placement.release_retired(&id(1)).unwrap();
        assert_eq!((ended.peer, ended.changes_shards), (first.peer, true));
        assert_eq!((placement.of(first.peer), placement.poll_timeout()), (None, None));
        assert_eq!(placement.spans(), [(other(5).node, vec![1])]);
        // The first number is free again.
        assert!(placement.retire(&id(1), until).is_some());
        assert_eq!(placement.peer_id(&id(1)), first.peer);
        assert_eq!(placement.retired_on(other(5).node.unwrap()), [id(1)]);
    }

    #[test]
    fn numbers_of_nodes_and_of_their_processes_differ() {
        let base = |slot, boot| {
            number_base(Some(NodeId { slot: Slot::new(slot).unwrap(), boot })) >> COUNT_BITS
        };
        let bases = [base(1, 1), base(1, 2), base(2, 1), base(1023, u64::MAX)];
        assert!(bases.is_sorted() && bases[0] > 0 && bases[3] < 1 << 24, "{bases:?}");
        assert_eq!(bases.iter().collect::<std::collections::BTreeSet<_>>().len(), 4);
        assert_eq!(number_base(None), 0);
    }
}
