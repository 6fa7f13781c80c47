//! Peers of TCP allocations (RFC 6062): their sockets, on the main runtime.

use std::{
    collections::HashMap,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::BytesMut;
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
    sync::oneshot,
    task::AbortHandle,
    time::timeout,
};
use turn::{ConnectionId, RelayId};

use super::{client::Client, command::Command};
use crate::shard::{self, Door};

/// For connecting to a peer (RFC 6062 §5.2: at least 30 seconds).
const CONNECT: Duration = Duration::from_secs(30);
/// What is taken from one end before the other has taken it, each way.
const BUFFER: usize = 16 * 1024;
/// Peers that may wait for a relayed address to accept them.
const BACKLOG: i32 = 16;

/// Everything of a shard's TCP allocations.
pub(crate) struct Peers {
    runtime: Handle,
    door: Door,
    listeners: HashMap<RelayId, Task>,
    connecting: HashMap<ConnectionId, Task>,
    unbound: HashMap<ConnectionId, TcpStream>,
    /// Dropped, these end what they are kept for.
    bound: HashMap<ConnectionId, oneshot::Sender<()>>,
    relayed: Arc<AtomicU64>,
}

/// A task of the main runtime, ended with this.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A peer's connection, for as long as the shard wants it to last.
pub(crate) struct Peer {
    stream: TcpStream,
    ended: oneshot::Receiver<()>,
    relayed: Arc<AtomicU64>,
}

impl Peers {
    /// None yet. `runtime` is where their sockets are; `door` leads back to whoever keeps this.
    pub(crate) fn new(runtime: Handle, door: Door) -> Self {
        Self {
            runtime,
            door,
            listeners: HashMap::new(),
            connecting: HashMap::new(),
            unbound: HashMap::new(),
            bound: HashMap::new(),
            relayed: Arc::default(),
        }
    }

    /// Bytes relayed so far, both ways.
    pub(super) fn relayed(&self) -> u64 {
        self.relayed.load(Ordering::Relaxed)
    }

    /// Relayed addresses there are.
    pub(super) fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Listens on a relayed address.
    pub(super) fn listen(&mut self, relay: RelayId, local: SocketAddr) -> io::Result<()> {
        let _inside = self.runtime.enter();
        let listener = listener(local)?;
        let accepting = self.runtime.spawn(accept(listener, relay, self.door.clone()));
        self.listeners.insert(relay, Task(accepting.abort_handle()));
        Ok(())
    }

    /// Listens no more.
    pub(super) fn unlisten(&mut self, relay: RelayId) {
        self.listeners.remove(&relay);
    }

    /// Begins to connect to a peer.
    pub(super) fn connect(&mut self, id: ConnectionId, local: SocketAddr, peer: SocketAddr) {
        let door = self.door.clone();
        let connecting = self.runtime.spawn(async move {
            let connected = match timeout(CONNECT, connected(local, peer)).await {
                Ok(connected) => connected,
                Err(elapsed) => Err(elapsed.into()),
            };
            // A shard that is gone wants no peers.
            let news = Command::Connected(id, connected);
            let _ = door.send(shard::Command::Relay(news)).await;
        });
        self.connecting.insert(id, Task(connecting.abort_handle()));
    }

    /// A connection to a peer is there and waits to be bound.
    pub(super) fn keep(&mut self, id: ConnectionId, stream: TcpStream) {
        self.connecting.remove(&id);
        self.unbound.insert(id, stream);
    }

    /// Joins a connection with its client's stream; whether that could be.
    pub(super) fn splice(&mut self, id: ConnectionId, client: Option<&Client>) -> bool {
        let (Some(stream), Some(client)) = (self.unbound.remove(&id), client) else { return false };
        let (keep, ended) = oneshot::channel();
        self.bound.insert(id, keep);
        client.splice(Peer { stream, ended, relayed: Arc::clone(&self.relayed) })
    }

    /// Ends a connection, however far it has come.
    pub(super) fn close(&mut self, id: ConnectionId) {
        self.connecting.remove(&id);
        self.unbound.remove(&id);
        self.bound.remove(&id);
    }
}

impl Peer {
    /// Carries bytes between the peer and a client, of which the first are in `early`, until both
    /// have said all, either fails, or the shard ends it. Who reads slowly is waited for.
    pub(super) async fn join(
        mut self,
        client: impl AsyncRead + AsyncWrite,
        early: BytesMut,
    ) -> io::Result<()> {
        let relayed = &*self.relayed;
        let (mut peer_reads, mut peer_writes) = self.stream.split();
        let (mut client_reads, mut client_writes) = split(client);
        let out = async {
            peer_writes.write_all(&early).await?;
            relayed.fetch_add(early.len() as u64, Ordering::Relaxed);
            carry(&mut client_reads, &mut peer_writes, relayed).await
        };
        let back = carry(&mut peer_reads, &mut client_writes, relayed);
        tokio::select! {
            joined = async { tokio::try_join!(out, back) } => joined.map(|_| ()),
            _ = self.ended => Ok(()),
        }
    }
}

/// Carries bytes one way until there are no more, and says so to the other end.
async fn carry(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    relayed: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER];
    loop {
        let read = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(bytes).await?;
        to.flush().await?;
        relayed.fetch_add(read as u64, Ordering::Relaxed);
    }
}

/// The port is taken by nobody else; then it is opened to connections that are made from it.
fn listener(local: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, Some(Protocol::TCP))?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    share(&SockRef::from(&socket))?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(unix)]
fn share(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn share(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_reuse_address(true)
}

async fn connected(local: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    share(&SockRef::from(&socket))?;
    socket.bind(local)?;
    let stream = socket.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn accept(listener: TcpListener, relay: RelayId, door: Door) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                let news = Command::Accepted(relay, stream, peer);
                if door.send(shard::Command::Relay(news)).await.is_err() {
                    return;
                }
            }
            // Mostly of the one connection, else of descriptors, which take time to be free.
            Err(error) => {
                tracing::debug!(%error, "can't accept a peer");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}
