//! Creation of the shards: binds their sockets and starts their threads.

use std::{collections::HashMap, io, net::SocketAddr, sync::Arc, thread};

use socket2::Socket;
use tokio::{runtime, sync::mpsc};
use turn::siblings::{self, Sibling};

use super::{
    command::CommandSender,
    handle::Handle,
    inter_shard::{Queue, ShardLinks, queues},
    node_links::NodeConfig,
    pulse::{self, Health, Pulse},
    sfu::{
        config::SfuConfigs,
        room_commands::{RoomCommandSender, room_commands},
    },
    thread::{Inputs, ShardParts, run_or_give_up},
    turn::{
        config::{Config as TurnConfig, TurnConfigs, dtls_endpoint},
        frozen::Restoring,
        peers::PeerConnections,
    },
    waker::Waker,
};
use crate::net::{
    inherited::InheritedSockets,
    reach::ReachLog,
    reachable::ReachableAddresses,
    udp::{self, KernelBuffers, UdpSockets},
};

/// Commands that may wait for a shard; their senders wait for room.
const MAX_COMMANDS: usize = 1024;

/// The configuration of the shards.
pub(crate) struct Config {
    /// The addresses of the UDP port.
    pub(crate) listen: Vec<SocketAddr>,
    /// The number of shards, from 1 to [`siblings::MAX_SIBLINGS`].
    pub(crate) shards: u8,
    pub(crate) turn: TurnConfig,
    /// The server's addresses at the start.
    pub(crate) reachable: ReachableAddresses,
    /// The log of what visitors proved.
    pub(crate) reach: ReachLog,
    /// Links to shards of other nodes, in a cluster.
    pub(crate) nodes: Option<NodeConfig>,
}

/// Running shards.
pub(crate) struct Started {
    pub(crate) handle: Handle,
    /// Duplicates of the sockets of the port, for the next process. Sockets of one address are in
    /// the order of the shards.
    pub(crate) sockets: Vec<Socket>,
}

/// An address could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("{address}: {error}")]
pub(crate) struct BindAddressError {
    pub(crate) address: SocketAddr,
    #[source]
    pub(crate) error: io::Error,
}

impl BindAddressError {
    /// An error that concerns no address: the system lacks threads, events or randomness.
    fn system(error: io::Error) -> Self {
        Self { address: SocketAddr::from(([0, 0, 0, 0], 0)), error }
    }
}

/// The default number of shards: one per core, where the kernel distributes datagrams over sockets.
pub(crate) fn default_shards() -> u8 {
    if cfg!(target_os = "linux") {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        u8::try_from(cores).unwrap_or(u8::MAX).min(siblings::MAX_SIBLINGS)
    } else {
        1
    }
}

/// Binds the UDP sockets and starts the shards.
///
/// # Errors
/// The first address that can't be bound. The address is 0.0.0.0:0 if the system lacks threads,
/// events or randomness.
pub(crate) fn start(
    config: &Config,
    inherited: &mut InheritedSockets,
) -> Result<Started, BindAddressError> {
    let family = Sibling::family(&config.turn.ports, config.shards);
    let seeds = family.into_iter().map(Seed::new).collect::<io::Result<Vec<_>>>();
    let mut seeds = seeds.map_err(BindAddressError::system)?;
    // All are bound before any is read: the kernel distributes the first datagram over all of them.
    bind_all(config, &mut seeds, inherited)?;
    let ports = config.nodes.as_ref().map_or_else(
        || Ok(Vec::new()),
        |nodes| {
            let bound = bind_for_nodes(nodes, &mut seeds);
            bound.map_err(|error| BindAddressError { address: SocketAddr::new(nodes.ip, 0), error })
        },
    )?;
    let buffers = smallest_buffers(&seeds);
    let sockets = seeds.iter().flat_map(|seed| &seed.sockets).map(Socket::try_clone);
    let sockets = sockets.collect::<io::Result<_>>().map_err(BindAddressError::system)?;
    let relayed = inherited.take_relayed();
    let pulses: Vec<_> = seeds.iter().map(|seed| Arc::clone(&seed.pulse)).collect();
    let shards = spawn_all(config, seeds, &pulses, relayed).map_err(BindAddressError::system)?;
    let (commands, room_commands) = shards.into_iter().unzip();
    let health = Health(pulses.into());
    let reach = config.reach.clone();
    let nodes = config.nodes.as_ref();
    let unreached = nodes.map(|nodes| nodes.unreached.clone()).unwrap_or_default();
    let handle = Handle::new(commands, room_commands, health, buffers, reach, ports, unreached);
    Ok(Started { handle, sockets })
}

/// The smallest kernel buffers among all sockets.
fn smallest_buffers(seeds: &[Seed]) -> Option<KernelBuffers> {
    let sockets = seeds.iter().flat_map(|seed| &seed.sockets);
    let buffers = sockets.filter_map(|socket| KernelBuffers::of(socket).ok());
    let smallest = buffers.reduce(KernelBuffers::min)?;
    if let Some(remedy) = smallest.remedy() {
        tracing::warn!(
            receive = smallest.receive,
            send = smallest.send,
            "the system grants small UDP buffers, so bursts may lose packets: run `{remedy}`, and \
             write these lines to /etc/sysctl.d/60-moim.conf to keep them"
        );
    }
    Some(smallest)
}

