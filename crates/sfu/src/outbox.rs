//! Datagrams that one link has to send, in order. Equal sizes to one address leave as one run.

use std::collections::VecDeque;

use crate::{ids::PeerId, output::Transmit, routes::FiveTuple};

/// Datagrams of one GSO send (Linux UDP_MAX_SEGMENTS).
const MAX_RUN_SEGMENTS: usize = 64;
/// Bytes of one GSO send: less than 64 KiB with headers.
const MAX_RUN_BYTES: usize = 60_000;
/// Capacity that an empty outbox retains.
const RETAINED_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// Length of the prefix of `bytes` that has been popped.
    popped: usize,
    entries: VecDeque<(FiveTuple, usize)>,
}

impl Outbox {
    pub(crate) fn push(&mut self, five_tuple: FiveTuple, datagram: &[u8]) {
        if datagram.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(datagram);
        self.entries.push_back((five_tuple, datagram.len()));
    }

    /// Appends the datagram that `write` writes at the end of the buffer and returns its length. If
    /// `write` returns `None` or writes nothing, the outbox is unchanged.
    pub(crate) fn write(
        &mut self,
        five_tuple: FiveTuple,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<usize> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        let length = self.bytes.len() - start;
        if written.is_none() || length == 0 {
            self.bytes.truncate(start);
            return None;
        }
        self.entries.push_back((five_tuple, length));
        Some(length)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Pops the next run: datagrams of equal size, then at most one shorter.
    pub(crate) fn pop(&mut self, peer: PeerId) -> Option<Transmit<'_>> {
        let (five_tuple, segment) = self.entries.pop_front()?;
        let mut length = segment;
        let mut count = 1;
        while let Some((next, size)) = self.entries.front().copied() {
            let fits = count < MAX_RUN_SEGMENTS && length + size <= MAX_RUN_BYTES;
            if next != five_tuple || size > segment || !fits {
                break;
            }
            self.entries.pop_front();
            length += size;
            count += 1;
            if size < segment {
                break;
            }
        }
        let start = self.popped;
        self.popped += length;
        let bytes = self.bytes.get(start..start + length)?;
        Some(Transmit {
            peer,
            local: five_tuple.local,
            to: five_tuple.remote,
            transport: five_tuple.transport,
            bytes,
            segment,
        })
    }

    /// Releases memory once everything is popped.
    pub(crate) fn reset(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(RETAINED_BYTES);
        self.entries.clear();
        self.entries.shrink_to(RETAINED_BYTES / 64);
        self.popped = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Transport;

    fn five_tuple(port: u16) -> FiveTuple {
        let local = ([192, 0, 2, 1], 4000).into();
        FiveTuple { local, remote: ([192, 0, 2, 9], port).into(), transport: Transport::Udp }
    }

    #[test]
    fn run_has_equal_datagrams_to_one_address_and_at_most_one_shorter() {
        let mut outbox = Outbox::default();
        for (port, size) in [(1, 9), (1, 9), (1, 5), (1, 9), (1, 10), (2, 10)] {
            outbox.push(five_tuple(port), &vec![0; size]);
        }
        let mut runs = Vec::new();
        while let Some(run) = outbox.pop(PeerId(1)) {
            runs.push((run.to.port(), run.segment, run.bytes.len(), run.datagrams().count()));
        }
        assert_eq!(runs, [(1, 9, 23, 3), (1, 9, 9, 1), (1, 10, 10, 1), (2, 10, 10, 1)]);
        outbox.reset();
        assert!(outbox.is_empty());
    }

    #[test]
    fn run_never_exceeds_one_gso_send() {
        let mut outbox = Outbox::default();
        for _ in 0..100 {
            outbox.push(five_tuple(1), &[0; 1200]);
        }
        let mut count = 0;
        while let Some(run) = outbox.pop(PeerId(1)) {
            assert!(
                run.bytes.len() <= MAX_RUN_BYTES && run.datagrams().count() <= MAX_RUN_SEGMENTS
            );
            count += run.datagrams().count();
        }
        assert_eq!(count, 100);
    }
}
