//! The server among the others of its cluster: its lease at the engine, and which others are there.
//!
//! A server alone has no [`Cluster`], and contacts nothing.

mod frame;
mod frames;
mod handing_over;
mod identity;
mod keys;
mod links;
mod media_nodes;
mod ownership;
mod session_head;
mod status;
mod unkept;

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context;
use aws_lc_rs::hmac;
use axum::{
    body::Body,
    http::{Request, Response},
};
pub(crate) use cluster::RoomKey;
use cluster::{Answer, Card, Member, NodeId, NodeState, Slot, Unanswered};
use cluster_redis::Engine;
use hyper::body::Incoming;
use parking_lot::Mutex;
use rustls::ServerConfig;
use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::sleep_until,
};

pub(crate) use self::{
    frame::Frame,
    frames::Frames,
    handing_over::{DRAINING_PATH, TAKE_PATH},
    identity::{MediaTls, media_tls},
    links::{LinkError, Service, TO as NODE_HEADER},
    media_nodes::MediaNode,
    ownership::{Claim, Held, Place, Unplaced},
    status::{ClusterStatus, NodeStatus},
    unkept::{HELD_PATH, PLACE_PATH},
};
use self::{
    identity::Identity,
    links::Links,
    media_nodes::UnreachedNodes,
    ownership::Rooms,
    session_head::{SESSION_HEAD, session_head},
};
use crate::{config::ClusterConfig, net::drain::Drain, shard};

/// Requests of the member that may be on their way: a renewal and a look at the others.
const MAX_REQUESTS: usize = 2;
/// Nodes whose addresses are remembered; with more, those that are gone are forgotten.
const MAX_ADDRESSES: usize = 2048;
/// Time after its lease for which a node is asked for rooms.
const RECENT: Duration = Duration::from_secs(10);
/// Time after which the card is written anew.
const CARD_INTERVAL: Duration = Duration::from_secs(2);

/// The own server as a node of its cluster. It leaves when this is dropped: its lease ends by itself.
pub(crate) struct Cluster {
    engine: Engine,
    member: Arc<Mutex<Membership>>,
    rooms: Arc<Rooms>,
    links: Arc<Links>,
    /// Nodes that a room's stream has not reached.
    unreached_nodes: Mutex<UnreachedNodes>,
    /// TLS of connections by other nodes.
    server: Arc<ServerConfig>,
    /// Key of rooms' names.
    names: hmac::Key,
    /// Counts moments after which others may have claimed rooms of this node.
    doubts: watch::Receiver<u64>,
    /// Rooms whose log the engine does not take.
    unkept: AtomicI64,
    /// Rooms that were claimed, and those that another node had claimed.
    claims: AtomicU64,
    fenced: AtomicU64,
    drain: Drain,
    /// Nodes without a link for media.
    unreached: shard::Unreached,
    task: JoinHandle<()>,
}

/// State shared with the task.
struct Membership {
    member: Member,
    /// The lease was held at least once.
    was_leased: bool,
    /// Times that the lease had ended and was held again.
    regained: u64,
    /// When the engine was there again after it had been away, or had lost its memory.
    returned_at: Option<Instant>,
    /// Addresses of nodes and when they were known to be leased, also of those whose leases have ended.
    addresses: HashMap<NodeId, (SocketAddr, Instant)>,
}

