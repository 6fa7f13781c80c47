//! Which shard each link of a room lives on, and by what number the media server knows whose it is.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use room::protocol::ParticipantId;
use sfu::PeerId;

/// Links of one room that stay together: what a core carries with ease. A track that crosses to
/// another shard costs about as much as one more listener.
const TOGETHER: usize = 4;

/// Where the links of one room are.
#[derive(Debug)]
pub(super) struct Placement {
    /// The next number is nobody's yet, in no room.
    numbers: Arc<AtomicU64>,
    by_id: HashMap<ParticipantId, Placed>,
    by_peer: HashMap<PeerId, ParticipantId>,
    /// How many links each shard has.
    taken: Vec<usize>,
    /// The first links are here.
    home: usize,
}

#[derive(Debug, Clone, Copy)]
struct Placed {
    peer: PeerId,
    /// Once its link has begun.
    shard: Option<usize>,
}

impl Placement {
    /// Nobody's yet; there is at least one shard.
    pub(super) fn new(numbers: Arc<AtomicU64>, shards: usize, home: usize) -> Self {
        let (by_id, by_peer) = (HashMap::new(), HashMap::new());
        Self { numbers, by_id, by_peer, taken: vec![0; shards], home }
    }

    /// Who has this number.
    pub(super) fn of(&self, peer: PeerId) -> Option<&ParticipantId> {
        self.by_peer.get(&peer)
    }

    /// A participant's number, whether it has a link or not.
    pub(super) fn number(&mut self, id: &ParticipantId) -> PeerId {
        self.placed(id).peer
    }

    /// A participant's number and the shard of its link, taken now if it had none; `true` if the room
    /// was not on that shard before.
    /// Links begin on shards that are well, if any is.
    pub(super) fn take(
        &mut self,
        id: &ParticipantId,
        is_well: impl Fn(usize) -> bool,
    ) -> (PeerId, usize, bool) {
        let Placed { peer, shard } = self.placed(id);
        if let Some(shard) = shard {
            return (peer, shard, false);
        }
        let shard = self.fitting(is_well);
        if let Some(placed) = self.by_id.get_mut(id) {
            placed.shard = Some(shard);
        }
        let taken = self.taken.get_mut(shard);
        let first = taken.as_ref().is_some_and(|taken| **taken == 0);
        if let Some(taken) = taken {
            *taken += 1;
        }
        (peer, shard, first)
    }

    /// Gives up a participant's number. Where it had a link: its number, its shard, and `true` if the
    /// room is not on that shard any more.
    pub(super) fn leave(&mut self, id: &ParticipantId) -> Option<(PeerId, usize, bool)> {
        let Placed { peer, shard } = self.by_id.remove(id)?;
        self.by_peer.remove(&peer);
        let shard = shard?;
        let taken = self.taken.get_mut(shard)?;
        *taken -= 1;
        Some((peer, shard, *taken == 0))
    }

    /// The shards that the room is on.
    pub(super) fn shards(&self) -> Vec<usize> {
        let taken = self.taken.iter().enumerate();
        taken.filter(|(_, links)| **links > 0).map(|(shard, _)| shard).collect()
    }

    /// Everybody who is here.
    pub(super) fn everybody(&self) -> Vec<ParticipantId> {
        self.by_id.keys().cloned().collect()
    }

    /// The shard of a participant's link, or where it would begin.
    pub(super) fn shard(&self, id: &ParticipantId, is_well: impl Fn(usize) -> bool) -> usize {
        let placed = self.by_id.get(id).and_then(|placed| placed.shard);
        placed.unwrap_or_else(|| self.fitting(is_well))
    }

    /// Where the next link should live: at home while that is a small room's, then wherever the room
    /// has the fewest.
    fn fitting(&self, is_well: impl Fn(usize) -> bool) -> usize {
        let at_home = self.taken.get(self.home).copied().unwrap_or_default();
        if at_home < TOGETHER && is_well(self.home) {
            return self.home;
        }
        let all = self.taken.iter().copied().enumerate().filter(|(shard, _)| is_well(*shard));
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
    fn a_small_room_stays_together_and_a_large_one_is_spread() {
        let mut placement = Placement::new(Arc::default(), 3, 1);
        let shards: Vec<usize> = (0..TOGETHER).map(|n| placement.take(&id(n), all).1).collect();
        assert_eq!((shards, placement.shards()), (vec![1; TOGETHER], vec![1]));
        let news: Vec<bool> =
            (0..2 * TOGETHER).map(|n| placement.take(&id(TOGETHER + n), all).2).collect();
        assert_eq!(news.iter().filter(|new| **new).count(), 2, "of two shards the first");
        assert_eq!(placement.taken, [TOGETHER; 3]);
    }

    #[test]
    fn a_place_is_kept_until_it_is_left_and_its_number_is_never_anybody_elses() {
        let mut placement = Placement::new(Arc::default(), 2, 0);
        let (peer, shard, first) = placement.take(&id(1), all);
        assert!(first);
        assert_eq!(placement.take(&id(1), all), (peer, shard, false));
        assert_eq!(placement.of(peer), Some(&id(1)));
        assert_eq!(placement.leave(&id(1)), Some((peer, shard, true)));
        assert_eq!(
            (placement.leave(&id(1)), placement.of(peer), placement.shards()),
            (None, None, vec![])
        );
        assert_ne!(placement.take(&id(1), all).0, peer);
    }

    #[test]
    fn who_is_named_but_has_no_link_takes_no_place() {
        let mut placement = Placement::new(Arc::default(), 2, 0);
        let peer = placement.number(&id(1));
        assert_eq!((placement.number(&id(1)), placement.shards()), (peer, vec![]));
        assert_eq!(placement.leave(&id(1)), None);
        assert_eq!(placement.of(peer), None);
    }

    #[test]
    fn no_link_begins_on_a_shard_that_is_not_well() {
        let mut placement = Placement::new(Arc::default(), 3, 1);
        assert_eq!(placement.take(&id(0), all).1, 1);
        let but_home = |shard: usize| shard != 1;
        assert_eq!(placement.shard(&id(0), but_home), 1, "a link that is there stays");
        for n in 1..=4 {
            let expected = placement.shard(&id(n), but_home);
            assert_eq!(placement.take(&id(n), but_home).1, expected);
        }
        assert_eq!(placement.taken, [2, 1, 2]);
        assert_eq!(placement.take(&id(5), all).1, 1, "it is well again");
        assert_eq!(placement.take(&id(6), |_| false).1, 1, "at home, where none is");
    }
}
