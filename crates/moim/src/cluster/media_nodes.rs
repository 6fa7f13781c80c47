//! Nodes that media is exchanged with.

use std::{
    collections::HashMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use cluster::{Card, Member, NodeId, NodeState};
use tokio::sync::watch;

use super::{Cluster, LinkError, session_head::session_head};
use crate::shard::{self, NodeTable};

/// Load in percent from which on a node gets no links of participants, if another has less.
const BUSY: u8 = 80;

/// Time for which a node that was not reached gets no links: as long as participants may resume, so
/// that those who come back have theirs elsewhere, and know it.
const UNREACHED: Duration = Duration::from_secs(30);
/// Time after which an operator is told again of a node that is not reached.
const TOLD: Duration = Duration::from_secs(600);

/// A node that can have links of participants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaNode {
    pub(crate) id: NodeId,
    /// For requests of other nodes.
    pub(crate) address: SocketAddr,
    /// Its number of shards.
    pub(crate) shards: usize,
    is_busy: bool,
    load: u8,
}

impl MediaNode {
    /// `None` if the node has no part in media of others' rooms.
    fn of(id: NodeId, card: &Card) -> Option<Self> {
        let address = card.address.filter(|_| !card.media.is_empty())?;
        let is_busy = card.state != NodeState::Serving || card.load >= BUSY;
        Some(Self { id, address, shards: card.media.len(), is_busy, load: card.load })
    }
}

/// Nodes that were not reached, and when.
#[derive(Debug, Default)]
pub(super) struct UnreachedNodes(HashMap<NodeId, Unreached>);

#[derive(Debug)]
struct Unreached {
    at: Instant,
    told: Instant,
}

impl UnreachedNodes {
    /// Notes that a node was not reached. Returns whether the operator is to be told.
    fn note(&mut self, now: Instant, node: NodeId) -> bool {
        let age = |since: Instant| now.saturating_duration_since(since);
        self.0.retain(|_, known| age(known.told) < TOLD || age(known.at) < UNREACHED);
        let known = self.0.get(&node).filter(|known| age(known.told) < TOLD);
        let told = known.map_or(now, |known| known.told);
        let is_new = known.is_none();
        self.0.insert(node, Unreached { at: now, told });
        is_new
    }

    fn has(&self, now: Instant, node: NodeId) -> bool {
        let known = self.0.get(&node);
        known.is_some_and(|known| now.saturating_duration_since(known.at) < UNREACHED)
    }
}

impl Cluster {
    /// Notes that this node does not reach another one, which gets no links of participants for a
    /// while.
    pub(crate) fn note_unreached(&self, node: NodeId, error: &LinkError) {
        let is_new = self.unreached_nodes.lock().note(Instant::now(), node);
        if error.tells_of_its_end() {
            tracing::info!(%node, %error, "media links on a node are lost");
        } else if is_new {
            tracing::warn!(%node, %error, "this node does not reach another one: media links of participants begin elsewhere");
        } else {
            tracing::debug!(%node, %error, "a node is not reached");
        }
    }

    /// The own id.
    pub(crate) fn id(&self) -> NodeId {
        self.member.lock().member.id()
    }

    /// Another node, if it is there and takes part in media. One whose lease has ended may still be
    /// listed, and would be tried for two seconds.
    pub(crate) fn media_node(&self, id: NodeId) -> Option<MediaNode> {
        let membership = self.member.lock();
        if membership.member.is_gone(Instant::now(), id) {
            return None;
        }
        let mut others = membership.member.others();
        others.find(|(other, _)| *other == id).and_then(|(id, card)| MediaNode::of(id, card))
    }

    /// The node for the link of a participant whose socket `door` has: `None` for this one. That is
    /// the door, or while it is busy the one with the lowest load.
    pub(crate) fn place_media(&self, door: Option<NodeId>) -> Option<MediaNode> {
        let membership = self.member.lock();
        let member = &membership.member;
        let own = MediaNode::of(member.id(), member.card())?;
        let (now, unreached) = (Instant::now(), self.unreached_nodes.lock());
        let is_there = |id| !unreached.has(now, id) && !member.is_gone(now, id);
        let others = member.others().filter(|(id, _)| is_there(*id));
        let others: Vec<_> = others.filter_map(|(id, card)| MediaNode::of(id, card)).collect();
        choose(door, &own, &others).cloned()
    }

    /// Identifies the process that has a participant's link, so that its page notes a new one.
    pub(crate) fn instance(&self, node: Option<NodeId>) -> String {
        session_head(node.unwrap_or_else(|| self.id()))
    }
}

