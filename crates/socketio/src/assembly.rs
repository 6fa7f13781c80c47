//! A packet whose attachments are still on their way.

use bytes::Bytes;

/// Gathers the binary messages that a packet announced.
#[derive(Debug)]
pub(crate) struct Assembly<T> {
    packet: T,
    missing: usize,
    /// Bytes of the packet itself.
    packet_bytes: usize,
    /// Bytes of the attachments so far.
    bytes: usize,
    attachments: Vec<Bytes>,
}

/// Whether a packet is complete.
#[derive(Debug)]
pub(crate) enum Assembled<T> {
    /// More is to come.
    Partly(Assembly<T>),
    /// The packet and its attachments, in order.
    Wholly(T, Vec<Bytes>),
}

/// More bytes than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl<T> Assembly<T> {
    /// Waits for `count` attachments of a packet that came in `packet_bytes`.
    pub(crate) fn new(packet: T, packet_bytes: usize, count: usize) -> Self {
        Self { packet, missing: count, packet_bytes, bytes: 0, attachments: Vec::new() }
    }

    /// What is not complete yet.
    pub(crate) fn packet(&self) -> &T {
        &self.packet
    }

    /// Bytes of all that has come.
    pub(crate) fn held(&self) -> usize {
        self.packet_bytes + self.bytes
    }

    /// Takes the next attachment, as long as all together have no more than `most` bytes.
    pub(crate) fn handle_attachment(
        mut self,
        data: Bytes,
        most: usize,
    ) -> Result<Assembled<T>, TooLarge> {
        self.bytes = self.bytes.saturating_add(data.len());
        if self.bytes > most {
            return Err(TooLarge);
        }
        self.attachments.push(data);
        self.missing = self.missing.saturating_sub(1);
        Ok(if self.missing == 0 {
            Assembled::Wholly(self.packet, self.attachments)
        } else {
            Assembled::Partly(self)
        })
    }
}
