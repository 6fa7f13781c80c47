//! The UDP sockets of a shard: those of the one port, and relayed ones.

use std::{
    cell::Cell,
    io,
    net::{IpAddr, SocketAddr},
};

use mio::{Interest, Registry, Token, net::UdpSocket};
use quinn_udp::{Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use turn::RelayId;

use super::{
    icmp_errors::{self, Undelivered},
    options::{codec, forbid_fragments, keep_errors, tune},
    port::Port,
    receive_buffer::{Ask, Batch, Inbox},
};

/// A socket, and whether runs may be handed to it whole.
pub(crate) struct Outlet {
    socket: UdpSocket,
    segments: Cell<bool>,
}

/// Names a socket of a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// One of the port's, by its place among them.
    Port(usize),
    /// A relayed one.
    Relay(RelayId),
}

impl Via {
    /// The name among the system's events.
    pub(crate) fn token(self) -> Token {
        match self {
            Self::Port(index) => Token(index * 2),
            Self::Relay(relay) => Token(relay.index() * 2 + 1),
        }
    }
}

impl Outlet {
    pub(crate) fn new(socket: Socket) -> Self {
        let socket = UdpSocket::from_std(socket.into());
        // Not on every system and device; sending tells.
        Self { socket, segments: Cell::new(cfg!(target_os = "linux")) }
    }

    /// Whether a run can be sent as one.
    pub(crate) fn takes_runs(&self) -> bool {
        self.segments.get()
    }

    /// Sends datagrams of `segment` bytes each, the last perhaps shorter; fails rather than waits.
    /// Returns how many were not sent.
    ///
    /// A system or device without segmentation offload refuses the first run (EIO, EINVAL): that
    /// and what follows is sent one by one. Any other failure is of this run alone, if not of a
    /// datagram sent before it.
    pub(crate) fn send(
        &self,
        codec: &UdpSocketState,
        source: Option<IpAddr>,
        to: SocketAddr,
        bytes: &[u8],
        segment: usize,
    ) -> u64 {
        let segment = segment.max(1);
        let count = bytes.len().div_ceil(segment).max(1);
        if count == 1 {
            return u64::from(self.send_one(codec, source, to, bytes).is_err());
        }
        if self.takes_runs() {
            let transmit = Transmit {
                destination: to,
                ecn: None,
                contents: bytes,
                segment_size: Some(segment),
                src_ip: source,
            };
            match twice(|| codec.try_send(UdpSockRef::from(&self.socket), &transmit)) {
                Ok(()) => return 0,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return count as u64,
                Err(error) if refuses_runs(&error) => {
                    tracing::debug!(%error, "no segmentation offload: datagrams are sent singly");
                    self.segments.set(false);
                }
                Err(error) => tracing::debug!(%error, "a run is sent singly"),
            }
        }
        let unsent = bytes.chunks(segment).map(|one| self.send_one(codec, source, to, one));
        unsent.filter(Result::is_err).count() as u64
    }

    /// Sends a datagram whole or not at all.
    pub(crate) fn send_whole(&self, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        forbid_fragments(&self.socket, to.is_ipv4(), true)?;
        let sent = twice(|| SockRef::from(&self.socket).send_to(bytes, &to.into()));
        forbid_fragments(&self.socket, to.is_ipv4(), false)?;
        sent.map(drop)
    }

    fn send_one(
        &self,
        codec: &UdpSocketState,
        source: Option<IpAddr>,
        to: SocketAddr,
        bytes: &[u8],
    ) -> io::Result<()> {
        if source.is_none() {
            let socket = SockRef::from(&self.socket);
            return twice(|| socket.send_to(bytes, &to.into())).map(drop);
        }
        let transmit = Transmit {
            destination: to,
            ecn: None,
            contents: bytes,
            segment_size: None,
            src_ip: source,
        };
        codec.try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}

/// Sends once more what seems to fail: the first failure may be that of a datagram sent before, of
/// which the system has just heard.
fn twice<T>(send: impl Fn() -> io::Result<T>) -> io::Result<T> {
    match send() {
        Err(error) if error.kind() != io::ErrorKind::WouldBlock && !refuses_runs(&error) => send(),
        sent => sent,
    }
}

/// Whether the system says so that it has no segmentation offload.
#[cfg(target_os = "linux")]
fn refuses_runs(error: &io::Error) -> bool {
    use nix::errno::Errno;

    let refusals = [Errno::EIO, Errno::EINVAL];
    error.raw_os_error().is_some_and(|raw| refusals.contains(&Errno::from_raw(raw)))
}

/// Elsewhere none is tried.
#[cfg(not(target_os = "linux"))]
fn refuses_runs(_error: &io::Error) -> bool {
    false
}

/// All sockets of a shard.
pub(crate) struct Outlets {
    pub(crate) codec: UdpSocketState,
    ports: Vec<(Port, Outlet)>,
    /// By [`RelayId::index`].
    relayed: Vec<Option<(RelayId, SocketAddr, Outlet)>>,
    registry: Registry,
}

impl Outlets {
    pub(crate) fn new(sockets: Vec<Socket>, registry: Registry) -> io::Result<Self> {
        let mut outlets =
            Self { codec: codec()?, ports: Vec::new(), relayed: Vec::new(), registry };
        for socket in sockets {
            let port = Port::new(&socket)?;
            let mut outlet = Outlet::new(socket);
            outlets.register(&mut outlet, Via::Port(outlets.ports.len()))?;
            outlets.ports.push((port, outlet));
        }
        Ok(outlets)
    }

