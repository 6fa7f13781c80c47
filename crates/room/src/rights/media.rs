//! Rights over media, as the media server and descriptions are held to them.

use super::Sources;

/// What a participant may send, and whether it may receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MediaRights {
    /// Sources that may be sent.
    pub publish: Sources,
    /// Media of others may be received.
    pub subscribe: bool,
}

impl MediaRights {
    /// Everything.
    pub const ALL: Self = Self { publish: Sources::ALL, subscribe: true };
}
