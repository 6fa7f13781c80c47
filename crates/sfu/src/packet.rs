//! An RTP packet on its way through.

use crate::format::Format;
use std::{sync::Arc, time::Instant};
use str0m::rtp::{ExtensionValues, UserExtensionValues};

/// No packet is late by so many numbers: the stream has begun anew.
pub(crate) const FAR: u64 = 3000;

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
    /// The dependency descriptor, for codecs that can't do without.
    pub(crate) dependency: Option<Arc<[u8]>>,
    /// The frame number in it.
    pub(crate) frame: Option<u16>,
    /// Without header and padding.
    pub(crate) payload: Arc<[u8]>,
    /// When it came.
    pub(crate) at: Instant,
}

/// Leaves of the header extensions what concerns the media; the rest is between two neighbours.
pub(crate) fn carried(mut values: ExtensionValues) -> ExtensionValues {
    values.mid = None;
    values.rid = None;
    values.rid_repair = None;
    values.transport_cc = None;
    values.abs_send_time = None;
    values.tx_time_offs = None;
    values.user_values = UserExtensionValues::default();
    values
}
