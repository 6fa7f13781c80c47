//! One TURN client over TCP or inside TLS, on the main runtime.

use std::{io, pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    sync::oneshot,
    time::{Instant, timeout, timeout_at},
};
use turn::{
    FiveTuple, Transport,
    stream::frame_length,
    stun::{Message, Method, attribute::REQUESTED_TRANSPORT},
};

use super::{
    answers::Answers,
    client::{Outgoing, Waiting, queue},
    command::Command,
    peers::Peer,
};
use crate::{
    net::tcp::Connection,
    shard::{self, Door},
};

/// How often a client is asked for its allocation, without which it may not stay, whatever it sends.
const REVIEW: Duration = Duration::from_secs(30);
/// How long a client may take to send its first message, or to let an answer be written.
const SILENCE: Duration = Duration::from_secs(30);
/// How long a client that has said all may take to read what it asked for.
const LAST_WORDS: Duration = Duration::from_secs(10);
/// How a ConnectionBind request begins (RFC 6062 §6.1).
const CONNECTION_BIND: [u8; 2] = [0x00, 0x0B];
/// What one read takes at most, so that an idle client holds little.
const READ: usize = 4 * 1024;

/// What becomes of a stream that carries no more messages between a client and its shard.
enum Turning {
    /// It is joined with a peer's.
    Join(Peer),
    /// It is another shard's.
    Lead(u8),
}

/// Carries messages both ways until either end is done, or from some point on whatever bytes the
/// client and a peer of its TCP allocation have for each other.
///
/// It is the shard's whose `turn` it is, unless its first message names another, or a later one does
/// before it has anything there. TCP allocations are all of the first shard, so that they can connect
/// to each other; their bytes are carried here and cost it nothing.
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
    let named = turn::requested_shard(message).map(usize::from);
    let named = named.or_else(|| wants_tcp(message).then_some(0));
    let named = named.and_then(|shard| doors.get(shard));
    let Some(mut door) = named.or_else(|| doors.get(turn % doors.len().max(1))) else { return };

    let from = FiveTuple {
        transport: if connection.secure { Transport::Tls } else { Transport::Tcp },
        client: connection.peer,
        server: connection.local,
    };
    let mut asked = None;
    loop {
        let (client, waiting) = queue();
        if tell(door, Command::Opened(from, client)).await.is_err() {
            return;
        }
        let carried = carry(&mut stream, &mut buffer, &mut asked, from, waiting, door).await;
        // A shard that is gone has forgotten the client already, and so it has one that has left.
        let _ = tell(door, Command::Gone(from)).await;
        let led = match carried {
            Ok(led) => led.and_then(|shard| doors.get(usize::from(shard))),
            Err(error) => {
                tracing::debug!(peer = %from.client, %error, "TURN connection ended");
                None
            }
        };
        match led {
            Some(next) => door = next,
            None => return,
        }
    }
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

/// Gives the shard whose the stream is next, if it comes to that; it has yet to hear what is `asked`.
async fn carry(
    mut stream: &mut (impl AsyncRead + AsyncWrite + Unpin + Send),
    early: &mut BytesMut,
    asked: &mut Option<Bytes>,
    from: FiveTuple,
    mut waiting: Waiting,
    door: &Door,
) -> io::Result<Option<u8>> {
    let answers = Answers::default();
    let turning = {
        let (mut reading, mut writing) = split(&mut stream);
        let mut write = pin!(write_until(&mut writing, &mut waiting, &answers));
        let to = Listener { from, door, answers: &answers };
        let read = pin!(read(&mut reading, early, asked, &to));
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
    match turning {
        Some(Turning::Join(peer)) => peer.join(stream, std::mem::take(early)).await.map(|()| None),
        Some(Turning::Lead(shard)) => Ok(Some(shard)),
        None => Ok(None),
    }
}

/// Who hears what a client says.
struct Listener<'a> {
    from: FiveTuple,
    door: &'a Door,
    answers: &'a Answers,
}

/// Takes messages out of the stream, whole ones only. What may not be one stays in the buffer.
async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    asked: &mut Option<Bytes>,
    to: &Listener<'_>,
) -> io::Result<()> {
    let mut review_at = Instant::now() + REVIEW;
    if let Some(message) = asked.take() {
        to.say(message, asked).await?;
    }
    loop {
        while let Some(length) = frame_length(buffer).map_err(io::Error::other)? {
            if buffer.len() < length {
                buffer.reserve(length - buffer.len());
                break;
            }
            to.say(buffer.split_to(length).freeze(), asked).await?;
        }
        if review_at <= Instant::now() {
            to.review().await?;
            review_at = Instant::now() + REVIEW;
        }
        buffer.reserve(READ);
        if let Ok(read) = timeout_at(review_at, stream.read_buf(buffer)).await
            && read? == 0
        {
            return Ok(());
        }
    }
}

impl Listener<'_> {
    /// Ends the stream of a client that has nothing it could be for: requests that prove nothing cost
    /// little to send, and a connection is one of few.
    async fn review(&self) -> io::Result<()> {
        let (asker, answer) = oneshot::channel();
        tell(self.door, Command::IsInUse(self.from, asker)).await?;
        if answer.await.map_err(io::Error::other)? {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "no allocation"))
    }

    /// Passes a message on. Where its answer decides whose what follows is, that is waited for, and
    /// until it has come the message is `asked`: what follows is a peer's, if a ConnectionBind goes
    /// well (RFC 6062 §4.4), or another shard's, if that has what it names.
    async fn say(&self, message: Bytes, asked: &mut Option<Bytes>) -> io::Result<()> {
        let decides =
            message.starts_with(&CONNECTION_BIND) || turn::requested_shard(&message).is_some();
        if !decides {
            return tell(self.door, Command::Message(self.from, message)).await;
        }
        self.answers.expect(&message);
        *asked = Some(message.clone());
        tell(self.door, Command::Message(self.from, message)).await?;
        // There is none for a stranger who asks too often.
        timeout(SILENCE, self.answers.come()).await?;
        *asked = None;
        Ok(())
    }
}

/// Writes what waits, one message at a time: inside TLS each is a record of its own then, which
/// some clients (coturn's) take for granted.
pub(crate) async fn write(
    mut stream: impl AsyncWrite + Unpin,
    mut waiting: Waiting,
) -> io::Result<()> {
    write_until(&mut stream, &mut waiting, &Answers::default()).await.map(drop)
}

/// The same, and says what becomes of the stream, if it comes to that.
async fn write_until(
    stream: &mut (impl AsyncWrite + Unpin),
    waiting: &mut Waiting,
    answers: &Answers,
) -> io::Result<Option<Turning>> {
    while let Some(first) = waiting.next().await {
        let mut next = Some(first);
        while let Some(outgoing) = next {
            let turning = match outgoing {
                Outgoing::Message(message) => {
                    stream.write_all(&message).await?;
                    waiting.written(message.len());
                    answers.hear(&message);
                    next = waiting.try_next();
                    continue;
                }
                Outgoing::Splice(peer) => Turning::Join(peer),
                Outgoing::Lead(shard) => Turning::Lead(shard),
            };
            stream.flush().await?;
            return Ok(Some(turning));
        }
        stream.flush().await?;
    }
    stream.shutdown().await?;
    Ok(None)
}
