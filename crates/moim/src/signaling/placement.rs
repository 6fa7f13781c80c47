//! Assignment of a room's links to shards and peer ids.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use room::protocol::ParticipantId;
use sfu::PeerId;

/// Number of links that a room keeps on its home shard: an easy load for a core. A track forwarded
/// to another shard costs about as much as one more subscriber.
const MAX_AT_HOME: usize = 4;

/// Links of one room.
#[derive(Debug)]
pub(super) struct Placement {
    /// Next unused peer id, shared by all rooms.
    numbers: Arc<AtomicU64>,
    by_id: HashMap<ParticipantId, Placed>,
    by_peer: HashMap<PeerId, ParticipantId>,
    /// Number of links per shard.
    links: Vec<usize>,
    /// Home shard, on which the first links begin.
    home: usize,
}

/// Peer id and shard of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) peer: PeerId,
    pub(super) shard: usize,
    /// The link is the first or was the last of the room on its shard.
    pub(super) changes_shards: bool,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    peer: PeerId,
    /// Shard of the link, once begun.
    shard: Option<usize>,
}

impl Placement {
    /// Creates an empty placement; `shards` must be at least 1.
    pub(super) fn new(numbers: Arc<AtomicU64>, shards: usize, home: usize) -> Self {
        Self {
            numbers,
            by_id: HashMap::new(),
            by_peer: HashMap::new(),
            links: vec![0; shards],
            home,
        }
    }

    /// Participant of a peer id.
    pub(super) fn of(&self, peer: PeerId) -> Option<&ParticipantId> {
        self.by_peer.get(&peer)
    }

    /// Peer id of a participant, assigned if needed, even without a link.
    pub(super) fn peer_id(&mut self, id: &ParticipantId) -> PeerId {
        self.placed(id).peer
    }

    /// Returns whether a participant's link has begun.
    pub(super) fn has_link(&self, id: &ParticipantId) -> bool {
        self.by_id.get(id).is_some_and(|placed| placed.shard.is_some())
    }

    /// Returns a participant's peer id and the shard of its link, assigned if needed. Links begin on
    /// healthy shards, if any.
    pub(super) fn assign(
        &mut self,
        id: &ParticipantId,
        is_healthy: impl Fn(usize) -> bool,
    ) -> Assignment {
        let Placed { peer, shard } = self.placed(id);
        if let Some(shard) = shard {
            return Assignment { peer, shard, changes_shards: false };
        }
        let shard = self.choose_shard(is_healthy);
        if let Some(placed) = self.by_id.get_mut(id) {
            placed.shard = Some(shard);
        }
        let links = self.links.get_mut(shard);
        let is_first = links.as_ref().is_some_and(|links| **links == 0);
        if let Some(links) = links {
            *links += 1;
        }
        Assignment { peer, shard, changes_shards: is_first }
    }

    /// Releases a participant's peer id; returns the assignment of its link, if it had one.
    pub(super) fn release(&mut self, id: &ParticipantId) -> Option<Assignment> {
        let Placed { peer, shard } = self.by_id.remove(id)?;
        self.by_peer.remove(&peer);
        let shard = shard?;
        let links = self.links.get_mut(shard)?;
        *links -= 1;
        Some(Assignment { peer, shard, changes_shards: *links == 0 })
    }

    /// Shards that the room uses.
    pub(super) fn shards(&self) -> Vec<usize> {
        let links = self.links.iter().enumerate();
        links.filter(|(_, links)| **links > 0).map(|(shard, _)| shard).collect()
    }

    /// All participants with a peer id.
    pub(super) fn ids(&self) -> Vec<ParticipantId> {
        self.by_id.keys().cloned().collect()
    }

    /// Shard of a participant's link, or on which it would begin.
    pub(super) fn shard(&self, id: &ParticipantId, is_healthy: impl Fn(usize) -> bool) -> usize {
        let placed = self.by_id.get(id).and_then(|placed| placed.shard);
        placed.unwrap_or_else(|| self.choose_shard(is_healthy))
    }

