//! A room's port to the media server, on its node and others. Maps participant ids to peer ids and
//! back.

mod retiring;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use cluster::NodeId;
use room::{
    ToSfu,
    protocol::{ParticipantId, SdpType, SessionDescription},
    rights::MediaRights,
};
use sfu::{PeerId, Permissions, RemoteShard, RoomId, Viewport};
use tokio::sync::mpsc;

use super::{
    frozen_links::FrozenLinks,
    placement::{Assignment, NodeShards, Numbers, Place, Placement, number_base},
    remote_media::{
        Beginning, MediaHost, Order, RemoteEvent, RemoteNode, RemoteSfuEvent, StreamEnd,
    },
    sfu_message::{SfuMessage, to_sfu_source},
};
use crate::{
    cluster::{Cluster, LinkError, MediaNode},
    shard::{
        sfu::{
            EventReceiver, EventSender, PeerSetup, Request, RoomCommand, RoomCommandSender, Span,
            event_channel,
        },
        shard_number,
    },
};

/// Events of other nodes that may wait for a room; their streams wait for it.
const MAX_REMOTE_EVENTS: usize = 256;

/// Handle to the media server. Clones share it.
#[derive(Clone)]
pub(crate) struct MediaServer {
    shards: Arc<[RoomCommandSender]>,
    numbers: Arc<Numbers>,
    host: Arc<MediaHost>,
    cluster: Option<Arc<Cluster>>,
}

impl MediaServer {
    /// Creates a handle to a media server of at least one shard.
    pub(crate) fn new(shards: Arc<[RoomCommandSender]>) -> Self {
        let host = Arc::new(MediaHost::new(Arc::clone(&shards)));
        Self { shards, numbers: Arc::default(), host, cluster: None }
    }

    /// The same in a cluster.
    pub(super) fn in_cluster(self, cluster: Option<Arc<Cluster>>) -> Self {
        Self { cluster, ..self }
    }

    /// Rooms of other nodes with links here.
    pub(super) fn host(&self) -> &Arc<MediaHost> {
        &self.host
    }

    /// Busy share of the busiest shard, thousandths.
    pub(super) fn busy_permille(&self) -> u16 {
        let busiest = self.shards.iter().map(RoomCommandSender::busy_permille).max();
        u16::try_from(busiest.unwrap_or_default()).unwrap_or(1000)
    }

    /// Opens the port of a room, whose newest event has the number `newest`. Rooms are assigned to
    /// home shards in turn.
    pub(super) fn open(&self, newest: u64) -> SfuPort {
        let base = self.base();
        self.port(self.numbers.next_room(base), base, newest)
    }

    /// Opens the port of a room that another node had, whose links on nodes that live go on.
    pub(super) fn reopen(&self, links: FrozenLinks, newest: u64) -> SfuPort {
        let mut port = self.port(links.room(), self.base(), newest);
        port.adopt(links);
        port
    }

    fn base(&self) -> u64 {
        number_base(self.cluster.as_ref().map(|cluster| cluster.id()))
    }

    fn port(&self, room: RoomId, base: u64, newest: u64) -> SfuPort {
        let (events, receiver) = event_channel();
        let (remote_events, remote_receiver) = mpsc::channel(MAX_REMOTE_EVENTS);
        SfuPort {
            room,
            media: self.clone(),
            placement: Placement::new(room, Arc::clone(&self.numbers), base),
            nodes: HashMap::new(),
            told: BTreeMap::new(),
            order: Order(newest, 0),
            events,
            receiver,
            remote_events,
            remote_receiver,
            pending: VecDeque::new(),
            is_changed: false,
        }
    }
}

/// One room's port to the media server.
pub(super) struct SfuPort {
    room: RoomId,
    media: MediaServer,
    placement: Placement,
    /// Streams to other nodes with links.
    nodes: HashMap<NodeId, RemoteNode>,
    /// Shards that were told of others, and what.
    told: BTreeMap<Place, Span>,
    /// Order of the newest stream.
    order: Order,
    events: EventSender,
    receiver: EventReceiver,
    remote_events: mpsc::Sender<RemoteEvent>,
    remote_receiver: mpsc::Receiver<RemoteEvent>,
    /// Messages about links that were lost.
    pending: VecDeque<SfuMessage>,
    /// Places of links have changed.
    is_changed: bool,
}

