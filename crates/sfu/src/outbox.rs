//! What one link has to send, kept so that equal datagrams to one address leave as one run.

use std::collections::VecDeque;

use crate::{ids::PeerId, output::Transmit, routes::FiveTuple};

/// The kernel splits no more into one send (UDP_MAX_SEGMENTS), nor more bytes.
const RUN_SEGMENTS: usize = 64;
const RUN_BYTES: usize = 60_000;
/// A buffer above this is given back once empty.
const KEPT_BYTES: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// What has been taken of `bytes`.
    taken: usize,
    entries: VecDeque<(FiveTuple, usize)>,
}

impl Outbox {
    pub(crate) fn push(&mut self, way: FiveTuple, datagram: &[u8]) {
        if datagram.is_empty() {
            return;
        }
        self.bytes.extend_from_slice(datagram);
        self.entries.push_back((way, datagram.len()));
    }

    /// Has a datagram written at the end of the buffer; gives its length. None, and nothing is kept, if
    /// there is to be none.
    pub(crate) fn write(
        &mut self,
        way: FiveTuple,
        write: impl FnOnce(&mut Vec<u8>) -> Option<()>,
    ) -> Option<usize> {
        let start = self.bytes.len();
        let written = write(&mut self.bytes);
        let length = self.bytes.len() - start;
        if written.is_none() || length == 0 {
            self.bytes.truncate(start);
            return None;
        }
        self.entries.push_back((way, length));
        Some(length)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The next run: equal sizes, then at most one shorter.
    pub(crate) fn pop(&mut self, peer: PeerId) -> Option<Transmit<'_>> {
        let (way, segment) = self.entries.pop_front()?;
        let mut length = segment;
        let mut count = 1;
        while let Some((next, size)) = self.entries.front().copied() {
            let fits = count < RUN_SEGMENTS && length + size <= RUN_BYTES;
            if next != way || size > segment || !fits {
                break;
            }
            self.entries.pop_front();
            length += size;
            count += 1;
            if size < segment {
                break;
            }
        }
        let start = self.taken;
        self.taken += length;
        let bytes = self.bytes.get(start..start + length)?;
        Some(Transmit {
            peer,
            local: way.local,
            to: way.remote,
            transport: way.transport,
            bytes,
            segment,
        })
    }

    /// To be called once all is taken: the memory goes back.
    pub(crate) fn reset(&mut self) {
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.entries.clear();
        self.entries.shrink_to(KEPT_BYTES / 64);
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Transport;

    fn way(port: u16) -> FiveTuple {
        let local = ([192, 0, 2, 1], 4000).into();
        FiveTuple { local, remote: ([192, 0, 2, 9], port).into(), transport: Transport::Udp }
    }

    #[test]
    fn a_run_is_of_equal_datagrams_to_one_address_and_perhaps_one_shorter() {
        let mut outbox = Outbox::default();
        for (port, size) in [(1, 9), (1, 9), (1, 5), (1, 9), (1, 10), (2, 10)] {
            outbox.push(way(port), &vec![0; size]);
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
    fn a_run_is_never_more_than_one_send_can_take() {
        let mut outbox = Outbox::default();
        for _ in 0..100 {
            outbox.push(way(1), &[0; 1200]);
        }
        let mut count = 0;
        while let Some(run) = outbox.pop(PeerId(1)) {
            assert!(run.bytes.len() <= RUN_BYTES && run.datagrams().count() <= RUN_SEGMENTS);
            count += run.datagrams().count();
        }
        assert_eq!(count, 100);
    }
}
