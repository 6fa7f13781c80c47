//! A TURN client over TCP or TLS, on the main runtime.

use std::{io, pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, split},
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};
use turn::{
    FiveTuple, Transport,
    stream::frame_length,
    stun::{Message, Method, attribute::REQUESTED_TRANSPORT},
};

use super::{
    command::{ClientMessage, Command},
    handoff::Handoff,
    pending_response::PendingResponse,
};
use crate::{
    log_privacy,
    net::tcp::Connection,
    shard::{
        command::{CommandSender, ShardCommand},
        tcp_client::{OutgoingQueue, tcp_client},
    },
};

/// Interval of the checks that a client has an allocation; one without is disconnected.
const REVIEW_INTERVAL: Duration = Duration::from_secs(30);
/// Time for a client to send its first message, and to let a response be written.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(30);
/// Time for a client that has finished sending to read what is queued.
const LINGER_TIMEOUT: Duration = Duration::from_secs(10);
/// The first bytes of a ConnectionBind request (RFC 6062 §6.1).
const CONNECTION_BIND: [u8; 2] = [0x00, 0x0B];
/// REQUESTED-TRANSPORT of a TCP allocation (RFC 6062 §5.1).
const TCP: u8 = 6;
/// Bytes taken in one read, so that an idle client holds little memory.
const READ_BYTES: usize = 4 * 1024;

/// Carries messages in both directions until either end is done. After a ConnectionBind it carries
/// the bytes of the client and its peer instead.
///
/// The first message may determine the shard; otherwise it is number `next_shard`. Until the client
/// has an allocation, a later message may move the connection to another shard. TCP allocations all
/// live on the first shard, so that they can connect to each other; their bytes are relayed here
/// and cost that shard nothing.
pub(crate) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    connection: Connection,
    shards: &[CommandSender],
    next_shard: usize,
) {
    let mut buffer = BytesMut::new();
    let first = timeout(RESPONSE_TIMEOUT, first_message(&mut stream, &mut buffer)).await;
    let Ok(Ok(length)) = first else { return };
    let message = buffer.get(..length).unwrap_or_default();
    let named = turn::requested_shard(message).map(usize::from);
    let named = named.or_else(|| requests_tcp(message).then_some(0));
    let named = named.and_then(|index| shards.get(index));
    let next = || shards.get(next_shard % shards.len().max(1));
    let Some(mut shard) = named.or_else(next) else { return };

    let from = FiveTuple {
        transport: if connection.secure { Transport::Tls } else { Transport::Tcp },
        client: connection.peer,
        server: connection.local,
    };
    let mut unanswered = None;
    loop {
        let session = Session { from, shard, pending: PendingResponse::default() };
        let served = session.serve(&mut stream, &mut buffer, &mut unanswered).await;
        // A shard that has stopped has forgotten the client already.
        let _ = shard.send(Command::Closed(from)).await;
        let moved = match served {
            Ok(moved) => moved.and_then(|index| shards.get(usize::from(index))),
            Err(error) => {
                tracing::debug!(peer = log_privacy::address(from.client.ip()), %error, "TURN connection ended");
                None
            }
        };
        match moved {
            Some(next) => shard = next,
            None => return,
        }
    }
}

/// Recognises a request for a TCP allocation (RFC 6062 §5.1).
fn requests_tcp(message: &[u8]) -> bool {
    Message::parse(message).is_ok_and(|message| {
        let transport = message.attribute(REQUESTED_TRANSPORT);
        message.method() == Method::ALLOCATE && matches!(transport, Some([TCP, ..]))
    })
}

