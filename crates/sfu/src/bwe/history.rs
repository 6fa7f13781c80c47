//! Sent packets, kept until the receiver has reported on them.

use std::collections::VecDeque;

use super::time::Micros;

/// Packets kept: a few seconds of a full link, more than a receiver still reports on.
const MAX_PACKETS: usize = 4096;
/// Feedback later than this is of no use.
const MAX_AGE: Micros = 4_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Lost,
    Arrived,
}

/// Kept to sixteen bytes, as each link has thousands of them.
#[derive(Debug, Clone, Copy)]
pub(super) struct SentPacket {
    pub(super) sent: Micros,
    /// Microseconds it queues behind its own burst, by the estimate at the time.
    pub(super) wait: u32,
    pub(super) bytes: u16,
    /// Id of the probe cluster that it belongs to, or 0.
    pub(super) cluster: u8,
    fate: Fate,
}

impl SentPacket {
    pub(super) fn new(sent: Micros, bytes: usize, wait: u32, cluster: u8) -> Self {
        let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
        Self { sent, wait, bytes, cluster, fate: Fate::Unknown }
    }
}

/// Change that feedback on one packet makes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Update {
    Lost(SentPacket),
    Arrived(SentPacket),
    /// It was reported as lost before.
    ArrivedLate(SentPacket),
}

#[derive(Debug, Default)]
pub(super) struct SendHistory {
    packets: VecDeque<SentPacket>,
    /// Sequence number of the newest packet; the first is 1.
    newest_seq: u64,
}

impl SendHistory {
    pub(super) fn add(&mut self, packet: SentPacket) -> u64 {
        let is_old = |old: &SentPacket| packet.sent.saturating_sub(old.sent) > MAX_AGE;
        // At most two at a time: after a long pause no single packet pays for removing all others.
        for _ in 0..2 {
            if self.packets.len() >= MAX_PACKETS || self.packets.front().is_some_and(is_old) {
                self.packets.pop_front();
            }
        }
        self.packets.push_back(packet);
        self.newest_seq += 1;
        self.newest_seq
    }

    pub(super) fn newest_seq(&self) -> u64 {
        self.newest_seq
    }

    /// Applies feedback on one packet; `None` if it changes nothing.
    pub(super) fn report(&mut self, seq: u64, arrived: bool) -> Option<Update> {
        let age = usize::try_from(self.newest_seq.checked_sub(seq)?).ok()?;
        let index = self.packets.len().checked_sub(age)?.checked_sub(1)?;
        let packet = self.packets.get_mut(index)?;
        let before = packet.fate;
        packet.fate = if arrived { Fate::Arrived } else { Fate::Lost };
        match (before, arrived) {
            (Fate::Unknown, false) => Some(Update::Lost(*packet)),
            (Fate::Unknown, true) => Some(Update::Arrived(*packet)),
            (Fate::Lost, true) => Some(Update::ArrivedLate(*packet)),
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
    fn history_is_bounded_in_packets_and_in_age() {
        let mut history = SendHistory::default();
        for seq in 1..=10_000 {
            assert_eq!(history.add(SentPacket::new(0, 100, 0, 0)), seq);
        }
        assert_eq!(history.packets.len(), MAX_PACKETS);
        assert!(history.report(5_904, true).is_none() && history.report(10_001, true).is_none());
        assert!(history.report(5_905, true).is_some() && history.report(10_000, true).is_some());
        for later in 1..=10_000 {
            history.add(SentPacket::new(MAX_AGE + later, 100, 0, 0));
        }
        assert_eq!(history.packets.len(), MAX_PACKETS);
        history.add(SentPacket::new(10 * MAX_AGE, 100, 0, 0));
        assert!(history.packets.len() < MAX_PACKETS);
    }
}