impl SfuPort {
    /// Returns whether the shard or node of a participant's link accepts commands now. `door` is the
    /// node that has the participant's socket, if it is another one.
    pub(super) fn can_send(&self, from: &ParticipantId, door: Option<NodeId>) -> bool {
        let place = self.placement.place(from).unwrap_or_else(|| {
            let node = self.choose_node(door).map(|node| node.id);
            let on = NodeShards { node, shards: self.media.shards.len() };
            let shard = match node {
                Some(_) => 0,
                None => self.placement.choose_shard(on, |shard| self.is_healthy(shard)),
            };
            Place { node, shard }
        });
        match place.node {
            Some(node) => self.nodes.get(&node).is_none_or(RemoteNode::has_room),
            None => self.media.shards.get(place.shard).is_some_and(RoomCommandSender::has_room),
        }
    }

    /// The other node that has, or would have, a participant's link.
    pub(super) fn node_of(&self, id: &ParticipantId, door: Option<NodeId>) -> Option<NodeId> {
        match self.placement.place(id) {
            Some(place) => place.node,
            None => self.choose_node(door).map(|node| node.id),
        }
    }

    /// True if another node has a participant's link.
    pub(super) fn has_link_on(&self, id: &ParticipantId, node: NodeId) -> bool {
        self.placement.place(id).is_some_and(|place| place.node == Some(node))
    }

    /// Retires the link of a participant who resumes, if its node drains and another one takes it, or
    /// ends it, if the node is not reached just now: the client begins a new one there.
    pub(super) fn leave_bad_node(&mut self, id: &ParticipantId, door: Option<NodeId>) {
        let Some(place) = self.placement.place(id) else { return };
        let is_draining =
            |node| self.media.cluster.as_ref().is_some_and(|cluster| cluster.is_draining(node));
        let next = self.choose_node(door).map(|node| node.id);
        let is_left = is_draining(place.node) && !is_draining(next);
        // A socket that comes by the node itself says that it is there.
        let stream = place.node.and_then(|node| self.nodes.get(&node));
        let is_lost = place.node != door && stream.is_some_and(RemoteNode::is_reopening);
        if next == place.node || !(is_left || is_lost) {
            return;
        }
        if !is_lost {
            return self.retire(id);
        }
        let peer = self.placement.peer_id(id);
        self.unlink(id);
        // What others wish to see of it stays as it is.
        self.placement.keep_peer(id.clone(), peer);
    }

    /// Returns whether places of links have changed since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    /// Places of the links, for the next node that has the room.
    pub(super) fn freeze(&self) -> Option<FrozenLinks> {
        let own = self.media.cluster.as_ref()?.id();
        Some(FrozenLinks::new(self.room, own, self.placement.links()))
    }

    /// Sends a message of a participant with these rights.
    pub(super) fn send(
        &mut self,
        from: &ParticipantId,
        door: Option<NodeId>,
        permitted: MediaRights,
        message: ToSfu,
    ) {
        let permissions = Permissions {
            publish: permitted.publish.iter().map(to_sfu_source).collect(),
            subscribe: permitted.subscribe,
        };
        if matches!(message, ToSfu::Permit) {
            self.permit_retired(from, &permissions);
        }
        let setup = |permissions| PeerSetup { permissions, events: self.events.clone() };
        let request = match message {
            ToSfu::Description(SessionDescription { kind: SdpType::Offer, sdp }) => {
                Request::Offer(sdp, setup(permissions))
            }
            ToSfu::Description(SessionDescription { sdp, .. }) => Request::Answer(sdp),
            ToSfu::Publish(tracks) => {
                let tracks =
                    tracks.into_iter().map(|track| (track.mid, to_sfu_source(track.source)));
                Request::Publish(tracks.collect(), setup(permissions))
            }
            // Without a link there is nothing to forbid; its first message says what is permitted.
            ToSfu::Permit if self.placement.place(from).is_none() => return,
            ToSfu::Permit => Request::Permit(permissions),
            ToSfu::Subscribe(tracks) => {
                let setup = setup(permissions);
                let viewport = |track: room::protocol::WantedTrack| Viewport {
                    peer: self.placement.peer_id(&track.participant),
                    source: to_sfu_source(track.source),
                    width: track.width,
                    height: track.height,
                };
                Request::Subscribe(tracks.into_iter().map(viewport).collect(), setup)
            }
            ToSfu::Nothing => return,
        };
        let Assignment { peer, place, changes_shards } = self.assign(from, door);
        if changes_shards {
            self.update_span();
        }
        self.send_request(peer, place, request);
    }

