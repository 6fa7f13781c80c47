//! One TURN client over TCP or inside TLS, on the main runtime.

use std::{io, pin::pin, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    sync::Notify,
    time::{Instant, timeout, timeout_at},
};
use turn::{
    FiveTuple, Transport,
    stream::frame_length,
    stun::{Message, Method, attribute::REQUESTED_TRANSPORT},
};

use super::{
    client::{Outgoing, Waiting, queue},
    command::Command,
    peers::Peer,
};
use crate::{
    port::Connection,
    shard::{self, Door},
};

/// A client that sends no whole message for so long must have an allocation to stay.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a client that has said all may take to read what it asked for.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How a ConnectionBind request begins, and a success response to one (RFC 6062 §6.1).
const CONNECTION_BIND: [u8; 2] = [0x00, 0x0B];
const CONNECTION_BOUND: [u8; 2] = [0x01, 0x0B];
/// What one read takes at most, so that an idle client holds little.
const READ: usize = 4 * 1024;

/// Carries messages both ways until either end is done, or from some point on whatever bytes the
/// client and a peer of its TCP allocation have for each other.
///
/// It is the shard's whose `turn` it is, unless its first message names another. TCP allocations
/// are all of the first shard, so that they can connect to each other; their bytes are carried here
/// and cost it nothing.
pub(crate) async fn serve(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    connection: Connection,
    doors: &[Door],
    turn: usize,
) {
    let mut buffer = BytesMut::new();
    let first = timeout(SILENCE, first(&mut stream, &mut buffer)).await;
    let Ok(Ok(length)) = first else { return };
    let message = buffer.get(..length).unwrap_or_default();
    let named = turn::shard_named(message).map(usize::from);
    let named = named.or_else(|| wants_tcp(message).then_some(0));
    let named = named.and_then(|shard| doors.get(shard));
    let Some(door) = named.or_else(|| doors.get(turn % doors.len().max(1))) else { return };

    let from = FiveTuple {
        transport: if connection.secure { Transport::Tls } else { Transport::Tcp },
        client: connection.peer,
        server: connection.local,
    };
    let (client, waiting) = queue();
    if tell(door, Command::Opened(from, client)).await.is_err() {
        return;
    }
    if let Err(error) = carry(stream, buffer, from, waiting, door).await {
        tracing::debug!(peer = %from.client, %error, "TURN connection ended");
    }
    // A shard that is gone has forgotten the client already, and so it has one that has left.
    let _ = tell(door, Command::Gone(from)).await;
}

/// Whether this asks for a TCP allocation (RFC 6062 §5.1).
fn wants_tcp(message: &[u8]) -> bool {
    Message::parse(message).is_ok_and(|message| {
        let transport = message.attribute(REQUESTED_TRANSPORT);
        message.method() == Method::ALLOCATE && matches!(transport, Some([6, ..]))
    })
}

async fn tell(door: &Door, command: Command) -> io::Result<()> {
    door.send(shard::Command::Relay(command)).await.map_err(io::Error::other)
}

/// Reads until there is a message, and says how long it is.
async fn first(stream: &mut (impl AsyncRead + Unpin), buffer: &mut BytesMut) -> io::Result<usize> {
    loop {
        match frame_length(buffer).map_err(io::Error::other)? {
            Some(length) if length <= buffer.len() => return Ok(length),
            Some(length) => buffer.reserve(length - buffer.len()),
            None => buffer.reserve(READ),
        }
        if stream.read_buf(buffer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

async fn carry(
    mut stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    mut early: BytesMut,
    from: FiveTuple,
    mut waiting: Waiting,
    door: &Door,
) -> io::Result<()> {
    let answered = Notify::new();
    let peer = {
        let (mut reading, mut writing) = split(&mut stream);
        let mut write = pin!(write_until(&mut writing, &mut waiting, &answered));
        let read = pin!(read(&mut reading, &mut early, from, door, &answered));
        tokio::select! {
            written = &mut write => written?,
            read = read => {
                read?;
                // The client has said all; what it asked for, it may still want to hear.
                tell(door, Command::Gone(from)).await?;
                timeout(LAST_WORDS, write).await??
            }
        }
    };
    match peer {
        Some(peer) => peer.join(stream, early).await,
        None => Ok(()),
    }
}

/// Takes messages out of the stream, whole ones only. What may not be one stays in the buffer.
async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    from: FiveTuple,
    door: &Door,
    answered: &Notify,
) -> io::Result<()> {
    let mut silent_at = Instant::now() + SILENCE;
    loop {
        while let Some(length) = frame_length(buffer).map_err(io::Error::other)? {
            if buffer.len() < length {
                buffer.reserve(length - buffer.len());
                break;
            }
            let message = buffer.split_to(length).freeze();
            let binds = message.starts_with(&CONNECTION_BIND);
            tell(door, Command::Message(from, message)).await?;
            silent_at = Instant::now() + SILENCE;
            if binds {
                // What follows is a peer's if it goes well (RFC 6062 §4.4).
                answered.notified().await;
            }
        }
        buffer.reserve(READ);
        match timeout_at(silent_at, stream.read_buf(buffer)).await {
            Ok(read) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            Err(_) => {
                tell(door, Command::Silent(from)).await?;
                silent_at = Instant::now() + SILENCE;
            }
        }
    }
}

/// Writes what waits, one message at a time: inside TLS each is a record of its own then, which
/// some clients (coturn's) take for granted.
pub(crate) async fn write(
    mut stream: impl AsyncWrite + Unpin,
    mut waiting: Waiting,
) -> io::Result<()> {
    write_until(&mut stream, &mut waiting, &Notify::new()).await.map(drop)
}

/// The same, and gives the peer that the stream is to be joined with, if it comes to that.
async fn write_until(
    stream: &mut (impl AsyncWrite + Unpin),
    waiting: &mut Waiting,
    answered: &Notify,
) -> io::Result<Option<Peer>> {
    while let Some(first) = waiting.next().await {
        let mut next = Some(first);
        while let Some(outgoing) = next {
            let message = match outgoing {
                Outgoing::Message(message) => message,
                Outgoing::Splice(peer) => {
                    stream.flush().await?;
                    return Ok(Some(peer));
                }
            };
            stream.write_all(&message).await?;
            waiting.written(message.len());
            // A success is followed at once by what it means for the stream.
            let succeeded = message.starts_with(&CONNECTION_BOUND);
            next = waiting.try_next();
            if !succeeded {
                answered.notify_one();
            }
        }
        stream.flush().await?;
    }
    stream.shutdown().await?;
    Ok(None)
}