    /// Shard for the next link: the home shard of a small room, then the one with the fewest links
    /// of the room.
    fn choose_shard(&self, is_healthy: impl Fn(usize) -> bool) -> usize {
        let at_home = self.links.get(self.home).copied().unwrap_or_default();
        if at_home < MAX_AT_HOME && is_healthy(self.home) {
            return self.home;
        }
        let all = self.links.iter().copied().enumerate().filter(|(shard, _)| is_healthy(*shard));
        all.min_by_key(|(_, links)| *links).map_or(self.home, |(shard, _)| shard)
    }

    fn placed(&mut self, id: &ParticipantId) -> Placed {
        if let Some(placed) = self.by_id.get(id) {
            return *placed;
        }
        let peer = PeerId(self.numbers.fetch_add(1, Ordering::Relaxed));
        let placed = Placed { peer, shard: None };
        self.by_id.insert(id.clone(), placed);
        self.by_peer.insert(peer, id.clone());
        placed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> ParticipantId {
        serde_json::from_value(format!("p{n}").into()).unwrap()
    }

    fn all(_: usize) -> bool {
        true
    }

    #[test]
    fn small_room_stays_on_one_shard_and_large_room_spreads() {
        let mut placement = Placement::new(Arc::default(), 3, 1);
        let shards: Vec<usize> =
            (0..MAX_AT_HOME).map(|n| placement.assign(&id(n), all).shard).collect();
        assert_eq!((shards, placement.shards()), (vec![1; MAX_AT_HOME], vec![1]));
        let news: Vec<bool> = (0..2 * MAX_AT_HOME)
            .map(|n| placement.assign(&id(MAX_AT_HOME + n), all).changes_shards)
            .collect();
        assert_eq!(
            news.iter().filter(|new| **new).count(),
            2,
            "the first links on two more shards"
        );
        assert_eq!(placement.links, [MAX_AT_HOME; 3]);
    }

    #[test]
    fn placement_lasts_until_leave_and_peer_ids_are_never_reused() {
        let mut placement = Placement::new(Arc::default(), 2, 0);
        let assigned = placement.assign(&id(1), all);
        let peer = assigned.peer;
        assert!(assigned.changes_shards);
        let again = Assignment { changes_shards: false, ..assigned };
        assert_eq!(placement.assign(&id(1), all), again);
        assert_eq!(placement.of(peer), Some(&id(1)));
        assert_eq!(placement.release(&id(1)), Some(assigned));
        assert_eq!(
            (placement.release(&id(1)), placement.of(peer), placement.shards()),
            (None, None, vec![])
        );
        assert_ne!(placement.assign(&id(1), all).peer, peer);
    }

    #[test]
    fn participant_without_link_occupies_no_shard() {
        let mut placement = Placement::new(Arc::default(), 2, 0);
        let peer = placement.peer_id(&id(1));
        assert_eq!((placement.peer_id(&id(1)), placement.shards()), (peer, vec![]));
        assert_eq!(placement.release(&id(1)), None);
        assert_eq!(placement.of(peer), None);
    }

    #[test]
    fn links_begin_on_healthy_shards() {
        let mut placement = Placement::new(Arc::default(), 3, 1);
        assert_eq!(placement.assign(&id(0), all).shard, 1);
        let except_home = |shard: usize| shard != 1;
        assert_eq!(placement.shard(&id(0), except_home), 1, "an existing link stays");
        for n in 1..=4 {
            let expected = placement.shard(&id(n), except_home);
            assert_eq!(placement.assign(&id(n), except_home).shard, expected);
        }
        assert_eq!(placement.links, [2, 1, 2]);
        assert_eq!(placement.assign(&id(5), all).shard, 1, "healthy again");
        assert_eq!(placement.assign(&id(6), |_| false).shard, 1, "home shard if none is healthy");
    }
}
