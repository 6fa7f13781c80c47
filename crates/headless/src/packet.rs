//! An outgoing RTP packet.

use str0m::media::Rid;

pub(crate) struct Packet {
    pub(crate) rid: Option<Rid>,
    pub(crate) seq: u64,
    /// RTP timestamp on the codec's clock.
    pub(crate) timestamp: u32,
    /// The last packet of its frame.
    pub(crate) marker: bool,
    pub(crate) payload: Vec<u8>,
}
