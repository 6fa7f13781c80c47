//! Packets kept for retransmission.

use std::{
    collections::VecDeque,
    sync::Arc,
    time::{Duration, Instant},
};

use crate::track::codec::vp8::PictureIds;

/// Packets and time for which a subscriber can send NACKs.
const MAX_PACKETS: usize = 512;
const MAX_AGE: Duration = Duration::from_secs(1);

/// A packet as it was sent, without the parts that differ in each transmission.
#[derive(Debug)]
pub(super) struct CachedPacket {
    /// Extended sequence number.
    pub(super) seq: u64,
    pub(super) timestamp: u32,
    pub(super) marker: bool,
    pub(super) rtx_pt: u8,
    /// To write into the VP8 descriptor.
    pub(super) vp8: Option<PictureIds>,
    pub(super) dependency: Option<CachedDependency>,
    pub(super) payload: Arc<[u8]>,
    pub(super) sent: Instant,
    /// Time of the last retransmission.
    pub(super) retransmitted: Option<Instant>,
}

/// A dependency descriptor, and the frame number to write into it.
#[derive(Debug)]
pub(super) struct CachedDependency {
    pub(super) descriptor: Arc<[u8]>,
    pub(super) frame_number: u16,
}

/// Cached packets in the order of their sequence numbers.
#[derive(Debug, Default)]
pub(super) struct RtxCache(VecDeque<CachedPacket>);

impl RtxCache {
    pub(super) fn insert(&mut self, packet: CachedPacket) {
        self.expire(packet.sent);
        if self.0.len() >= MAX_PACKETS {
            self.0.pop_front();
        }
        // Almost always the newest.
        let later = self.0.iter().rev().take_while(|cached| cached.seq > packet.seq).count();
        self.0.insert(self.0.len() - later, packet);
    }

    /// Drops packets that are too old.
    pub(super) fn expire(&mut self, now: Instant) {
        let is_old = |cached: &CachedPacket| now.saturating_duration_since(cached.sent) > MAX_AGE;
        while self.0.front().is_some_and(is_old) {
            self.0.pop_front();
        }
    }

    pub(super) fn find(&mut self, seq: u64) -> Option<&mut CachedPacket> {
        let index = self.0.binary_search_by_key(&seq, |cached| cached.seq).ok()?;
        self.0.get_mut(index)
    }

    /// The newest packet of at most `max_bytes`, among the last eight.
    pub(super) fn newest(&self, max_bytes: usize) -> Option<&CachedPacket> {
        self.0.iter().rev().take(8).find(|cached| cached.payload.len() <= max_bytes)
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use testnet::Clock;

    use super::*;

    fn packet(seq: u64, sent: Instant) -> CachedPacket {
        CachedPacket {
            seq,
            timestamp: 0,
            marker: false,
            rtx_pt: 97,
            vp8: None,
            dependency: None,
            payload: vec![0; usize::try_from(seq).unwrap()].into(),
            sent,
            retransmitted: None,
        }
    }

    #[test]
    fn reordered_packets_are_found() {
        let clock = Clock::new();
        let mut cache = RtxCache::default();
        for seq in [5, 6, 9, 7, 10, 3] {
            cache.insert(packet(seq, clock.now()));
        }
        for seq in 0..12 {
            assert_eq!(cache.find(seq).is_some(), [3, 5, 6, 7, 9, 10].contains(&seq), "{seq}");
        }
        assert_eq!(cache.newest(9).map(|cached| cached.seq), Some(9));
        cache.clear();
        assert!(cache.find(5).is_none() && cache.newest(9).is_none());
    }

    #[test]
    fn cache_is_bounded_in_packets_and_in_time() {
        let mut clock = Clock::new();
        let mut cache = RtxCache::default();
        for seq in 0..2000 {
            cache.insert(packet(seq, clock.now()));
        }
        assert_eq!(cache.0.len(), MAX_PACKETS);
        clock.advance(MAX_AGE * 2);
        cache.insert(packet(5000, clock.now()));
        assert_eq!(cache.0.len(), 1);
        clock.advance(MAX_AGE * 2);
        cache.expire(clock.now());
        assert!(cache.find(5000).is_none());
    }
}
