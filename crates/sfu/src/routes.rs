//! Lookup of the peer that a datagram belongs to.

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

/// Peers by ICE username fragment, and by the five-tuples that an authenticated check has
/// validated.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    five_tuples: HashMap<FiveTuple, PeerId>,
    ufrags: HashMap<String, PeerId>,
}

impl Routes {
    pub(crate) fn by_ufrag(&self, ufrag: &str) -> Option<PeerId> {
        self.ufrags.get(ufrag).copied()
    }

    pub(crate) fn by_five_tuple(&self, five_tuple: &FiveTuple) -> Option<PeerId> {
        self.five_tuples.get(five_tuple).copied()
    }

    pub(crate) fn insert_ufrag(&mut self, ufrag: String, peer: PeerId) {
        self.ufrags.insert(ufrag, peer);
    }

    pub(crate) fn remove_ufrag(&mut self, ufrag: &str) {
        self.ufrags.remove(ufrag);
    }

    /// Assigns a validated five-tuple to a peer. The newest check wins.
    pub(crate) fn insert_five_tuple(&mut self, five_tuple: FiveTuple, peer: PeerId) {
        self.five_tuples.insert(five_tuple, peer);
    }

    /// Removes a five-tuple, unless another peer has validated it since.
    pub(crate) fn remove_five_tuple(&mut self, five_tuple: &FiveTuple, peer: PeerId) {
        if self.five_tuples.get(five_tuple) == Some(&peer) {
            self.five_tuples.remove(five_tuple);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.five_tuples.len() + self.ufrags.len()
    }
}
