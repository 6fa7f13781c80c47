//! What the shard counts besides the server's own counters.

use std::fmt;

/// Packets that went no further, by why.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// DTLS and media that no media server is there for.
    pub(super) media: u64,
    /// Datagrams of no protocol we speak.
    pub(super) garbage: u64,
    /// Not sent, as the system had no room or no way.
    pub(super) unsent: u64,
    /// Not queued, as a client over TCP can't take as much.
    pub(super) slow: u64,
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { media, garbage, unsent, slow } = self;
        write!(f, "media {media}, garbage {garbage}, unsent {unsent}, slow clients {slow}")
    }
}
