//! What needs no exact time. Each room has a time of its own for it: were all looked after at once, what
//! comes just then would wait for all of them.

use super::Sfu;
use crate::{
    ids::{PeerId, RoomId},
    output::GoneReason,
    room::Room,
};
use std::time::{Duration, Instant};

/// How often a room is looked after.
const ROUND: Duration = Duration::from_millis(100);

impl Sfu {
    /// A room, which begins here if there is none.
    pub(super) fn room(&mut self, id: RoomId) -> &mut Room {
        let (now, rounds) = (self.now, &mut self.rounds);
        self.rooms.entry(id).or_insert_with(|| {
            rounds.set(id, now + ROUND);
            Room::default()
        })
    }

    /// Looks after the rooms whose time has come.
    pub(super) fn look_after_rooms(&mut self) {
        while let Some((due, room)) = self.rounds.next().zip(self.rounds.pop(self.now)) {
            self.rounds.set(room, next(due, self.now));
            self.look_after(room);
        }
    }

    fn look_after(&mut self, room: RoomId) {
        let is_silent = |peer: &PeerId| {
            let link = self.peers.get(peer).and_then(|it| it.link.as_ref());
            link.is_some_and(|link| {
                self.now.saturating_duration_since(link.heard) > self.config.silence
            })
        };
        let mut silent = self.members(room);
        silent.retain(is_silent);
        for peer in silent {
            self.gone(peer, GoneReason::Silent);
        }
        self.listen(room);
        self.share(room);
        self.ask_again_for_keyframes(room);
    }
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
