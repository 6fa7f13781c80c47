//! Reassembly of packets with binary attachments.

use bytes::Bytes;

/// A packet whose announced attachments are still arriving.
#[derive(Debug)]
pub(crate) struct Assembly<T> {
    packet: T,
    missing: usize,
    /// Size of the packet itself, in bytes.
    packet_bytes: usize,
    /// Size of the attachments so far, in bytes.
    bytes: usize,
    attachments: Vec<Bytes>,
}

/// Result of an attachment.
#[derive(Debug)]
pub(crate) enum Assembled<T> {
    /// More attachments are missing.
    Incomplete(Assembly<T>),
    /// The packet and its attachments, in order.
    Complete(T, Vec<Bytes>),
}

/// The attachments exceed the size limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AttachmentsTooLarge;

impl<T> Assembly<T> {
    /// Starts the reassembly of a packet of `packet_bytes` with `count` attachments.
    pub(crate) fn new(packet: T, packet_bytes: usize, count: usize) -> Self {
        Self { packet, missing: count, packet_bytes, bytes: 0, attachments: Vec::new() }
    }

    /// The incomplete packet.
    pub(crate) fn packet(&self) -> &T {
        &self.packet
    }

    /// Size of everything received so far, in bytes.
    pub(crate) fn held(&self) -> usize {
        self.packet_bytes + self.bytes
    }

    /// Adds the next attachment; all together may have at most `max_bytes`.
    pub(crate) fn handle_attachment(
        mut self,
        data: Bytes,
        max_bytes: usize,
    ) -> Result<Assembled<T>, AttachmentsTooLarge> {
        self.bytes = self.bytes.saturating_add(data.len());
        if self.bytes > max_bytes {
            return Err(AttachmentsTooLarge);
        }
        self.attachments.push(data);
        self.missing = self.missing.saturating_sub(1);
        Ok(if self.missing == 0 {
            Assembled::Complete(self.packet, self.attachments)
        } else {
            Assembled::Incomplete(self)
        })
    }
}