/// Reads until the buffer holds a message, and returns its length.
async fn first_message(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<usize> {
    loop {
        match frame_length(buffer).map_err(io::Error::other)? {
            Some(length) if length <= buffer.len() => return Ok(length),
            Some(length) => buffer.reserve(length - buffer.len()),
            None => buffer.reserve(READ_BYTES),
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// A client on one shard.
struct Session<'a> {
    from: FiveTuple,
    shard: &'a CommandSender,
    pending: PendingResponse,
}

impl Session<'_> {
    /// Serves the client. Returns the shard that the connection moves to, if any; that shard has
    /// yet to handle the `unanswered` request.
    async fn serve(
        &self,
        mut stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
        early: &mut BytesMut,
        unanswered: &mut Option<Bytes>,
    ) -> io::Result<Option<u8>> {
        let (client, mut queue) = tcp_client();
        if self.send(Command::Opened(self.from, client)).await.is_err() {
            return Ok(None);
        }
        let handoff = {
            let (mut reader, mut writer) = split(&mut stream);
            let mut write = pin!(self.write(&mut writer, &mut queue));
            let read = pin!(self.read(&mut reader, early, unanswered));
            tokio::select! {
                written = &mut write => written?,
                read = read => {
                    read?;
                    // The client has finished sending, but may still read responses.
                    self.send(Command::Closed(self.from)).await?;
                    timeout(LINGER_TIMEOUT, write).await??
                }
            }
        };
        match handoff {
            Some(Handoff::Splice(peer)) => {
                peer.join(stream, std::mem::take(early)).await.map(|()| None)
            }
            Some(Handoff::ToShard(index)) => Ok(Some(index)),
            None => Ok(None),
        }
    }

    async fn write(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
        queue: &mut OutgoingQueue<Handoff>,
    ) -> io::Result<Option<Handoff>> {
        queue.write_to(writer, |message| self.pending.on_written(message)).await
    }

    /// Takes whole messages out of the stream. Bytes that may not be messages stay in the buffer.
    async fn read(
        &self,
        reader: &mut (impl AsyncRead + Unpin),
        buffer: &mut BytesMut,
        unanswered: &mut Option<Bytes>,
    ) -> io::Result<()> {
        let mut review_at = Instant::now() + REVIEW_INTERVAL;
        if let Some(message) = unanswered.take() {
            self.handle_message(message, unanswered).await?;
        }
        loop {
            while let Some(length) = frame_length(buffer).map_err(io::Error::other)? {
                if buffer.len() < length {
                    buffer.reserve(length - buffer.len());
                    break;
                }
                self.handle_message(buffer.split_to(length).freeze(), unanswered).await?;
            }
            if review_at <= Instant::now() {
                self.check_in_use().await?;
                review_at = Instant::now() + REVIEW_INTERVAL;
            }
            buffer.reserve(READ_BYTES);
            if let Ok(read) = timeout_at(review_at, reader.read_buf(buffer)).await
                && read? == 0
            {
                return Ok(());
            }
        }
    }

    /// Fails if the client has no allocation, so that idle clients don't use up the limit of
    /// connections.
    async fn check_in_use(&self) -> io::Result<()> {
        let (reply, is_in_use) = oneshot::channel();
        self.send(Command::IsInUse(self.from, reply)).await?;
        if is_in_use.await.map_err(io::Error::other)? {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "no allocation"))
    }

    /// Sends a message to the shard. Where its response decides on the use of the stream, this
    /// waits for it, and the message is `unanswered` until then: the bytes that follow are a peer's
    /// after a successful ConnectionBind (RFC 6062 §4.4), or another shard's if that has what the
    /// message names.
    async fn handle_message(
        &self,
        message: Bytes,
        unanswered: &mut Option<Bytes>,
    ) -> io::Result<()> {
        let decides =
            message.starts_with(&CONNECTION_BIND) || turn::requested_shard(&message).is_some();
        if !decides {
            return self.send(ClientMessage { from: self.from, bytes: message }).await;
        }
        self.pending.expect(&message);
        *unanswered = Some(message.clone());
        self.send(ClientMessage { from: self.from, bytes: message }).await?;
        // Above the rate limit of unauthenticated requests there is no response.
        timeout(RESPONSE_TIMEOUT, self.pending.written()).await?;
        *unanswered = None;
        Ok(())
    }

    async fn send(&self, command: impl Into<ShardCommand>) -> io::Result<()> {
        self.shard.send(command).await.map_err(io::Error::other)
    }
}
