//! The UDP sockets of a shard: those of the port, and those of relayed addresses.

use std::{
    collections::{HashMap, HashSet},
    io,
    net::{IpAddr, SocketAddr},
};

use mio::{Registry, Token};
use quinn_udp::UdpSocketState;
use socket2::{Domain, Protocol, Socket, Type};
use turn::RelayId;

use super::{
    bind::BoundAddress,
    icmp_errors::IcmpReport,
    options::{enable_error_queue, set_options, shared_state},
    receive_buffer::{BatchSize, ReceiveBuffer, ReceivedBatch},
    socket::UdpSocket,
};

/// Identifies a socket of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketId {
    /// A socket of the port, by its index.
    Port(usize),
    /// The socket of a relayed address.
    Relayed(RelayId),
    /// The socket for other nodes of the cluster.
    Node,
}

/// The token of [`SocketId::Node`]: no relayed address has this index.
const NODE_TOKEN: Token = Token(usize::MAX - 2);

impl SocketId {
    /// The socket's token in mio events.
    fn token(self) -> Token {
        match self {
            Self::Port(index) => Token(index * 2),
            Self::Relayed(relay) => Token(relay.index() * 2 + 1),
            Self::Node => NODE_TOKEN,
        }
    }

    /// The socket's index among those of its kind.
    pub(super) fn index(self) -> usize {
        match self {
            Self::Port(index) => index,
            Self::Relayed(relay) => relay.index(),
            Self::Node => 0,
        }
    }
}

/// All UDP sockets of a shard.
pub(crate) struct UdpSockets {
    pub(super) state: UdpSocketState,
    port: Vec<PortSocket>,
    /// By [`RelayId::index`].
    relayed: Vec<Option<RelayedSocket>>,
    /// For other nodes of the cluster.
    node: Option<UdpSocket>,
    /// Sockets of relayed addresses that the process before had open.
    inherited: HashMap<SocketAddr, Socket>,
    registry: Registry,
}

struct PortSocket {
    bound: BoundAddress,
    socket: UdpSocket,
}

struct RelayedSocket {
    id: RelayId,
    local: SocketAddr,
    socket: UdpSocket,
}

impl UdpSockets {
    /// Registers the bound sockets of the port.
    pub(crate) fn new(port: Vec<Socket>, registry: Registry) -> io::Result<Self> {
        let register = |(index, socket): (usize, Socket)| {
            let bound = BoundAddress::of(&socket)?;
            let mut socket = UdpSocket::new(socket);
            socket.register(&registry, SocketId::Port(index).token())?;
            Ok(PortSocket { bound, socket })
        };
        let port = port.into_iter().enumerate().map(register).collect::<io::Result<_>>()?;
        let (relayed, inherited) = (Vec::new(), HashMap::new());
        Ok(Self { state: shared_state()?, port, relayed, node: None, inherited, registry })
    }

    /// Registers the bound socket for other nodes.
    pub(crate) fn open_node(&mut self, socket: Socket) -> io::Result<()> {
        let mut socket = UdpSocket::new(socket);
        socket.register(&self.registry, NODE_TOKEN)?;
        self.node = Some(socket);
        Ok(())
    }

    /// Has the kernel tell when datagrams of the port were received, or no longer.
    pub(crate) fn tell_receive_times(&self, on: bool) {
        for port in &self.port {
            if let Err(error) = port.socket.tell_receive_times(on) {
                tracing::debug!(%error, "can't ask for times of receipt");
            }
        }
    }

    /// Takes sockets that [`Self::open`] uses in place of new ones.
    pub(crate) fn inherit(&mut self, relayed: HashMap<SocketAddr, Socket>) {
        self.inherited = relayed;
    }