    fn send_request(&mut self, peer: PeerId, place: Place, request: Request) {
        self.send_command(place, RoomCommand::Peer { room: self.room, peer, request });
    }

    /// The place of a participant's link, which begins if need be.
    fn assign(&mut self, id: &ParticipantId, door: Option<NodeId>) -> Assignment {
        let shards = Arc::clone(&self.media.shards);
        let own = NodeShards { node: None, shards: shards.len() };
        if self.placement.place(id).is_some() {
            return self.placement.assign(id, own, |_| true);
        }
        self.is_changed = true;
        let Some(node) = self.choose_node(door) else {
            return self.placement.assign(id, own, |shard| is_healthy(&shards, shard));
        };
        let on = NodeShards { node: Some(node.id), shards: node.shards };
        if !self.nodes.contains_key(&node.id) {
            self.open_node(node, Vec::new());
        }
        self.placement.assign(id, on, |_| true)
    }

    fn choose_node(&self, door: Option<NodeId>) -> Option<MediaNode> {
        self.media.cluster.as_ref()?.place_media(door)
    }

    fn open_node(&mut self, node: MediaNode, peers: Vec<(u8, PeerId)>) {
        let Some(cluster) = self.media.cluster.clone() else { return };
        let (id, beginning) = (node.id, self.beginning(peers));
        let stream = RemoteNode::open(cluster, node, beginning, self.remote_events.clone());
        self.nodes.insert(id, stream);
    }

    /// The beginning of the next stream.
    fn beginning(&mut self, peers: Vec<(u8, PeerId)>) -> Beginning {
        self.order.1 += 1;
        Beginning { room: self.room, order: self.order, peers }
    }

    /// Ends a participant's link, if it has one, and one that is retired.
    pub(super) fn unlink(&mut self, id: &ParticipantId) {
        self.end_retired(id);
        let Some(assignment) = self.placement.release(id) else { return };
        self.is_changed = true;
        self.leave(assignment);
    }

    /// Has a peer leave that the placement has released.
    fn leave(&mut self, released: Assignment) {
        let Assignment { peer, place, changes_shards } = released;
        self.send_request(peer, place, Request::Leave);
        if changes_shards {
            self.update_span();
        }
        if let Some(node) = place.node
            && !self.placement.has_node(place.node)
        {
            self.nodes.remove(&node);
        }
    }

    /// Waits for the next message. Cancel-safe.
    pub(super) async fn next(&mut self) -> SfuMessage {
        if let Some(message) = self.pending.pop_front() {
            return message;
        }
        let event = tokio::select! {
            event = self.receiver.next() => event.map(RemoteSfuEvent::from),
            event = self.remote_receiver.recv() => match event {
                Some(RemoteEvent::Sfu(event)) => {
                    self.note_answer(&event);
                    Some(event)
                }
                Some(RemoteEvent::Ended(node, order, end)) => {
                    self.handle_ended(node, order, end);
                    return self.pending.pop_front().unwrap_or(SfuMessage::Stale);
                }
                None => None,
            },
        };
        // Never `None`: the port itself holds a sender of each.
        event.map_or(SfuMessage::Stale, |event| SfuMessage::of(&self.placement, event))
    }

    /// Notes that a peer's offer is answered: it is not to be repeated.
    fn note_answer(&mut self, event: &RemoteSfuEvent) {
        let Some(peer) = event.answered() else { return };
        let place = self.placement.current(peer).and_then(|id| self.placement.place(id));
        if let Some(node) = place.and_then(|place| place.node)
            && let Some(stream) = self.nodes.get_mut(&node)
        {
            stream.note_answer(peer);
        }
    }

    /// Handles the end of a node's stream, which is opened again if the node may be there.
    fn handle_ended(&mut self, node: NodeId, order: Order, end: StreamEnd) {
        // An earlier stream.
        if self.nodes.get(&node).is_none_or(|stream| stream.order() != order) {
            return;
        }
        let Some((cluster, stream)) = self.media.cluster.clone().zip(self.nodes.remove(&node))
        else {
            return;
        };
        let error = match end {
            StreamEnd::Unreached(error) => error,
            StreamEnd::Broken if stream.may_reopen() => {
                tracing::debug!(%node, "a stream of media links has broken, and is opened again");
                let shards = stream.shards();
                let beginning = self.beginning(self.placement.peers_on(Some(node)));
                let stream = stream.reopen(cluster, beginning, self.remote_events.clone());
                self.nodes.insert(node, stream);
                self.forget_told(Some(node), shards);
                return self.update_span();
            }
            StreamEnd::Broken => LinkError::Unreachable("its streams break".to_owned()),
        };
        self.handle_lost(&cluster, node, stream, &error);
    }