    fn register(&self, outlet: &mut Outlet, via: Via) -> io::Result<()> {
        self.registry.register(&mut outlet.socket, via.token(), Interest::READABLE)
    }

    /// Opens a relayed socket, which is read from then on.
    pub(crate) fn open(&mut self, relay: RelayId, local: SocketAddr) -> io::Result<()> {
        let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
        if local.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        tune(&socket, false)?;
        keep_errors(&socket)?;
        socket.bind(&local.into())?;
        let mut outlet = Outlet::new(socket);
        self.register(&mut outlet, Via::Relay(relay))?;
        if self.relayed.len() <= relay.index() {
            self.relayed.resize_with(relay.index() + 1, || None);
        }
        if let Some(slot) = self.relayed.get_mut(relay.index()) {
            *slot = Some((relay, local, outlet));
        }
        Ok(())
    }

    /// Closes a relayed socket; says where it was bound.
    pub(crate) fn close(&mut self, relay: RelayId) -> Option<SocketAddr> {
        let slot = self.relayed.get_mut(relay.index())?;
        let (_, local, mut outlet) = slot.take_if(|(open, ..)| *open == relay)?;
        // Closing it would do on Linux.
        let _ = self.registry.deregister(&mut outlet.socket);
        Some(local)
    }

    /// How many relayed sockets are open.
    pub(crate) fn relays(&self) -> usize {
        self.relayed.iter().flatten().count()
    }

    /// The socket of that name.
    pub(crate) fn of(&self, via: Via) -> Option<&Outlet> {
        match via {
            Via::Port(index) => self.ports.get(index).map(|(_, outlet)| outlet),
            Via::Relay(relay) => {
                let found = self.relayed.get(relay.index())?.as_ref();
                found.filter(|(open, ..)| *open == relay).map(|(.., outlet)| outlet)
            }
        }
    }

    /// The name of the socket that the system speaks of.
    pub(crate) fn named(&self, token: Token) -> Option<Via> {
        let index = token.0 / 2;
        if token.0.is_multiple_of(2) {
            return self.ports.get(index).map(|_| Via::Port(index));
        }
        self.relayed.get(index)?.as_ref().map(|(relay, ..)| Via::Relay(*relay))
    }

    /// The port's socket by which packets from an address of ours leave, and the address to name as
    /// their source where the socket has several.
    pub(crate) fn leaving(&self, from: SocketAddr) -> Option<(Via, Option<IpAddr>)> {
        let (index, (port, _)) =
            self.ports.iter().enumerate().find(|(_, (port, _))| port.serves(from))?;
        Some((Via::Port(index), port.source(from.ip())))
    }

    /// Which of the port's sockets.
    pub(crate) fn port(&self, index: usize) -> Option<&Port> {
        self.ports.get(index).map(|(port, _)| port)
    }

    /// Receives a batch from a socket.
    pub(crate) fn receive(&self, via: Via, ask: Ask, inbox: &mut Inbox) -> io::Result<Batch> {
        let outlet = self.of(via).ok_or(io::ErrorKind::NotFound)?;
        outlet.socket.try_io(|| inbox.receive(&self.codec, UdpSockRef::from(&outlet.socket), ask))
    }

    /// The next that the network says of what a relayed socket has sent.
    pub(crate) fn undelivered(&self, relay: RelayId) -> Option<Undelivered> {
        icmp_errors::next(&self.of(Via::Relay(relay))?.socket)
    }
}
