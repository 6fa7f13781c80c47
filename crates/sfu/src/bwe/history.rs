//! What was sent, until the receiver has said what became of it.

use std::collections::VecDeque;

use super::Micros;

/// More than a receiver can still be asked about: what a link carries in a few seconds.
const MOST: usize = 4096;
/// Who says nothing of a packet for so long will say nothing of use.
const KEPT: Micros = 4_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Lost,
    Came,
}

/// Sixteen bytes, as there are thousands on each link.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packet {
    pub(super) sent: Micros,
    /// How long it waits, by the estimate then, for the rest of its burst. Microseconds.
    pub(super) wait: u32,
    pub(super) bytes: u16,
    /// The probe that it belongs to, or 0.
    pub(super) probe: u8,
    fate: Fate,
}

impl Packet {
    pub(super) fn new(sent: Micros, bytes: usize, wait: u32, probe: u8) -> Self {
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        Self { sent, wait, bytes, probe, fate: Fate::Unknown }
    }
}

/// What a report has changed.
#[derive(Debug, Clone, Copy)]
pub(super) enum News {
    Lost(Packet),
    Came(Packet),
    /// It was said to be lost before, and came late.
    Found(Packet),
}

#[derive(Debug, Default)]
pub(super) struct History {
    packets: VecDeque<Packet>,
    /// The number of the newest; the first is 1.
    newest: u64,
}

impl History {
    pub(super) fn add(&mut self, packet: Packet) -> u64 {
        let old = |old: &Packet| packet.sent.saturating_sub(old.sent) > KEPT;
        // Two at most each time, so that none pays for a long pause of all the others.
        for _ in 0..2 {
            if self.packets.len() >= MOST || self.packets.front().is_some_and(old) {
                self.packets.pop_front();
            }
        }
        self.packets.push_back(packet);
        self.newest += 1;
        self.newest
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Takes the receiver's word for one packet; `None` if that says nothing new.
    pub(super) fn report(&mut self, number: u64, came: bool) -> Option<News> {
        let age = usize::try_from(self.newest.checked_sub(number)?).ok()?;
        let index = self.packets.len().checked_sub(age)?.checked_sub(1)?;
        let packet = self.packets.get_mut(index)?;
        let before = packet.fate;
        packet.fate = if came { Fate::Came } else { Fate::Lost };
        match (before, came) {
            (Fate::Unknown, false) => Some(News::Lost(*packet)),
            (Fate::Unknown, true) => Some(News::Came(*packet)),
            (Fate::Lost, true) => Some(News::Found(*packet)),
            _ => {
                packet.fate = before;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_much_is_remembered_as_can_be_asked_about() {
        let mut history = History::default();
        for number in 1..=10_000 {
            assert_eq!(history.add(Packet::new(0, 100, 0, 0)), number);
        }
        assert_eq!(history.packets.len(), MOST);
        assert!(history.report(5_904, true).is_none() && history.report(10_001, true).is_none());
        assert!(history.report(5_905, true).is_some() && history.report(10_000, true).is_some());
        for later in 1..=10_000 {
            history.add(Packet::new(KEPT + later, 100, 0, 0));
        }
        assert_eq!(history.packets.len(), MOST);
        history.add(Packet::new(10 * KEPT, 100, 0, 0));
        assert!(history.packets.len() < MOST);
    }
}
