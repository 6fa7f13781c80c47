//! A node's mark in the ids of its sessions.

use cluster::NodeId;

/// Length of the head of a session's id.
pub(super) const SESSION_HEAD: usize = 10;

/// A part of the node's random number, which another run of it does not have.
pub(super) fn session_head(node: NodeId) -> String {
    format!("{:010x}", node.boot >> 24)
}
