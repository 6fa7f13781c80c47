//! Identifiers of relayed sockets.

/// Identifies a relayed socket for as long as it lives; never reused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelayId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl RelayId {
    /// A small number that no other live relay has, to index a table of sockets.
    #[must_use]
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The form that a mobility ticket carries.
    pub(crate) fn to_bits(self) -> u64 {
        u64::from(self.index) << 32 | u64::from(self.generation)
    }

    /// The inverse of [`Self::to_bits`]. The relay need not exist.
    #[allow(clippy::cast_possible_truncation, reason = "splits the value in halves")]
    pub(crate) fn from_bits(bits: u64) -> Self {
        Self { index: (bits >> 32) as u32, generation: bits as u32 }
    }
}