    /// Handles the loss of a node: has its participants begin new links. Links that never began there
    /// begin elsewhere.
    fn handle_lost(
        &mut self,
        cluster: &Cluster,
        node: NodeId,
        stream: RemoteNode,
        error: &LinkError,
    ) {
        cluster.note_unreached(node, error);
        self.told.retain(|place, _| place.node != Some(node));
        let lost = self.placement.links().filter(|(_, _, place)| place.node == Some(node));
        let lost: Vec<ParticipantId> = lost.map(|(id, ..)| id.clone()).collect();
        // Their participants have others.
        for id in self.placement.retired_on(node) {
            self.placement.release_retired(&id);
        }
        tracing::info!(%node, links = lost.len(), "media links on a node are lost, and begin anew");
        lost.iter().for_each(|id| self.placement.release_link(id));
        self.is_changed = true;
        if stream.has_begun() {
            let gone = error.tells_of_its_end().then_some(node);
            self.pending.extend(lost.into_iter().map(|id| SfuMessage::Lost(id, gone)));
        } else {
            for (peer, command) in stream.into_requests(self.room, &self.events) {
                let Some(id) = self.placement.current(peer).cloned() else { continue };
                let place = self.assign(&id, None).place;
                self.send_command(place, command);
            }
        }
        self.update_span();
    }

    /// Takes over links of the room's former node.
    fn adopt(&mut self, links: FrozenLinks) {
        let Some(cluster) = self.media.cluster.clone() else { return };
        let own = cluster.id();
        let mut nodes = HashMap::new();
        for link in links.into_links() {
            let place = if link.node == own {
                NodeShards { node: None, shards: self.media.shards.len() }
            } else {
                let node = nodes.entry(link.node).or_insert_with(|| cluster.media_node(link.node));
                // Its links begin anew.
                let Some(node) = node else {
                    self.placement.keep_peer(link.id, link.peer);
                    continue;
                };
                NodeShards { node: Some(node.id), shards: node.shards }
            };
            self.placement.restore(&link.id, link.peer, usize::from(link.shard), place);
        }
        self.media.host.take_back(
            self.room,
            self.order,
            &self.placement.peers_on(None),
            &self.events,
        );
        for node in nodes.into_values().flatten() {
            self.forget_told(Some(node.id), node.shards);
            let peers = self.placement.peers_on(Some(node.id));
            self.open_node(node, peers);
        }
        self.forget_told(None, self.media.shards.len());
        self.update_span();
    }

    /// Has shards of a node be told of others anew, whatever they were told before.
    fn forget_told(&mut self, node: Option<NodeId>, shards: usize) {
        let every = (0..shards).map(|shard| Place { node, shard });
        self.told.extend(every.map(|place| (place, Span::default())));
    }

    /// Leaves the links to the next node that has the room.
    pub(super) fn abandon(mut self) {
        self.nodes.drain().for_each(|(_, stream)| stream.cut());
        if self.placement.has_node(None) {
            let unused = event_channel();
            let receiver = std::mem::replace(&mut self.receiver, unused.1);
            self.media.host.keep(self.room, self.order, (self.events.clone(), receiver));
        }
        // Nothing is left to end.
        self.placement = Placement::new(self.room, Arc::clone(&self.media.numbers), 0);
    }

