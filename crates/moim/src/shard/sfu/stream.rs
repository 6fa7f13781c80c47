//! One client over ICE-TCP (RFC 6544), also inside TLS, on the main runtime. Each packet goes behind
//! its length in two bytes (RFC 4571).

use std::{io, pin::pin, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, split},
    sync::oneshot,
    time::{Instant, timeout},
};

use super::command::{Command, Way};
use crate::{
    net::tcp::Connection,
    shard::{
        self, Door,
        turn::{queue, write},
    },
};

/// A client that sends nothing for so long is gone: its checks come every few seconds.
const SILENCE: Duration = Duration::from_secs(30);
/// How often a client is asked for its peer, without which it may not stay, whatever it sends: checks that
/// prove nothing cost little.
const REVIEW: Duration = Duration::from_secs(30);
/// What one read takes at most, so that an idle client holds little.
const READ: usize = 4 * 1024;
/// The length before each packet.
const HEAD: usize = 2;

/// Carries packets both ways until either end is done. The first must be a check for one of our
/// peers, which tells the shard.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    connection: Connection,
    doors: &[Door],
) {
    let way = Way { local: connection.local, remote: connection.peer };
    let (mut reading, writing) = split(stream);
    let mut buffer = BytesMut::new();
    let first = match timeout(SILENCE, next(&mut reading, &mut buffer)).await {
        Ok(Ok(Some(first))) => first,
        _ => return,
    };
    let shard = sfu::ufrag_of(&first).and_then(sfu::shard_of);
    let Some(door) = shard.and_then(|shard| doors.get(usize::from(shard))) else { return };
    let (client, waiting) = queue();
    for command in [Command::Opened(way, client), Command::Packet(way, first)] {
        if door.send(shard::Command::Media(command)).await.is_err() {
            return;
        }
    }
    let ended = {
        let read = pin!(read(reading, buffer, way, door));
        let write = pin!(write(writing, waiting));
        tokio::select! {
            ended = read => ended,
            ended = write => ended,
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %way.remote, %error, "ICE-TCP connection ended");
    }
    // A shard that is gone has forgotten the client already.
    let _ = door.send(shard::Command::Media(Command::Gone(way))).await;
}

async fn read(
    mut stream: impl AsyncRead + Unpin,
    mut buffer: BytesMut,
    way: Way,
    door: &Door,
) -> io::Result<()> {
    let mut review_at = Instant::now() + REVIEW;
    while let Some(packet) = timeout(SILENCE, next(&mut stream, &mut buffer)).await?? {
        if review_at <= Instant::now() {
            review(way, door).await?;
            review_at = Instant::now() + REVIEW;
        }
        let command = Command::Packet(way, packet);
        door.send(shard::Command::Media(command)).await.map_err(io::Error::other)?;
    }
    Ok(())
}

/// Ends the stream of a client that has proven nothing.
async fn review(way: Way, door: &Door) -> io::Result<()> {
    let (asker, answer) = oneshot::channel();
    let command = shard::Command::Media(Command::IsProven(way, asker));
    door.send(command).await.map_err(io::Error::other)?;
    if answer.await.map_err(io::Error::other)? {
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "no peer's"))
}

/// The next packet; none at the end. Safe to be dropped: what has come stays in the buffer.
async fn next(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<Option<Bytes>> {
    loop {
        if let Some(packet) = cut(buffer) {
            return Ok(Some(packet));
        }
        buffer.reserve(READ);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Takes a whole packet off the front. One without bytes means nothing.
fn cut(buffer: &mut BytesMut) -> Option<Bytes> {
    loop {
        let (head, rest) = buffer.split_first_chunk::<HEAD>()?;
        let length = usize::from(u16::from_be_bytes(*head));
        if rest.len() < length {
            return None;
        }
        buffer.advance(HEAD);
        if length > 0 {
            return Some(buffer.split_to(length).freeze());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn packets_come_out_as_they_went_in_however_the_stream_is_cut(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..2000), 0..20),
            piece in 1usize..3000,
        ) {
            let framed: Vec<u8> = packets
                .iter()
                .flat_map(|packet| {
                    let head = u16::try_from(packet.len()).unwrap().to_be_bytes();
                    head.into_iter().chain(packet.iter().copied())
                })
                .collect();
            let mut buffer = BytesMut::new();
            let mut got = Vec::new();
            for piece in framed.chunks(piece) {
                buffer.extend_from_slice(piece);
                got.extend(std::iter::from_fn(|| cut(&mut buffer)).map(|packet| packet.to_vec()));
            }
            let sent: Vec<_> = packets.into_iter().filter(|packet| !packet.is_empty()).collect();
            prop_assert_eq!(got, sent);
            prop_assert!(buffer.is_empty());
        }
    }
}
