//! UDP sockets: those of the port, in batches and knowing the address a datagram came to, and the
//! relayed ones.

use std::{
    io::{self, IoSliceMut},
    net::{IpAddr, SocketAddr},
};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{io::Interest, net::UdpSocket};
use turn::OpenFailed;

/// What the kernel may hold for the port while the shard is busy.
const PORT_BUFFER: usize = 4 * 1024 * 1024;

/// No datagram, and no run of datagrams the kernel joins, is longer.
pub(super) const LONGEST: usize = 64 * 1024;

/// Takes the port on one address. IPv6 sockets take IPv6 only, so that every IPv4 client is IPv4.
pub(super) fn bind(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    // As much as the system lets us have.
    let _ = socket.set_recv_buffer_size(PORT_BUFFER);
    let _ = socket.set_send_buffer_size(PORT_BUFFER);
    socket.bind(&address.into())?;
    Ok(socket.into())
}

/// Opens a relayed socket.
pub(super) fn relayed(local: SocketAddr) -> Result<UdpSocket, OpenFailed> {
    let open = || {
        let socket = Socket::new(Domain::for_address(local), Type::DGRAM, Some(Protocol::UDP))?;
        if local.is_ipv6() {
            socket.set_only_v6(true)?;
        }
        socket.set_nonblocking(true)?;
        socket.bind(&local.into())?;
        UdpSocket::from_std(socket.into())
    };
    open().map_err(|error: io::Error| match error.kind() {
        io::ErrorKind::AddrInUse => OpenFailed::PortTaken,
        _ => {
            tracing::warn!(%local, %error, "can't open a relayed socket");
            OpenFailed::NoSocket
        }
    })
}

/// Sends from a relayed socket; fails rather than waits.
pub(super) fn send(socket: &UdpSocket, to: SocketAddr, bytes: &[u8]) -> io::Result<usize> {
    SockRef::from(socket).send_to(bytes, &to.into())
}

/// One UDP socket of the port.
pub(super) struct PortSocket {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
}

impl PortSocket {
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        let local = socket.local_addr()?;
        Ok(Self { socket: UdpSocket::from_std(socket)?, state, local })
    }

    /// Returns once there may be something to receive.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.socket.readable().await
    }

    /// Whether packets from `server` leave by this socket.
    pub(super) fn serves(&self, server: SocketAddr) -> bool {
        let any = self.local.ip().is_unspecified() && self.local.is_ipv4() == server.is_ipv4();
        self.local.port() == server.port() && (any || self.local.ip() == server.ip())
    }

    /// Receives a batch; its datagrams are in the inbox until the next.
    pub(super) fn receive(&self, inbox: &mut Inbox) -> io::Result<usize> {
        self.socket.try_io(Interest::READABLE, || {
            let mut slices = inbox.buffer.chunks_mut(LONGEST).map(IoSliceMut::new);
            let mut slices: [IoSliceMut<'_>; BATCH_SIZE] =
                std::array::from_fn(|_| slices.next().unwrap_or_else(|| IoSliceMut::new(&mut [])));
            self.state.recv(UdpSockRef::from(&self.socket), &mut slices, &mut inbox.metas)
        })
    }

    /// The address of ours that a datagram came to.
    pub(super) fn reached(&self, destination: Option<IpAddr>) -> SocketAddr {
        let ip = destination.map_or(self.local.ip(), |ip| ip.to_canonical());
        SocketAddr::new(ip, self.local.port())
    }

    /// Sends from the address the client knows us by; fails rather than waits. (The runtime is
    /// not asked whether there is room: it may not know yet of a socket that is new.)
    pub(super) fn send(&self, from: IpAddr, to: SocketAddr, bytes: &[u8]) -> io::Result<()> {
        let src_ip = (self.local.ip().is_unspecified() && !from.is_unspecified()).then_some(from);
        let transmit =
            Transmit { destination: to, ecn: None, contents: bytes, segment_size: None, src_ip };
        self.state.try_send(UdpSockRef::from(&self.socket), &transmit)
    }
}

/// Room for one batch, used again and again.
pub(super) struct Inbox {
    buffer: Vec<u8>,
    metas: [RecvMeta; BATCH_SIZE],
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self { buffer: vec![0; LONGEST * BATCH_SIZE], metas: [RecvMeta::default(); BATCH_SIZE] }
    }

    /// The first `count` entries of a batch, taken apart where the kernel has joined datagrams.
    pub(super) fn datagrams(&self, count: usize) -> impl Iterator<Item = (&RecvMeta, &[u8])> {
        let entries = self.metas.iter().zip(self.buffer.chunks(LONGEST)).take(count);
        entries.flat_map(|(meta, bytes)| {
            let bytes = bytes.get(..meta.len).unwrap_or_default();
            bytes.chunks(meta.stride.max(1)).map(move |datagram| (meta, datagram))
        })
    }

    /// Room for one datagram.
    pub(super) fn one(&mut self) -> &mut [u8] {
        self.buffer.get_mut(..LONGEST).unwrap_or_default()
    }
}
