//! The shards of other nodes of the cluster: their numbers and addresses.
//!
//! A shard's number is `slot << 6 | index`. Nodes take no slot 0, so the numbers of this node's own
//! shards, which are their indices, are not those of others.

use std::{collections::BTreeMap, net::SocketAddr};

use turn::siblings::MAX_SIBLINGS;

/// Bits of a shard's index.
const INDEX_BITS: u32 = 6;

const _: () = assert!(MAX_SIBLINGS as u32 <= 1 << INDEX_BITS);

/// The number of a node's shard.
pub(crate) fn shard_number(slot: u16, index: u8) -> u16 {
    slot << INDEX_BITS | u16::from(index)
}

/// The slot of a shard's node.
pub(crate) fn slot_of(number: u16) -> u16 {
    number >> INDEX_BITS
}

/// Returns whether a shard is of another node.
pub(crate) fn is_remote(number: u16) -> bool {
    number >> INDEX_BITS != 0
}

/// The nodes with which media is exchanged.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NodeTable {
    /// The own slot, once other nodes know of it.
    pub(crate) own: Option<u16>,
    /// Addresses of the shards of other nodes, by slot.
    pub(crate) others: BTreeMap<u16, Vec<SocketAddr>>,
}

impl NodeTable {
    /// The address of a shard of another node.
    pub(super) fn address(&self, number: u16) -> Option<SocketAddr> {
        let index = usize::from(number & ((1 << INDEX_BITS) - 1));
        self.others.get(&(number >> INDEX_BITS))?.get(index).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_of_nodes_have_numbers_and_addresses_of_their_own() {
        let address = |port| SocketAddr::from(([10, 0, 0, 9], port));
        let others = [(1023, vec![address(1), address(2)])].into();
        let table = NodeTable { own: Some(1), others };
        let second = shard_number(1023, 1);
        assert!(is_remote(second) && is_remote(shard_number(1, 0)) && !is_remote(63));
        assert_eq!(table.address(second), Some(address(2)));
        assert_eq!(table.address(shard_number(1023, 2)), None);
        assert_eq!(table.address(shard_number(7, 0)), None);
        assert_ne!(shard_number(1023, 63), shard_number(1022, 63));
    }
}