/// The parts of a shard that exist before its sockets are bound.
struct Seed {
    sibling: Sibling,
    poll: mio::Poll,
    waker: Arc<Waker>,
    pulse: Arc<Pulse>,
    sockets: Vec<Socket>,
    /// For other nodes.
    node_socket: Option<Socket>,
    /// What it continues of the process before, if there was one.
    restoring: Option<Restoring>,
}

impl Seed {
    fn new(sibling: Sibling) -> io::Result<Self> {
        let poll = mio::Poll::new()?;
        let waker = Arc::new(Waker::new(&poll)?);
        Ok(Self {
            sibling,
            poll,
            waker,
            pulse: Arc::default(),
            sockets: Vec::new(),
            node_socket: None,
            restoring: None,
        })
    }
}

fn bind_all(
    config: &Config,
    seeds: &mut [Seed],
    inherited: &mut InheritedSockets,
) -> Result<(), BindAddressError> {
    let discovery = config.turn.discovery.iter().flat_map(turn::Discovery::addresses);
    let others = discovery.filter(|address| !config.listen.contains(address));
    for address in config.listen.iter().copied().chain(others) {
        let bound = match inherited.take_udp(address, seeds.len()) {
            Some(sockets) => udp::adopt(sockets, address),
            None => inherited.bind(|| udp::bind(address, seeds.len())),
        };
        let bound = bound.map_err(|error| BindAddressError { address, error })?;
        for (seed, socket) in seeds.iter_mut().zip(bound) {
            seed.sockets.push(socket);
        }
    }
    Ok(())
}

/// Binds a socket for other nodes for each shard. Returns their ports.
fn bind_for_nodes(nodes: &NodeConfig, seeds: &mut [Seed]) -> io::Result<Vec<u16>> {
    let bind = |seed: &mut Seed| {
        let (socket, port) = udp::bind_for_nodes(nodes.ip)?;
        seed.node_socket = Some(socket);
        Ok(port)
    };
    seeds.iter_mut().map(bind).collect()
}

fn spawn_all(
    config: &Config,
    mut seeds: Vec<Seed>,
    pulses: &[Arc<Pulse>],
    mut relayed: HashMap<SocketAddr, Socket>,
) -> io::Result<Vec<(CommandSender, RoomCommandSender)>> {
    if let Some(handover) = &config.turn.state.handover {
        let ports: Vec<_> = seeds.iter().map(|seed| seed.sibling.ports()).collect();
        for (seed, restoring) in seeds.iter_mut().zip(handover.for_shards(&ports)) {
            seed.restoring = Some(restoring);
        }
    }
    let wakers: Vec<_> = seeds.iter().map(|seed| Arc::clone(&seed.waker)).collect();
    let shared = Shared {
        queues: queues(&wakers),
        turn: TurnConfigs::new(&config.turn, &config.reachable)?,
        sfu: SfuConfigs::new(&config.reachable),
    };
    let shards = seeds.into_iter().map(|seed| spawn(seed, config, &shared, &mut relayed));
    let shards = shards.collect::<io::Result<_>>()?;
    pulse::watch(pulses)?;
    Ok(shards)
}

/// Parts that all shards have in common.
struct Shared<'a> {
    queues: Arc<[Queue]>,
    turn: TurnConfigs<'a>,
    sfu: SfuConfigs,
}

/// Starts the thread of one shard. Everything that the system may refuse is requested here, where
/// an error reaches the operator.
fn spawn(
    seed: Seed,
    config: &Config,
    shared: &Shared<'_>,
    relayed: &mut HashMap<SocketAddr, Socket>,
) -> io::Result<(CommandSender, RoomCommandSender)> {
    let index = seed.sibling.index();
    let (sender, commands) = mpsc::channel(MAX_COMMANDS);
    let sender = CommandSender::new(sender, Arc::clone(&seed.waker));
    let (room_sender, room_commands) = room_commands(seed.waker, Arc::clone(&seed.pulse));
    let registry = seed.poll.registry().try_clone()?;
    let mut sockets = UdpSockets::new(seed.sockets, registry)?;
    seed.node_socket.map(|socket| sockets.open_node(socket)).transpose()?;
    let addresses = seed.restoring.iter().flat_map(Restoring::local_addresses);
    sockets.inherit(addresses.filter_map(|address| relayed.remove_entry(&address)).collect());
    let parts = ShardParts {
        restoring: seed.restoring,
        turn: shared.turn.for_shard(&seed.sibling),
        sfu: shared.sfu.for_shard(index.into())?,
        sibling: seed.sibling,
        inputs: Inputs { poll: seed.poll, commands, room_commands },
        sockets,
        links: ShardLinks::new(index, Arc::clone(&shared.queues)),
        dtls: dtls_endpoint(&config.turn)?,
        peers: PeerConnections::new(runtime::Handle::current(), sender.clone()),
        pulse: seed.pulse,
        reach: config.reach.for_shard(),
        nodes: config.nodes.clone(),
    };
    let thread = thread::Builder::new().name(format!("shard {index}"));
    thread.spawn(move || run_or_give_up(parts))?;
    Ok((sender, room_sender))
}
