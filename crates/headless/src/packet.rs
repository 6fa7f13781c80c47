//! An RTP packet to be sent.

use str0m::media::Rid;

pub(crate) struct Packet {
    pub(crate) rid: Option<Rid>,
    pub(crate) seq: u64,
    /// In units of the codec's clock.
    pub(crate) timestamp: u32,
    /// The last of its frame.
    pub(crate) marker: bool,
    pub(crate) payload: Vec<u8>,
}
