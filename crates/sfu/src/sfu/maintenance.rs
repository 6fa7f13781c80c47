//! Rooms, and their maintenance: work that needs no exact time.
//!
//! Each room has its own phase, so that packets never wait for the maintenance of all rooms at
//! once.

use std::time::{Duration, Instant};

use super::{Sfu, room::Room};
use crate::{
    ids::{PeerId, RoomId, Source, TrackId},
    output::{DisconnectReason, Event},
    peer::link::Link,
};

/// Interval of a room's maintenance.
const MAINTENANCE_INTERVAL: Duration = Duration::from_millis(100);

impl Sfu {
    /// Returns a room, which is created if it does not exist.
    pub(super) fn room(&mut self, room_id: RoomId) -> &mut Room {
        let now = self.now;
        let room_timers = &mut self.room_timers;
        self.rooms.entry(room_id).or_insert_with(|| {
            room_timers.set(room_id, now + first_delay(room_id));
            Room::default()
        })
    }

    /// Removes a room that has no members on any shard.
    pub(super) fn remove_if_empty(&mut self, room_id: RoomId) {
        if self.rooms.get(&room_id).is_some_and(Room::is_empty) {
            self.rooms.remove(&room_id);
            self.room_timers.remove(room_id);
        }
    }

    /// Members of a room on this shard.
    pub(super) fn members(&self, room_id: RoomId) -> Vec<PeerId> {
        self.rooms.get(&room_id).map(|room| room.members.clone()).unwrap_or_default()
    }

    /// Tracks of a room on all shards.
    pub(super) fn tracks_in(&self, room_id: RoomId) -> Vec<TrackId> {
        self.rooms.get(&room_id).map(|room| room.tracks.clone()).unwrap_or_default()
    }

    /// Limit of the tracks of a room.
    pub(super) fn max_tracks(&self) -> usize {
        self.config.limits.room_peers.saturating_mul(Source::ALL.len())
    }

    /// Maintains the rooms that are due.
    pub(super) fn maintain_rooms(&mut self) {
        while let Some((due, room_id)) = self.room_timers.next().zip(self.room_timers.pop(self.now))
        {
            self.room_timers.set(room_id, next_due(due, self.now));
            self.maintain_room(room_id);
        }
    }

    fn maintain_room(&mut self, room_id: RoomId) {
        self.remove_dead_links(room_id);
        self.update_interruptions(room_id);
        self.update_speakers(room_id);
        self.raise_remote_limits(room_id);
        self.allocate_room(room_id);
        self.repeat_keyframe_requests(room_id);
        self.sample_quality(room_id);
    }

    /// Disconnects the members whose link timed out, did not connect in time, or panicked.
    fn remove_dead_links(&mut self, room_id: RoomId) {
        let now = self.now;
        let config = &self.config;
        let failure = |peer_id: PeerId| {
            let link = self.peers.get(&peer_id).and_then(|peer| peer.link.as_ref())?;
            let silent_for = now.saturating_duration_since(link.last_received);
            let timeout = (silent_for > config.idle_timeout).then_some(DisconnectReason::Timeout);
            let reason = timeout.or_else(|| link.connect_failure(now, config.connect_timeout));
            Some((peer_id, reason?))
        };
        let failed: Vec<_> = self.members(room_id).into_iter().filter_map(failure).collect();
        for (peer_id, reason) in failed {
            self.disconnect(peer_id, reason);
        }
        let is_broken = |peer_id: &PeerId| {
            let link = self.peers.get(peer_id).and_then(|peer| peer.link.as_ref());
            link.is_some_and(Link::is_broken)
        };
        let mut broken = self.members(room_id);
        broken.retain(is_broken);
        for peer_id in broken {
            self.disconnect(peer_id, DisconnectReason::Panicked);
        }
    }

    /// Emits the connected members that went silent or came back.
    fn update_interruptions(&mut self, room_id: RoomId) {
        let Some(room) = self.rooms.get(&room_id) else { return };
        for peer_id in &room.members {
            let Some(peer) = self.peers.get_mut(peer_id) else { continue };
            let Some(link) = peer.link.as_ref().filter(|link| link.is_connected) else { continue };
            let silent_for = self.now.saturating_duration_since(link.last_received);
            let interrupted = silent_for >= self.config.interruption_timeout;
            if std::mem::replace(&mut peer.interrupted, interrupted) != interrupted {
                self.events.push_back(Event::Interrupted { peer: *peer_id, interrupted });
            }
        }
    }
}

/// Delay of a room's first maintenance. It spreads rooms that are created at the same time.
fn first_delay(RoomId(id): RoomId) -> Duration {
    // Multiples of the golden ratio spread evenly, however many there are (Fibonacci hashing).
    let [fraction, ..] = id.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    MAINTENANCE_INTERVAL * (u32::from(fraction) + 1) / 256
}

/// Time of a room's next maintenance. Missed ones are skipped, and the phase is kept.
fn next_due(due: Instant, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due).as_millis();
    let missed = u32::try_from(late / MAINTENANCE_INTERVAL.as_millis()).unwrap_or(u32::MAX);
    due + MAINTENANCE_INTERVAL * missed.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn rooms_created_together_are_maintained_at_different_times() {
        let mut rooms = HashMap::<_, usize>::new();
        for id in 1..=1000 {
            let delay = first_delay(RoomId(id));
            assert!((Duration::from_micros(1)..=MAINTENANCE_INTERVAL).contains(&delay));
            *rooms.entry(delay.as_millis()).or_default() += 1;
        }
        assert!(rooms.values().all(|rooms| *rooms < 20), "{rooms:?}");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do")]
    fn late_maintenance_keeps_the_phase() {
        let due = Instant::now();
        let ms = Duration::from_millis;
        for (late, after) in [(0, 100), (1, 100), (99, 100), (100, 200), (250, 300)] {
            assert_eq!(next_due(due, due + ms(late)), due + ms(after), "{late}");
        }
    }
}