/// Chooses among the own node and others; `None` is the own one.
fn choose<'a>(
    door: Option<NodeId>,
    own: &'a MediaNode,
    others: &'a [MediaNode],
) -> Option<&'a MediaNode> {
    let door = others.iter().find(|node| Some(node.id) == door);
    if !door.unwrap_or(own).is_busy {
        return door;
    }
    let idle = others.iter().chain([own]).filter(|node| !node.is_busy);
    match idle.min_by_key(|node| node.load) {
        Some(idlest) => Some(idlest).filter(|node| node.id != own.id),
        None => door,
    }
}

/// The table of a member's nodes.
fn table(member: &Member) -> NodeTable {
    let own = member.is_leased(Instant::now()).then(|| member.id().slot.value());
    let addresses = |card: &Card| {
        let ip = card.address?.ip();
        Some(card.media.iter().map(|port| SocketAddr::new(ip, *port)).collect::<Vec<_>>())
    };
    let others = member.others().filter_map(|(id, card)| Some((id.slot.value(), addresses(card)?)));
    NodeTable { own, others: others.collect() }
}

/// Begins to tell the shards of nodes.
pub(super) fn begin_telling(shards: shard::Handle) -> watch::Sender<NodeTable> {
    let (sender, mut tables) = watch::channel(NodeTable::default());
    tokio::spawn(async move {
        while tables.changed().await.is_ok() {
            let table = tables.borrow_and_update().clone();
            shards.set_nodes(table).await;
        }
    });
    sender
}

/// Tells the shards of nodes, if they have changed.
pub(super) fn tell(shards: &watch::Sender<NodeTable>, member: &Member) {
    let table = table(member);
    shards.send_if_modified(|known| {
        // A lease that has ended, or nodes that the engine does not list just now, may be there all
        // the same: a link that breaks says more.
        let next = NodeTable { own: table.own.or(known.own), others: table.others };
        let is_changed = *known != next;
        *known = next;
        is_changed
    });
}

#[cfg(test)]
mod tests {
    use cluster::Slot;

    use super::*;

    fn node(slot: u16, load: u8) -> MediaNode {
        let id = NodeId { slot: Slot::new(slot).unwrap(), boot: 1 };
        let address = Some(SocketAddr::from(([10, 0, 0, 1], 443)));
        let card = Card { state: NodeState::Serving, load, url: None, address, media: vec![1, 2] };
        MediaNode::of(id, &card).unwrap()
    }

    #[test]
    fn link_is_at_the_door_unless_that_is_busy() {
        let chosen = |door: &MediaNode, own: &MediaNode, other: &MediaNode| {
            let others = [other.clone()];
            choose(Some(door.id), own, &others).map_or(own.id, |node| node.id)
        };
        let (own, other) = (node(1, 10), node(2, 50));
        assert_eq!(chosen(&own, &own, &other), own.id);
        assert_eq!(chosen(&other, &own, &other), other.id);
        let busy = node(2, 80);
        assert_eq!(chosen(&busy, &own, &busy), own.id);
        let both = node(1, 90);
        assert_eq!(chosen(&both, &both, &other), other.id);
        assert_eq!(chosen(&busy, &both, &busy), busy.id, "no better one");
        assert_eq!(chosen(&node(3, 0), &own, &other), own.id, "a door that is gone");
    }

    #[test]
    fn node_that_is_not_reached_is_told_of_once_and_tried_again_later() {
        let mut nodes = UnreachedNodes::default();
        let (begin, id) = (Instant::now(), node(1, 0).id);
        assert!(!nodes.has(begin, id));
        assert!(nodes.note(begin, id));
        let later = begin + UNREACHED - Duration::from_millis(1);
        assert!(nodes.has(later, id) && !nodes.has(later, node(2, 0).id));
        assert!(!nodes.has(begin + UNREACHED, id));
        assert!(!nodes.note(begin + UNREACHED, id), "told before");
        assert!(nodes.has(begin + UNREACHED, id));
        assert!(nodes.note(begin + TOLD, id), "told long ago");
        assert!(nodes.note(begin + TOLD * 3, node(2, 0).id));
        assert_eq!(nodes.0.len(), 1, "the other is forgotten");
    }

    #[test]
    fn node_without_ports_for_media_has_no_links() {
        let card = node(1, 0);
        let card = Card {
            state: NodeState::Serving,
            load: 0,
            url: None,
            address: Some(card.address),
            media: Vec::new(),
        };
        let id = NodeId { slot: Slot::new(1).unwrap(), boot: 1 };
        assert_eq!(MediaNode::of(id, &card), None);
    }
}