    /// Tells shards of the room's shards, where that has changed. Not needed while the room is on a
    /// single shard.
    fn update_span(&mut self) {
        let spans = self.placement.spans();
        let is_alone = spans.iter().map(|(_, shards)| shards.len()).sum::<usize>() < 2;
        let mut next = BTreeMap::new();
        for (index, (node, shards)) in spans.iter().enumerate() {
            let local: Vec<u16> =
                shards.iter().filter_map(|shard| u16::try_from(*shard).ok()).collect();
            for shard in shards.iter().copied() {
                let is_home = self.placement.home_on(*node) == Some(shard);
                let others = spans.iter().filter(|(other, _)| other != node);
                let span = Span {
                    shards: local.clone(),
                    remotes: others.flat_map(|span| self.remotes(span, is_home)).collect(),
                    tells_speakers: index == 0,
                };
                next.insert(Place { node: *node, shard }, span);
            }
        }
        let former: Vec<_> =
            self.told.keys().copied().filter(|place| !next.contains_key(place)).collect();
        for place in former {
            // Without itself in the list, a shard has no part in the room.
            self.send_span(place, Span::default());
        }
        for (place, span) in &next {
            let known = self.told.get(place);
            if known.is_none() && is_alone {
                continue;
            }
            if known != Some(span) {
                self.send_span(*place, span.clone());
            }
        }
        self.told = if is_alone { BTreeMap::new() } else { next };
    }

    /// The shards of another node with which one exchanges tracks: all, if it is where tracks of
    /// other nodes come in, else the other's of that kind.
    fn remotes(&self, span: &(Option<NodeId>, Vec<usize>), is_home: bool) -> Vec<RemoteShard> {
        let (node, shards) = span;
        let own = || self.media.cluster.as_ref().map(|cluster| cluster.id());
        let Some(id) = node.or_else(own) else { return Vec::new() };
        let home = self.placement.home_on(*node);
        let remotes = shards.iter().filter_map(|shard| {
            let is_ingress = home == Some(*shard);
            let number = shard_number(id.slot.value(), u8::try_from(*shard).ok()?);
            (is_home || is_ingress).then_some(RemoteShard { shard: number, is_ingress })
        });
        remotes.collect()
    }

    fn send_span(&mut self, place: Place, span: Span) {
        let (room, events) = (self.room, self.events.clone());
        self.send_command(place, RoomCommand::SetShards { room, span, events });
    }

    fn send_command(&mut self, place: Place, command: RoomCommand) {
        match place.node {
            Some(node) => {
                if let Some(stream) = self.nodes.get_mut(&node) {
                    stream.send(place.shard, command);
                }
            }
            None => {
                if let Some(commands) = self.media.shards.get(place.shard) {
                    commands.send(command);
                }
            }
        }
    }

    fn is_healthy(&self, shard: usize) -> bool {
        is_healthy(&self.media.shards, shard)
    }
}

/// Ends all links of the room, however it ends.
impl Drop for SfuPort {
    fn drop(&mut self) {
        for id in self.placement.ids() {
            self.unlink(&id);
        }
        self.media.host.forget(self.room, self.order);
    }
}

fn is_healthy(shards: &[RoomCommandSender], shard: usize) -> bool {
    shards.get(shard).is_some_and(RoomCommandSender::is_available)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shard::{Pulse, Waker, sfu};

    fn id(n: usize) -> ParticipantId {
        serde_json::from_value(format!("p{n}").into()).unwrap()
    }

    #[tokio::test]
    async fn stuck_or_gone_shard_rejects_its_own_links_only() {
        let pulses = [Arc::<Pulse>::default(), Arc::default()];
        let polls = [(); 2].map(|()| mio::Poll::new().unwrap());
        let shards = pulses.iter().zip(&polls).map(|(pulse, poll)| {
            sfu::room_commands(Arc::new(Waker::new(poll).unwrap()), Arc::clone(pulse))
        });
        let (senders, mut receivers): (Vec<_>, Vec<_>) = shards.unzip();
        let server = MediaServer::new(senders.into());
        let mut here = server.open(0);
        let there = server.open(0);
        here.send(&id(1), None, MediaRights::ALL, ToSfu::Publish(Vec::new()));
        assert!(receivers[0].try_next().is_some());
        pulses[0].set_stuck(true);
        assert!(here.can_send(&id(1), None), "a stuck shard may recover and has queue space");
        here.send(&id(2), None, MediaRights::ALL, ToSfu::Publish(Vec::new()));
        assert!(receivers[0].try_next().is_some(), "receives the new set of shards");
        assert!(receivers[0].is_empty() && !receivers[1].is_empty(), "new links begin elsewhere");
        drop(receivers.remove(0));
        assert!(!here.can_send(&id(1), None), "link on a gone shard");
        let can_send = |port: &SfuPort, n| port.can_send(&id(n), None);
        assert!(can_send(&here, 2) && can_send(&here, 3) && can_send(&there, 4));
    }
}
