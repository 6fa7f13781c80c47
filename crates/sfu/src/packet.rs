//! An RTP packet on its way through.

use crate::format::Format;
use std::{sync::Arc, time::Instant};
use str0m::rtp::ExtensionValues;

/// A received packet. Cloning it shares the payload.
#[derive(Debug, Clone)]
pub(crate) struct Packet {
    /// Sequence number, extended beyond 16 bits.
    pub(crate) seq: u64,
    /// RTP timestamp.
    pub(crate) time: u32,
    pub(crate) marker: bool,
    pub(crate) format: Format,
    /// What is sent on of the header extensions.
    pub(crate) extensions: ExtensionValues,
    /// Without header and padding.
    pub(crate) payload: Arc<[u8]>,
    /// When it came.
    pub(crate) at: Instant,
}

/// Leaves of the header extensions what concerns the media; the rest is between two neighbours.
pub(crate) fn carried(from: ExtensionValues) -> ExtensionValues {
    ExtensionValues {
        mid: None,
        rid: None,
        rid_repair: None,
        transport_cc: None,
        abs_send_time: None,
        tx_time_offs: None,
        ..from
    }
}
