//! Placement of rooms: rendezvous hashing, which moves only the rooms of a node that comes or goes.

use std::time::Duration;

use crate::{engine::RoomKey, node::NodeId};

/// The time by which the second node waits longer than the first before it claims a room, and so on,
/// so that they don't all claim at once.
pub const CLAIM_STAGGER: Duration = Duration::from_millis(100);

/// A node's weight for a room. Each node comes to the same result on any machine.
fn weight(room: RoomKey, node: NodeId) -> u64 {
    // FNV-1a, then the finalizer of SplitMix64, since FNV's high bits hardly depend on the last byte.
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    let bytes =
        room.0.into_iter().chain(node.slot.value().to_be_bytes()).chain(node.boot.to_be_bytes());
    for byte in bytes {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ hash >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ hash >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ hash >> 31
}

/// The node that should own a room.
#[must_use]
pub fn owner_for(room: RoomKey, nodes: impl IntoIterator<Item = NodeId>) -> Option<NodeId> {
    nodes.into_iter().max_by_key(|node| (weight(room, *node), *node))
}

/// The number of `nodes` that should own a room rather than `node`.
#[must_use]
pub fn rank(room: RoomKey, node: NodeId, nodes: impl IntoIterator<Item = NodeId>) -> usize {
    let own = (weight(room, node), node);
    nodes.into_iter().filter(|other| (weight(room, *other), *other) > own).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Slot;

    fn nodes(count: u16) -> Vec<NodeId> {
        let node = |slot| NodeId { slot: Slot::new(slot).unwrap(), boot: 77 };
        (0..count).map(node).collect()
    }

    fn rooms() -> impl Iterator<Item = RoomKey> {
        (0..1000_u128).map(|number| RoomKey(number.to_be_bytes()))
    }

    #[test]
    fn rooms_spread_over_nodes() {
        let nodes = nodes(5);
        for node in &nodes {
            let share =
                rooms().filter(|room| owner_for(*room, nodes.clone()) == Some(*node)).count();
            assert!((150..250).contains(&share), "{node}: {share}");
        }
    }

    #[test]
    fn only_rooms_of_a_node_that_left_move() {
        let nodes = nodes(5);
        let left = nodes[2];
        let rest: Vec<_> = nodes.iter().copied().filter(|node| *node != left).collect();
        for room in rooms() {
            let before = owner_for(room, nodes.clone()).unwrap();
            let after = owner_for(room, rest.clone()).unwrap();
            assert!(before == after || before == left);
        }
    }

    #[test]
    fn ranks_are_a_permutation_that_begins_with_the_owner() {
        let nodes = nodes(5);
        for room in rooms().take(50) {
            let mut ranks: Vec<_> =
                nodes.iter().map(|node| (rank(room, *node, nodes.clone()), *node)).collect();
            ranks.sort();
            assert!(ranks.iter().enumerate().all(|(index, (rank, _))| index == *rank));
            assert_eq!(owner_for(room, nodes.clone()), Some(ranks[0].1));
        }
        assert_eq!(owner_for(RoomKey([0; 16]), []), None);
    }
}
