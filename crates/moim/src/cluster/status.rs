//! The state of the cluster, as this node knows it.

use cluster::NodeState;
use cluster_redis::EngineStatus;
use serde_json::{Value, json};

/// The state of the cluster, as this node knows it.
#[derive(Debug, Clone)]
pub(crate) struct ClusterStatus {
    /// Address of the engine, without a password.
    pub(crate) endpoint: String,
    pub(crate) engine: EngineStatus,
    /// Other nodes take this one for alive.
    pub(crate) is_leased: bool,
    /// They did so at least once.
    pub(crate) was_leased: bool,
    /// Times that the lease had ended and was held again.
    pub(crate) regained: u64,
    /// Rooms of this node.
    pub(crate) rooms: usize,
    /// Those of them whose log the engine does not take just now.
    pub(crate) unkept: i64,
    /// Rooms that this node has claimed.
    pub(crate) claims: u64,
    /// Rooms that it gave up, as another node had claimed them.
    pub(crate) fenced: u64,
    /// The own node, then others whose leases live.
    pub(crate) nodes: Vec<NodeStatus>,
}

/// A node of the cluster.
#[derive(Debug, Clone)]
pub(crate) struct NodeStatus {
    /// Its slot and boot.
    pub(crate) node: String,
    pub(crate) is_own: bool,
    pub(crate) state: NodeState,
    /// Percent of what it can bear.
    pub(crate) load: u8,
    /// The reason for which a link for media to it is missing.
    pub(crate) no_media: Option<String>,
}

impl ClusterStatus {
    /// The reason for which this node should take no newcomers. A node that loses its engine goes on,
    /// since others most likely lost it, too.
    pub(crate) fn obstacle(&self) -> Option<String> {
        if self.is_leased || (self.was_leased && !self.engine.is_connected) {
            return None;
        }
        Some(match (&self.engine.failure, self.was_leased) {
            (Some(failure), _) => format!("not in the cluster: {} {failure}", self.endpoint),
            (None, true) => "the lease in the cluster has ended".to_owned(),
            (None, false) => "not in the cluster yet".to_owned(),
        })
    }

    /// The same for programs.
    pub(crate) fn to_json(&self) -> Value {
        let node = |node: &NodeStatus| {
            json!({
                "node": node.node,
                "own": node.is_own,
                "state": state(node.state),
                "load_percent": node.load,
                "no_media": node.no_media,
            })
        };
        json!({
            "engine": {
                "address": self.endpoint,
                "connected": self.engine.is_connected,
                "connections": self.engine.connections,
                "memory_losses": self.engine.losses,
                "failure": self.engine.failure.as_ref().map(ToString::to_string),
            },
            "leased": self.is_leased,
            "leases_regained": self.regained,
            "rooms": self.rooms,
            "rooms_unkept": self.unkept,
            "claims": self.claims,
            "fenced": self.fenced,
            "nodes": self.nodes.iter().map(node).collect::<Vec<_>>(),
        })
    }
}

fn state(state: NodeState) -> &'static str {
    match state {
        NodeState::Serving => "serving",
        NodeState::Draining => "draining",
    }
}

#[cfg(test)]
mod tests {
    use cluster_redis::ConnectError;

    use super::*;

    fn status(is_leased: bool, was_leased: bool, engine: EngineStatus) -> ClusterStatus {
        let endpoint = "redis://redis.example:6379".to_owned();
        ClusterStatus {
            endpoint,
            engine,
            is_leased,
            was_leased,
            regained: 0,
            rooms: 0,
            unkept: 0,
            claims: 0,
            fenced: 0,
            nodes: Vec::new(),
        }
    }

    #[test]
    fn node_takes_newcomers_with_a_lease_or_while_the_engine_is_away() {
        let away =
            EngineStatus { failure: Some(ConnectError::OtherKey), ..EngineStatus::default() };
        let up = EngineStatus { is_connected: true, connections: 1, ..EngineStatus::default() };
        assert_eq!(status(true, true, up.clone()).obstacle(), None);
        assert_eq!(status(false, true, away.clone()).obstacle(), None);
        for (engine, was_leased, about) in [
            (away, false, "another cluster"),
            (up.clone(), true, "has ended"),
            (up, false, "not in the cluster yet"),
        ] {
            let obstacle = status(false, was_leased, engine).obstacle().unwrap();
            assert!(obstacle.contains(about), "{obstacle}");
        }
    }
}
