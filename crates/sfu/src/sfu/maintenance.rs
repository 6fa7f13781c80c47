//! Which rooms there are, and what of them needs no exact time. Each has a time of its own for that: were
//! all looked after at once, what comes just then would wait for all of them.

use std::time::{Duration, Instant};

use super::{Sfu, room::Room};
use crate::{
    ids::{PeerId, RoomId, TrackId},
    output::{DisconnectReason, Event},
    peer::link::Link,
};

/// How often a room is looked after.
const ROUND: Duration = Duration::from_millis(100);

impl Sfu {
    /// A room, which begins here if there is none.
    pub(super) fn room(&mut self, id: RoomId) -> &mut Room {
        let (now, rounds) = (self.now, &mut self.rounds);
        self.rooms.entry(id).or_insert_with(|| {
            rounds.set(id, now + first(id));
            Room::default()
        })
    }

    /// A room is as long as somebody is in it, here or elsewhere.
    pub(super) fn forget_empty(&mut self, room: RoomId) {
        if self.rooms.get(&room).is_some_and(Room::is_empty) {
            self.rooms.remove(&room);
            self.rounds.remove(room);
        }
    }

    /// Who is in a room on this shard.
    pub(super) fn members(&self, room: RoomId) -> Vec<PeerId> {
        self.rooms.get(&room).map(|room| room.members.clone()).unwrap_or_default()
    }

    /// What is published in a room, on whichever shard.
    pub(super) fn tracks_in(&self, room: RoomId) -> Vec<TrackId> {
        self.rooms.get(&room).map(|room| room.tracks.clone()).unwrap_or_default()
    }

    /// Looks after the rooms whose time has come.
    pub(super) fn look_after_rooms(&mut self) {
        while let Some((due, room)) = self.rounds.next().zip(self.rounds.pop(self.now)) {
            self.rounds.set(room, next(due, self.now));
            self.look_after(room);
        }
    }

    fn look_after(&mut self, room: RoomId) {
        let (now, config) = (self.now, &self.config);
        let ended = |peer: PeerId| {
            let link = self.peers.get(&peer).and_then(|it| it.link.as_ref())?;
            let silent = now.saturating_duration_since(link.last_received) > config.idle_timeout;
            let silent = silent.then_some(DisconnectReason::Timeout);
            Some((peer, silent.or_else(|| link.connect_failure(now, config.connect_timeout))?))
        };
        let ended: Vec<_> = self.members(room).into_iter().filter_map(ended).collect();
        for (peer, reason) in ended {
            self.gone(peer, reason);
        }
        let is_broken = |peer: &PeerId| {
            let link = self.peers.get(peer).and_then(|it| it.link.as_ref());
            link.is_some_and(Link::is_broken)
        };
        let mut broken = self.members(room);
        broken.retain(is_broken);
        for peer in broken {
            self.gone(peer, DisconnectReason::Panicked);
        }
        self.note_interruptions(room);
        self.listen(room);
        self.share(room);
        self.ask_again_for_keyframes(room);
    }
}

impl Sfu {
    /// Tells of connected peers from which nothing comes any more, or something again.
    fn note_interruptions(&mut self, room: RoomId) {
        let Some(room) = self.rooms.get(&room) else { return };
        for peer in &room.members {
            let Some(it) = self.peers.get_mut(peer) else { continue };
            let Some(link) = it.link.as_ref().filter(|link| link.is_connected) else { continue };
            let silent = self.now.saturating_duration_since(link.last_received);
            let interrupted = silent >= self.config.interruption_timeout;
            if std::mem::replace(&mut it.interrupted, interrupted) != interrupted {
                self.events.push_back(Event::Interrupted { peer: *peer, interrupted });
            }
        }
    }
}

/// How soon a room is first looked after. Rooms that begin together are not for ever after looked after
/// together.
fn first(RoomId(id): RoomId) -> Duration {
    // Multiples of the golden ratio are as far apart as can be, however many there are.
    let [part, ..] = id.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    ROUND * (u32::from(part) + 1) / 256
}

/// A round later. What was missed is not made up for, nor does it bring rooms together that were apart.
fn next(due: Instant, now: Instant) -> Instant {
    let late = now.saturating_duration_since(due).as_millis();
    let missed = u32::try_from(late / ROUND.as_millis()).unwrap_or(u32::MAX);
    due + ROUND * missed.saturating_add(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn rooms_that_begin_together_are_looked_after_apart() {
        let mut together = HashMap::<_, usize>::new();
        for id in 1..=1000 {
            let first = first(RoomId(id));
            assert!((Duration::from_micros(1)..=ROUND).contains(&first));
            *together.entry(first.as_millis()).or_default() += 1;
        }
        assert!(together.values().all(|rooms| *rooms < 20), "{together:?}");
    }

    #[test]
    #[allow(clippy::disallowed_methods, reason = "any instant will do")]
    fn rooms_stay_apart_however_late_they_are_looked_after() {
        let due = Instant::now();
        let ms = Duration::from_millis;
        for (late, after) in [(0, 100), (1, 100), (99, 100), (100, 200), (250, 300)] {
            assert_eq!(next(due, due + ms(late)), due + ms(after), "{late}");
        }
    }
}
