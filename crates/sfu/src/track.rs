//! A published track: its layers as they come in, and who gets it.

use crate::{
    ids::{PeerId, RoomId},
    link::{Mid, Rid},
};
use std::time::{Duration, Instant};

/// More encodings of one track than any browser sends.
pub(crate) const MOST_LAYERS: usize = 4;

/// A published track.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) room: RoomId,
    /// The publisher's section.
    pub(crate) mid: Mid,
    pub(crate) layers: Vec<Layer>,
    /// Who gets it, and on which section of theirs.
    pub(crate) subscribers: Vec<(PeerId, usize)>,
}

/// One encoding of a track: the only one, or one of several sizes.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) rid: Option<Rid>,
    pub(crate) keyframes: Keyframes,
}

impl Track {
    pub(crate) fn new(room: RoomId, mid: Mid) -> Self {
        Self { room, mid, layers: Vec::new(), subscribers: Vec::new() }
    }

    /// Which layer a packet with this rid is of.
    pub(crate) fn layer(&mut self, rid: Option<Rid>) -> Option<usize> {
        if let Some(known) = self.layers.iter().position(|layer| layer.rid == rid) {
            return Some(known);
        }
        if self.layers.len() >= MOST_LAYERS {
            return None;
        }
        self.layers.push(Layer { rid, keyframes: Keyframes::default() });
        Some(self.layers.len() - 1)
    }
}

/// Asks for keyframes, however many want one, at most once an interval, and again until one comes.
#[derive(Debug, Default)]
pub(crate) struct Keyframes {
    asked: Option<Instant>,
    wanted: bool,
}

impl Keyframes {
    /// Somebody wants one; whether to ask now.
    pub(crate) fn want(&mut self, now: Instant, interval: Duration) -> bool {
        self.wanted = true;
        self.due(now, interval)
    }

    /// Whether to ask now since nothing has come of the last time.
    pub(crate) fn due(&mut self, now: Instant, interval: Duration) -> bool {
        let rested = self.asked.is_none_or(|at| now.saturating_duration_since(at) >= interval);
        let due = self.wanted && rested;
        if due {
            self.asked = Some(now);
        }
        due
    }

    pub(crate) fn wanted(&self) -> bool {
        self.wanted
    }

    /// One has come.
    pub(crate) fn came(&mut self) {
        self.wanted = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testnet::Clock;

    #[test]
    fn a_storm_of_requests_is_one_an_interval_until_a_keyframe_comes() {
        let mut clock = Clock::new();
        let mut keyframes = Keyframes::default();
        let interval = Duration::from_millis(500);
        let mut asked = 0;
        for _ in 0..2000 {
            asked += usize::from(keyframes.want(clock.now(), interval));
            clock.advance(Duration::from_millis(1));
        }
        assert_eq!(asked, 4);
        clock.advance(interval);
        assert!(keyframes.due(clock.now(), interval), "nothing has come yet");
        keyframes.came();
        clock.advance(interval);
        assert!(!keyframes.due(clock.now(), interval));
    }
}