impl Cluster {
    /// Joins the cluster, now or as soon as its engine can be reached. Must be called within a tokio
    /// runtime.
    ///
    /// # Errors
    /// A message for the operator.
    pub(crate) fn join(
        config: &ClusterConfig,
        address: SocketAddr,
        drain: Drain,
        shards: shard::Handle,
    ) -> anyhow::Result<Self> {
        let secret = keys::derive(&config.key, "engine");
        let engine = Engine::open(config.endpoint.clone(), &secret)
            .context("The key of the cluster can't be used")?;
        let boot = getrandom::u64().context("The system can't provide random bytes")?;
        // Any slot does: one that is taken is left for the next.
        let slot = u16::try_from(boot % 1023 + 1).ok().and_then(Slot::new);
        let slot = slot.context("There is no slot")?;
        let identity = Identity::new(&config.key).context("No certificate for other nodes")?;
        let (media_ports, unreached) = (shards.media_ports(), shards.unreached());
        let own = OwnCard { address, media_ports, drain: drain.clone(), health: shards.health() };
        let member = Member::new(Instant::now(), slot, boot, own.card());
        let addresses = HashMap::new();
        let (was_leased, regained, returned_at) = (false, 0, None);
        let member = Membership { member, was_leased, regained, returned_at, addresses };
        let member = Arc::new(Mutex::new(member));
        let (sender, doubts) = watch::channel(0);
        let links = Arc::new(Links::new(identity.client));
        let keeper = Keeper {
            engine: engine.clone(),
            member: Arc::clone(&member),
            links: Arc::clone(&links),
            doubts: sender,
            own,
            shards: media_nodes::begin_telling(shards),
        };
        Ok(Self {
            engine,
            member,
            rooms: Arc::default(),
            links,
            unreached_nodes: Mutex::default(),
            server: identity.server,
            names: hmac::Key::new(hmac::HMAC_SHA256, &keys::derive(&config.key, "names of rooms")),
            doubts,
            unkept: AtomicI64::new(0),
            claims: AtomicU64::new(0),
            fenced: AtomicU64::new(0),
            drain,
            unreached,
            task: tokio::spawn(keeper.run()),
        })
    }

    /// A room's name to the engine and other nodes, which tells nothing of it.
    pub(crate) fn key_of(&self, name: &str) -> RoomKey {
        let tag = hmac::sign(&self.names, name.as_bytes());
        let mut key = [0; 16];
        key.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        RoomKey(key)
    }