    /// Opens and registers the socket of a relayed address.
    pub(crate) fn open(&mut self, id: RelayId, local: SocketAddr) -> io::Result<()> {
        let inherited = self.inherited.remove(&local);
        let is_new = inherited.is_none();
        let socket = inherited.map_or_else(
            || Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP)),
            Ok,
        )?;
        if local.is_ipv6() && is_new {
            socket.set_only_v6(true)?;
        }
        set_options(&socket, false)?;
        enable_error_queue(&socket)?;
        if is_new {
            socket.bind(&local.into())?;
        }
        let mut socket = UdpSocket::new(socket);
        socket.register(&self.registry, SocketId::Relayed(id).token())?;
        if self.relayed.len() <= id.index() {
            self.relayed.resize_with(id.index() + 1, || None);
        }
        if let Some(slot) = self.relayed.get_mut(id.index()) {
            *slot = Some(RelayedSocket { id, local, socket });
        }
        Ok(())
    }

    /// Duplicates the sockets of these relayed addresses, as far as the system has descriptors.
    pub(crate) fn duplicate_relayed(&self, addresses: &HashSet<SocketAddr>) -> Vec<Socket> {
        let relayed = self.relayed.iter().flatten();
        let wanted = relayed.filter(|relayed| addresses.contains(&relayed.local));
        wanted.map_while(|relayed| relayed.socket.duplicate().ok()).collect()
    }

    /// Closes the socket of a relayed address and returns that address.
    pub(crate) fn close(&mut self, id: RelayId) -> Option<SocketAddr> {
        let slot = self.relayed.get_mut(id.index())?;
        let mut relayed = slot.take_if(|relayed| relayed.id == id)?;
        // On Linux closing the socket would suffice.
        let _ = relayed.socket.deregister(&self.registry);
        Some(relayed.local)
    }

    /// Counts the open relayed sockets.
    pub(crate) fn relayed(&self) -> usize {
        self.relayed.iter().flatten().count()
    }

    pub(super) fn get(&self, id: SocketId) -> Option<&UdpSocket> {
        match id {
            SocketId::Port(index) => self.port.get(index).map(|port| &port.socket),
            SocketId::Relayed(relay) => {
                let relayed = self.relayed.get(relay.index())?.as_ref();
                relayed.filter(|relayed| relayed.id == relay).map(|relayed| &relayed.socket)
            }
            SocketId::Node => self.node.as_ref(),
        }
    }

    /// The socket of a mio event.
    pub(crate) fn by_token(&self, token: Token) -> Option<SocketId> {
        if token == NODE_TOKEN {
            return self.node.as_ref().map(|_| SocketId::Node);
        }
        let index = token.0 / 2;
        if token.0.is_multiple_of(2) {
            return self.port.get(index).map(|_| SocketId::Port(index));
        }
        self.relayed.get(index)?.as_ref().map(|relayed| SocketId::Relayed(relayed.id))
    }

    /// The port's socket that sends packets from `from`, an address of ours, and the source address
    /// to set on them where the socket has several.
    pub(crate) fn sending_from(&self, from: SocketAddr) -> Option<(SocketId, Option<IpAddr>)> {
        let (index, port) =
            self.port.iter().enumerate().find(|(_, port)| port.bound.contains(from))?;
        Some((SocketId::Port(index), port.bound.source(from.ip())))
    }

    /// The address that a socket of the port is bound to.
    pub(crate) fn bound_address(&self, index: usize) -> Option<BoundAddress> {
        self.port.get(index).map(|port| port.bound)
    }

    /// Receives a batch from a socket.
    pub(crate) fn receive(
        &self,
        id: SocketId,
        size: BatchSize,
        buffer: &mut ReceiveBuffer,
    ) -> io::Result<ReceivedBatch> {
        let socket = self.get(id).ok_or(io::ErrorKind::NotFound)?;
        socket.receive(&self.state, size, buffer)
    }

    /// Sends a datagram from a relayed address with the don't-fragment flag.
    pub(crate) fn send_unfragmented(
        &self,
        relay: RelayId,
        to: SocketAddr,
        bytes: &[u8],
    ) -> io::Result<()> {
        let socket = self.get(SocketId::Relayed(relay)).ok_or(io::ErrorKind::NotFound)?;
        socket.send_unfragmented(to, bytes)
    }

    /// Takes the next ICMP error for a datagram sent from a relayed address.
    pub(crate) fn next_icmp_error(&self, relay: RelayId) -> Option<IcmpReport> {
        self.get(SocketId::Relayed(relay))?.next_icmp_error()
    }
}
