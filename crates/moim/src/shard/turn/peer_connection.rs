//! The TCP connection of a peer, joined with the stream of a client (RFC 6062).

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    net::TcpStream,
    sync::oneshot,
};

/// Bytes buffered in each direction until the other end has taken them.
const BUFFER_BYTES: usize = 16 * 1024;

/// A peer's connection that is bound to a client's stream.
pub(crate) struct PeerConnection {
    pub(super) stream: TcpStream,
    /// Completes when the shard ends the connection.
    pub(super) ended: oneshot::Receiver<()>,
    /// Counts the bytes in both directions.
    pub(super) relayed_bytes: Arc<AtomicU64>,
}

impl PeerConnection {
    /// Relays bytes between peer and client until both have finished, either fails, or the shard
    /// ends the connection. `early` is what the client has sent already. Slow readers get
    /// back-pressure.
    pub(super) async fn join(
        mut self,
        client: impl AsyncRead + AsyncWrite,
        early: BytesMut,
    ) -> io::Result<()> {
        let relayed_bytes = &*self.relayed_bytes;
        let (mut peer_reader, mut peer_writer) = self.stream.split();
        let (mut client_reader, mut client_writer) = split(client);
        let to_peer = async {
            peer_writer.write_all(&early).await?;
            relayed_bytes.fetch_add(early.len() as u64, Ordering::Relaxed);
            relay(&mut client_reader, &mut peer_writer, relayed_bytes).await
        };
        let to_client = relay(&mut peer_reader, &mut client_writer, relayed_bytes);
        tokio::select! {
            joined = async { tokio::try_join!(to_peer, to_client) } => joined.map(|_| ()),
            _ = self.ended => Ok(()),
        }
    }
}

/// Relays bytes in one direction until the end, and then shuts the other side down.
async fn relay(
    from: &mut (impl AsyncRead + Unpin),
    to: &mut (impl AsyncWrite + Unpin),
    relayed_bytes: &AtomicU64,
) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let read = from.read(&mut buffer).await?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return to.shutdown().await;
        };
        to.write_all(bytes).await?;
        to.flush().await?;
        relayed_bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}
