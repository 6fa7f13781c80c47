//! The switch between mesh and media server.

use std::time::{Duration, Instant};

use crate::protocol::{Topology, TopologyChoice};

/// As many as a mesh is better for: each sends to the other once, and nobody stands between.
const MESH_HOLDS: usize = 2;
/// How long the room stays with the media server after others have left: who comes again, or
/// comes next, does not make everybody move twice.
const LINGER: Duration = Duration::from_secs(15);

/// How media travels in one room, and when that changes.
#[derive(Debug)]
pub(crate) struct Switch {
    choice: TopologyChoice,
    current: Topology,
    /// When it goes back to a mesh, unless somebody comes.
    back_at: Option<Instant>,
}

impl Switch {
    pub(crate) fn new(choice: TopologyChoice) -> Self {
        let current = match choice {
            TopologyChoice::Auto | TopologyChoice::Mesh => Topology::Mesh,
            TopologyChoice::Sfu => Topology::Sfu,
        };
        Self { choice, current, back_at: None }
    }

    pub(crate) fn current(&self) -> Topology {
        self.current
    }

    /// Whether media may ever go by the media server.
    pub(crate) fn knows_sfu(&self) -> bool {
        self.choice != TopologyChoice::Mesh
    }

    /// So many are in the room, and so many of them can use the media server. True if media
    /// travels otherwise now.
    pub(crate) fn count(&mut self, now: Instant, members: usize, able: usize) -> bool {
        if self.choice != TopologyChoice::Auto {
            return false;
        }
        // A single one would be there alone.
        let outgrown = members > MESH_HOLDS && able > 1;
        let before = self.current;
        if outgrown {
            self.back_at = None;
            self.current = Topology::Sfu;
        } else if self.current == Topology::Sfu {
            self.back_at.get_or_insert(now + LINGER);
        }
        self.current != before
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.back_at
    }

    /// True if media travels otherwise now.
    pub(crate) fn handle_timeout(&mut self, now: Instant) -> bool {
        let back = self.back_at.take_if(|at| *at <= now).is_some();
        if back {
            self.current = Topology::Mesh;
        }
        back
    }
}