    /// TLS of connections by other nodes.
    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.server)
    }

    /// True if another node means this one by an id.
    pub(crate) fn is_called(&self, id: &str) -> bool {
        self.member.lock().member.id().to_string() == id
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Changes after the lease had ended and after each new connection to the engine.
    pub(crate) fn doubts(&self) -> watch::Receiver<u64> {
        self.doubts.clone()
    }

    /// Opens a stream to another node.
    ///
    /// # Errors
    /// The node can't be reached, or is another one.
    pub(crate) async fn open_stream(
        &self,
        node: NodeId,
        address: SocketAddr,
        service: Service,
        body: Body,
    ) -> Result<Response<Incoming>, LinkError> {
        let opened = self.links.open(node, address, service, body).await;
        self.note_gone(node, &opened).await;
        opened
    }

    /// Ends the lease of a node whose process is gone, so that others need not wait for its end. If it
    /// lives after all, the engine refuses its entries in rooms that were claimed meanwhile.
    async fn note_gone<T>(&self, node: NodeId, sent: &Result<T, LinkError>) {
        if !matches!(sent, Err(LinkError::Gone)) {
            return;
        }
        let answer = self.engine.request(cluster::Request::Depose { node }).await;
        if matches!(answer, Ok(Answer::Deposed)) {
            tracing::info!(%node, "a node's process is gone: its lease was ended");
            self.member.lock().member.handle_deposed(node);
        }
    }

    /// Passes a client's request to another node.
    ///
    /// # Errors
    /// The node can't be reached, or ends before it answers.
    pub(crate) async fn pass_request(
        &self,
        node: NodeId,
        address: SocketAddr,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, LinkError> {
        let sent = self.links.send(node, address, request).await;
        self.note_gone(node, &sent).await;
        sent
    }

    /// The other nodes, with their addresses.
    pub(crate) fn others(&self) -> Vec<(NodeId, SocketAddr)> {
        let membership = self.member.lock();
        let others = membership.member.others();
        others.filter_map(|(node, card)| Some((node, card.address?))).collect()
    }

    /// The head of ids of this node's Socket.IO sessions, by which other nodes know whose they are.
    pub(crate) fn session_head(&self) -> String {
        session_head(self.member.lock().member.id())
    }

    /// The other node that has a Socket.IO session, by its id.
    pub(crate) fn node_of_session(&self, sid: &str) -> Option<(NodeId, SocketAddr)> {
        let head = sid.get(..SESSION_HEAD)?;
        self.reachable(|node| session_head(node) == head)
    }

    /// The address of a node whose lease has ended, if it can be reached all the same.
    async fn reach(&self, node: NodeId) -> Option<SocketAddr> {
        let address = self.member.lock().addresses.get(&node).map(|(address, _)| *address);
        let address = address.or_else(|| self.address_of(node))?;
        self.links.reach(node, address).await.then_some(address)
    }

    /// Another node, and the address at which this one reaches it: as its lease tells, or as it is
    /// connected, since an engine that lost its memory knows no nodes for a moment.
    fn reachable(&self, is_meant: impl Fn(NodeId) -> bool) -> Option<(NodeId, SocketAddr)> {
        let told = {
            let membership = self.member.lock();
            let mut others = membership.member.others();
            others.find(|(node, _)| is_meant(*node)).map(|(node, card)| (node, card.address))
        };
        if let Some((node, Some(address))) = told {
            return Some((node, address));
        }
        self.links.connected().into_iter().find(|(node, _)| is_meant(*node))
    }

    /// Takes the claim of a room that is about to be opened. The room is this node's as long as the
    /// second value lives.
    pub(crate) fn take_claim(&self, key: RoomKey) -> Option<(Claim, Held)> {
        self.rooms.take(key)
    }

    /// Forgets a claim that nobody took.
    pub(crate) fn forget_claim(&self, key: RoomKey) {
        self.rooms.forget(key);
    }

    /// Wakes [those that wait](Self::until_open) for a room to open.
    pub(crate) fn note_opened(&self) {
        self.rooms.note_change();
    }

    /// Waits until a room of this node is found, or has closed.
    pub(crate) async fn until_open(&self, key: RoomKey, is_found: impl Fn() -> bool) {
        self.rooms.wait_until(|| is_found() || !self.rooms.is_open(key)).await;
    }

    /// Counts a room whose log the engine does not take, or takes again.
    pub(crate) fn note_unkept(&self, is_unkept: bool) {
        self.unkept.fetch_add(if is_unkept { 1 } else { -1 }, Ordering::Relaxed);
    }

    /// Counts a room that another node has claimed.
    pub(crate) fn note_fenced(&self) {
        self.fenced.fetch_add(1, Ordering::Relaxed);
    }

    /// The state of the node and what it knows of others.
    pub(crate) fn status(&self) -> ClusterStatus {
        let engine = self.engine.status();
        let membership = self.member.lock();
        let Membership { member, was_leased, regained, .. } = &*membership;
        let node = |node: cluster::NodeId, card: &Card, is_own| NodeStatus {
            node: node.to_string(),
            is_own,
            state: card.state,
            load: card.load,
            no_media: self.unreached.reason(node.slot.value()),
        };
        let own = node(member.id(), member.card(), true);
        let mut nodes = vec![own];
        nodes.extend(member.others().map(|(other, card)| node(other, card, false)));
        ClusterStatus {
            endpoint: self.engine.endpoint().to_string(),
            engine,
            is_leased: member.is_leased(Instant::now()),
            was_leased: *was_leased,
            regained: *regained,
            rooms: self.rooms.open(),
            unkept: self.unkept.load(Ordering::Relaxed),
            claims: self.claims.load(Ordering::Relaxed),
            fenced: self.fenced.load(Ordering::Relaxed),
            nodes,
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The sources of the own card.
struct OwnCard {
    address: SocketAddr,
    media_ports: Arc<[u16]>,
    drain: Drain,
    health: shard::Health,
}

impl OwnCard {
    fn card(&self) -> Card {
        let is_draining = self.drain.has_begun();
        let state = if is_draining { NodeState::Draining } else { NodeState::Serving };
        let busiest = self.health.busy_permille().into_iter().max().unwrap_or_default();
        let load = u8::try_from(busiest.div_ceil(10)).unwrap_or(100);
        let media = self.media_ports.to_vec();
        Card { state, load, url: None, address: Some(self.address), media }
    }
}

impl Membership {
    fn note_addresses(&mut self, now: Instant) {
        if self.addresses.len() > MAX_ADDRESSES {
            self.addresses.clear();
        }
        let others = self.member.others();
        let told = others.filter_map(|(node, card)| Some((node, (card.address?, now))));
        self.addresses.extend(told);
    }

    /// Other nodes that may be there: an engine that was away may not list all of them yet.
    fn recent(&self) -> Vec<(NodeId, SocketAddr)> {
        let known = self.addresses.iter();
        let recent = known.filter(|(_, (_, at))| at.elapsed() < RECENT);
        recent.map(|(node, (address, _))| (*node, *address)).collect()
    }
}

/// Keeps the lease.
struct Keeper {
    engine: Engine,
    member: Arc<Mutex<Membership>>,
    links: Arc<Links>,
    doubts: watch::Sender<u64>,
    own: OwnCard,
    /// Tells the shards of other nodes.
    shards: watch::Sender<shard::NodeTable>,
}

impl Keeper {
    async fn run(self) {
        let (sender, mut answers) = mpsc::channel(MAX_REQUESTS);
        let mut card_at = Instant::now();
        let mut losses = 0;
        let mut connections = 1;
        let mut log = StatusLog::default();
        let mut drain = self.own.drain.clone();
        loop {
            let now = Instant::now();
            if now >= card_at {
                card_at = now + CARD_INTERVAL;
                self.member.lock().member.set_card(self.own.card());
            }
            while let Some((id, request)) = self.poll_request(now) {
                let (engine, sender) = (self.engine.clone(), sender.clone());
                tokio::spawn(async move {
                    let answer = engine.request(request).await.map_err(Unanswered::from);
                    // Without a receiver nobody asks any more.
                    let _ = sender.send((id, answer)).await;
                });
            }
            let due = self.member.lock().member.poll_timeout();
            let due = due.map_or(card_at, |due| due.min(card_at));
            tokio::select! {
                Some((id, answer)) = answers.recv() => self.handle(&mut losses, id, answer),
                () = sleep_until(due.into()) => {}
                // The next renewal tells it.
                () = drain.beginning(), if !self.is_told() => card_at = Instant::now(),
            }
            let made = self.engine.status().connections;
            if made > connections {
                connections = made;
                self.member.lock().returned_at = Some(now);
                self.doubts.send_modify(|doubts| *doubts += 1);
            }
            self.hear();
            media_nodes::tell(&self.shards, &self.member.lock().member);
            log.update(&self.engine, &self.member.lock());
        }
    }

    /// The own card tells that this node drains.
    fn is_told(&self) -> bool {
        self.member.lock().member.card().state == NodeState::Draining
    }

    /// Nodes whose connections answer are there, whatever their leases.
    fn hear(&self) {
        let mut membership = self.member.lock();
        let leased: Vec<_> = membership.member.others().map(|(node, _)| node).collect();
        let now = Instant::now();
        for node in self.links.keep(|node| leased.contains(&node)) {
            membership.member.handle_message(now, node);
        }
    }

    fn poll_request(&self, now: Instant) -> Option<(u64, cluster::Request)> {
        self.member.lock().member.poll_request(now)
    }

    fn handle(&self, losses: &mut u64, id: u64, answer: Result<Answer, Unanswered>) {
        let (now, lost) = (Instant::now(), self.engine.status().losses);
        let mut membership = self.member.lock();
        if std::mem::replace(losses, lost) != lost {
            // Nodes that the engine does not list may be there all the same.
            membership.member.handle_amnesia(now);
            membership.returned_at = Some(now);
        }
        membership.member.handle_answer(now, id, answer);
        membership.was_leased |= membership.member.is_leased(now);
        membership.note_addresses(now);
        if membership.member.poll_regained() {
            membership.regained += 1;
            membership.returned_at = Some(now);
            self.doubts.send_modify(|doubts| *doubts += 1);
        }
    }
}

/// Tells the operator what changed.
#[derive(Default)]
struct StatusLog {
    is_leased: bool,
    failure: Option<cluster_redis::ConnectError>,
}

impl StatusLog {
    fn update(&mut self, engine: &Engine, membership: &Membership) {
        let is_leased = membership.member.is_leased(Instant::now());
        if is_leased != self.is_leased {
            self.is_leased = is_leased;
            let node = membership.member.id();
            match is_leased {
                true => tracing::info!(%node, "in the cluster"),
                false => tracing::warn!(%node, "the lease in the cluster has ended"),
            }
        }
        let failure = engine.status().failure;
        if failure != self.failure {
            if let Some(failure) = &failure {
                tracing::warn!("the cluster's engine {} {failure}", engine.endpoint());
            }
            self.failure = failure;
        }
    }
}
