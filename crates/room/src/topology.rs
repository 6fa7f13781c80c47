//! Choice between mesh and media server.

use std::time::{Duration, Instant};

use crate::protocol::{Topology, TopologyChoice};

/// Number of members up to which a mesh is better: each sends once, without a server in between.
const MESH_MAX_MEMBERS: usize = 2;
/// Time for which a shrunken room stays on the media server, so that the next join does not cause
/// two handovers.
const LINGER: Duration = Duration::from_secs(15);

/// Topology of one room and its switching.
#[derive(Debug)]
pub(crate) struct TopologySwitch {
    choice: TopologyChoice,
    current: Topology,
    /// Time of the switch back to a mesh, unless the room grows before.
    back_at: Option<Instant>,
}

impl TopologySwitch {
    pub(crate) fn new(choice: TopologyChoice) -> Self {
        let current = match choice {
            TopologyChoice::Auto | TopologyChoice::Mesh => Topology::Mesh,
            TopologyChoice::Sfu => Topology::Sfu,
        };
        Self { choice, current, back_at: None }
    }

    /// Sets the topology that an earlier room had reached, unless it is fixed.
    pub(crate) fn restore(&mut self, current: Topology) {
        if self.choice == TopologyChoice::Auto {
            self.current = current;
        }
    }

    pub(crate) fn current(&self) -> Topology {
        self.current
    }

    /// Returns whether the room may use the media server.
    pub(crate) fn may_use_sfu(&self) -> bool {
        self.choice != TopologyChoice::Mesh
    }

    /// Updates the topology for the number of members and of those that can use the media server.
    /// Returns whether it changed.
    pub(crate) fn update(&mut self, now: Instant, members: usize, sfu_capable: usize) -> bool {
        if self.choice != TopologyChoice::Auto {
            return false;
        }
        // A single member on the media server would have no peer there.
        let outgrown = members > MESH_MAX_MEMBERS && sfu_capable > 1;
        let before = self.current;
        if outgrown {
            self.back_at = None;
            self.current = Topology::Sfu;
        } else if self.current == Topology::Sfu {
            self.back_at.get_or_insert(now + LINGER);
        }
        self.current != before
    }

    /// Time of the next [`handle_timeout`](Self::handle_timeout).
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.back_at
    }

    /// Switches back to a mesh if due; returns whether the topology changed.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> bool {
        let back = self.back_at.take_if(|at| *at <= now).is_some();
        if back {
            self.current = Topology::Mesh;
        }
        back
    }
}
