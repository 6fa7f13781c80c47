//! Which peer a datagram belongs to.

use std::net::SocketAddr;

use foldhash::HashMap;

use crate::ids::{PeerId, Transport};

/// A five-tuple as the driver names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct FiveTuple {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) transport: Transport,
}

/// Peers by their user name fragments and by the five-tuples that an authenticated check has proven.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    proven: HashMap<FiveTuple, PeerId>,
    ufrags: HashMap<String, PeerId>,
}

impl Routes {
    pub(crate) fn by_ufrag(&self, ufrag: &str) -> Option<PeerId> {
        self.ufrags.get(ufrag).copied()
    }

    pub(crate) fn by_tuple(&self, tuple: &FiveTuple) -> Option<PeerId> {
        self.proven.get(tuple).copied()
    }

    pub(crate) fn name(&mut self, ufrag: String, peer: PeerId) {
        self.ufrags.insert(ufrag, peer);
    }

    pub(crate) fn unname(&mut self, ufrag: &str) {
        self.ufrags.remove(ufrag);
    }

    /// The five-tuple is this peer's from now on, whoever had it.
    pub(crate) fn prove(&mut self, tuple: FiveTuple, peer: PeerId) {
        self.proven.insert(tuple, peer);
    }

    /// Forgets a five-tuple, unless it has become somebody else's.
    pub(crate) fn forget(&mut self, tuple: &FiveTuple, peer: PeerId) {
        if self.proven.get(tuple) == Some(&peer) {
            self.proven.remove(tuple);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.proven.len() + self.ufrags.len()
    }
}
