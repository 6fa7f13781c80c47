//! What was sent lately on a stream, for whoever asks for it again.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::track::codec::vp8::PictureIds;

/// How much a subscriber can ask for again: packets and time.
const PACKETS: usize = 512;
const AGE: Duration = Duration::from_secs(1);

/// A packet as it was sent, but for what is made anew each time.
#[derive(Debug)]
pub(super) struct Kept {
    /// Extended by the rollovers there were.
    pub(super) seq: u64,
    pub(super) time: u32,
    pub(super) marker: bool,
    /// Of its repairs.
    pub(super) payload_type: u8,
    /// VP8's numbers, to be put into its descriptor.
    pub(super) vp8: Option<PictureIds>,
    pub(super) dependency: Option<(Arc<[u8]>, u16)>,
    pub(super) payload: Arc<[u8]>,
    pub(super) at: Instant,
    /// When it was sent again.
    pub(super) repeated: Option<Instant>,
}

/// In the order of their numbers.
#[derive(Debug, Default)]
pub(super) struct Cache(VecDeque<Kept>);

impl Cache {
    pub(super) fn keep(&mut self, kept: Kept) {
        self.age(kept.at);
        if self.0.len() >= PACKETS {
            self.0.pop_front();
        }
        // Nearly always the newest.
        let late = self.0.iter().rev().take_while(|it| it.seq > kept.seq).count();
        self.0.insert(self.0.len() - late, kept);
    }

    /// Lets go of what is too old.
    pub(super) fn age(&mut self, now: Instant) {
        let old = |it: &Kept| now.saturating_duration_since(it.at) > AGE;
        while self.0.front().is_some_and(old) {
            self.0.pop_front();
        }
    }

    pub(super) fn find(&mut self, seq: u64) -> Option<&mut Kept> {
        let at = self.0.binary_search_by_key(&seq, |it| it.seq).ok()?;
        self.0.get_mut(at)
    }

    /// The newest that is no longer than `most` bytes.
    pub(super) fn newest(&self, most: usize) -> Option<&Kept> {
        self.0.iter().rev().take(8).find(|it| it.payload.len() <= most)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    fn kept(seq: u64, at: Instant) -> Kept {
        Kept {
            seq,
            time: 0,
            marker: false,
            payload_type: 97,
            vp8: None,
            dependency: None,
            payload: vec![0; usize::try_from(seq).unwrap()].into(),
            at,
            repeated: None,
        }
    }

    #[test]
    fn what_came_late_is_found_like_the_rest_and_what_was_not_sent_is_not() {
        let clock = Clock::new();
        let mut cache = Cache::default();
        for seq in [5, 6, 9, 7, 10, 3] {
            cache.keep(kept(seq, clock.now()));
        }
        for seq in 0..12 {
            assert_eq!(cache.find(seq).is_some(), [3, 5, 6, 7, 9, 10].contains(&seq), "{seq}");
        }
        assert_eq!(cache.newest(9).map(|it| it.seq), Some(9));
        cache.clear();
        assert!(cache.find(5).is_none() && cache.newest(9).is_none());
    }

    #[test]
    fn it_is_bounded_in_packets_and_in_time() {
        let mut clock = Clock::new();
        let mut cache = Cache::default();
        for seq in 0..2000 {
            cache.keep(kept(seq, clock.now()));
        }
        assert_eq!(cache.0.len(), PACKETS);
        clock.advance(AGE * 2);
        cache.keep(kept(5000, clock.now()));
        assert_eq!(cache.0.len(), 1);
        clock.advance(AGE * 2);
        cache.age(clock.now());
        assert!(cache.find(5000).is_none());
    }
}
