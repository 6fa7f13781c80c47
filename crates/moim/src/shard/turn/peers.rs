//! The sockets of TCP allocations (RFC 6062), on the main runtime: listeners of relayed addresses,
//! and connections to peers.

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

use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    runtime::Handle,
    sync::oneshot,
    task::AbortHandle,
    time::timeout,
};
use turn::{ConnectionId, RelayId};

use super::{command::Command, handoff::Handoff, peer_connection::PeerConnection};
use crate::shard::{command::CommandSender, tcp_client::TcpClient};

/// Time to connect to a peer (RFC 6062 §5.2: at least 30 seconds).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// Pause after a failed accept, mostly for lack of file descriptors.
const ACCEPT_ERROR_PAUSE: Duration = Duration::from_millis(100);
/// Connections that a relayed address queues before they are accepted.
const BACKLOG: i32 = 16;

/// The sockets of a shard's TCP allocations.
pub(crate) struct PeerConnections {
    runtime: Handle,
    shard: CommandSender,
    listeners: HashMap<RelayId, Task>,
    connecting: HashMap<ConnectionId, Task>,
    unbound: HashMap<ConnectionId, TcpStream>,
    /// Each ends its connection when it is dropped.
    bound: HashMap<ConnectionId, oneshot::Sender<()>>,
    relayed_bytes: Arc<AtomicU64>,
}

/// A task of the main runtime, aborted on drop.
struct Task(AbortHandle);

impl Drop for Task {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl PeerConnections {
    /// Creates an empty set. Sockets live on `runtime`; their events go to `shard`.
    pub(crate) fn new(runtime: Handle, shard: CommandSender) -> Self {
        Self {
            runtime,
            shard,
            listeners: HashMap::new(),
            connecting: HashMap::new(),
            unbound: HashMap::new(),
            bound: HashMap::new(),
            relayed_bytes: Arc::default(),
        }
    }

    /// Counts the bytes relayed in both directions.
    pub(super) fn relayed_bytes(&self) -> u64 {
        self.relayed_bytes.load(Ordering::Relaxed)
    }

    /// Counts the relayed addresses.
    pub(super) fn listeners(&self) -> usize {
        self.listeners.len()
    }

    /// Listens on a relayed address.
    pub(super) fn listen(&mut self, relay: RelayId, local: SocketAddr) -> io::Result<()> {
        let _inside = self.runtime.enter();
        let listener = listener(local)?;
        let accepting = self.runtime.spawn(accept(listener, relay, self.shard.clone()));
        self.listeners.insert(relay, Task(accepting.abort_handle()));
        Ok(())
    }

    /// Closes the listener of a relayed address.
    pub(super) fn unlisten(&mut self, relay: RelayId) {
        self.listeners.remove(&relay);
    }

    /// Starts to connect to a peer; the result is a [`Command::Connected`].
    pub(super) fn connect(&mut self, id: ConnectionId, local: SocketAddr, peer: SocketAddr) {
        let shard = self.shard.clone();
        let connecting = self.runtime.spawn(async move {
            let connected = match timeout(CONNECT_TIMEOUT, connect(local, peer)).await {
                Ok(connected) => connected,
                Err(elapsed) => Err(elapsed.into()),
            };
            // A shard that has stopped needs no peers.
            let _ = shard.send(Command::Connected(id, connected)).await;
        });
        self.connecting.insert(id, Task(connecting.abort_handle()));
    }

    /// Keeps a connection until a client binds it.
    pub(super) fn keep(&mut self, id: ConnectionId, stream: TcpStream) {
        self.connecting.remove(&id);
        self.unbound.insert(id, stream);
    }

    /// Joins a connection with its client's stream. Returns false if either is gone.
    pub(super) fn splice(&mut self, id: ConnectionId, client: Option<&TcpClient<Handoff>>) -> bool {
        let (Some(stream), Some(client)) = (self.unbound.remove(&id), client) else { return false };
        let (end, ended) = oneshot::channel();
        self.bound.insert(id, end);
        let relayed_bytes = Arc::clone(&self.relayed_bytes);
        client.hand_off(Handoff::Splice(PeerConnection { stream, ended, relayed_bytes }))
    }

    /// Ends a connection in any state.
    pub(super) fn close(&mut self, id: ConnectionId) {
        self.connecting.remove(&id);
        self.unbound.remove(&id);
        self.bound.remove(&id);
    }
}

/// Listens on a port that no other socket has, and then shares it with the connections made from
/// it.
fn listener(local: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(local), Type::STREAM, Some(Protocol::TCP))?;
    if local.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&local.into())?;
    share_port(&SockRef::from(&socket))?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
}

#[cfg(unix)]
fn share_port(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_reuse_port(true)
}

#[cfg(not(unix))]
fn share_port(socket: &SockRef<'_>) -> io::Result<()> {
    socket.set_reuse_address(true)
}

async fn connect(local: SocketAddr, peer: SocketAddr) -> io::Result<TcpStream> {
    let socket = if local.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    share_port(&SockRef::from(&socket))?;
    socket.bind(local)?;
    let stream = socket.connect(peer).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn accept(listener: TcpListener, relay: RelayId, shard: CommandSender) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let _ = stream.set_nodelay(true);
                if shard.send(Command::Accepted(relay, stream, peer)).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, "can't accept a peer");
                tokio::time::sleep(ACCEPT_ERROR_PAUSE).await;
            }
        }
    }
}
