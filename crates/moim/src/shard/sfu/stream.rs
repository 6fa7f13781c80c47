//! An ICE-TCP client (RFC 6544), also inside TLS, on the main runtime. Each packet is framed by its
//! length in two bytes (RFC 4571).

use std::{io, pin::pin, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use doctor::reach::{Outcome, Transport};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, split},
    sync::oneshot,
    time::{Instant, timeout},
};

use super::command::{Command, TcpPath};
use crate::{
    log_privacy,
    net::{reach::ReachLog, tcp::Connection},
    shard::{command::CommandSender, tcp_client::tcp_client},
};

/// Time without a packet after which a client is gone: its checks come every few seconds.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(30);
/// Interval of the checks that a connection is authenticated; one that is not is closed.
/// Unauthenticated connectivity checks are cheap to send.
const REVIEW_INTERVAL: Duration = Duration::from_secs(30);
/// Bytes taken in one read, so that an idle client holds little memory.
const READ_BYTES: usize = 4 * 1024;
/// Size of the length before each packet.
const LENGTH_BYTES: usize = 2;

/// An open connection.
struct Client<'a> {
    path: TcpPath,
    shard: &'a CommandSender,
    reach: &'a ReachLog,
    /// Inside TLS.
    is_secure: bool,
}

/// Carries packets in both directions until either end is done. The first packet must be a
/// connectivity check for one of our peers, which determines the shard.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    connection: Connection,
    shards: &[CommandSender],
    reach: &ReachLog,
) {
    let path = TcpPath { local: connection.local, remote: connection.peer };
    let (mut reader, mut writer) = split(stream);
    let mut buffer = BytesMut::new();
    let first = match timeout(SILENCE_TIMEOUT, next_packet(&mut reader, &mut buffer)).await {
        Ok(Ok(Some(first))) => first,
        _ => return,
    };
    let index = sfu::ufrag_of(&first).and_then(sfu::shard_of);
    let Some(shard) = index.and_then(|index| shards.get(usize::from(index))) else { return };
    let (client, mut queue) = tcp_client();
    for command in [Command::Opened(path, client), Command::Packet(path, first)] {
        if shard.send(command).await.is_err() {
            return;
        }
    }
    let ended = {
        let client = Client { path, shard, reach, is_secure: connection.secure };
        let read = pin!(read(reader, buffer, &client));
        let write = pin!(queue.write_to(&mut writer, |_| {}));
        tokio::select! {
            ended = read => ended,
            ended = write => ended.map(drop),
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = log_privacy::address(path.remote.ip()), %error, "ICE-TCP connection ended");
    }
    // A shard that has stopped has forgotten the client already.
    let _ = shard.send(Command::Closed(path)).await;
}

async fn read(
    mut stream: impl AsyncRead + Unpin,
    mut buffer: BytesMut,
    client: &Client<'_>,
) -> io::Result<()> {
    let &Client { path, shard, .. } = client;
    let mut review_at = Instant::now() + REVIEW_INTERVAL;
    while let Some(packet) =
        timeout(SILENCE_TIMEOUT, next_packet(&mut stream, &mut buffer)).await??
    {
        if review_at <= Instant::now() {
            review(client).await?;
            review_at = Instant::now() + REVIEW_INTERVAL;
        }
        shard.send(Command::Packet(path, packet)).await.map_err(io::Error::other)?;
    }
    Ok(())
}

/// Fails for a connection that is not authenticated.
async fn review(client: &Client<'_>) -> io::Result<()> {
    let &Client { path, shard, reach, is_secure } = client;
    let (reply, is_authenticated) = oneshot::channel();
    let command = Command::IsAuthenticated(path, reply);
    shard.send(command).await.map_err(io::Error::other)?;
    if is_authenticated.await.map_err(io::Error::other)? {
        let transport = if is_secure { Transport::Tls } else { Transport::Tcp };
        reach.note(path.remote.ip(), transport, Outcome::Connected);
        return Ok(());
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "not authenticated by a connectivity check"))
}

/// Waits for the next packet; `None` at the end of the stream. Cancel-safe: bytes that were read
/// stay in the buffer.
async fn next_packet(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
) -> io::Result<Option<Bytes>> {
    loop {
        if let Some(packet) = take_packet(buffer) {
            return Ok(Some(packet));
        }
        buffer.reserve(READ_BYTES);
        if stream.read_buf(buffer).await? == 0 {
            return Ok(None);
        }
    }
}

/// Takes a whole packet off the front of the buffer. Skips empty packets.
fn take_packet(buffer: &mut BytesMut) -> Option<Bytes> {
    loop {
        let (head, rest) = buffer.split_first_chunk::<LENGTH_BYTES>()?;
        let length = usize::from(u16::from_be_bytes(*head));
        if rest.len() < length {
            return None;
        }
        buffer.advance(LENGTH_BYTES);
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
        fn take_packet_reassembles_packets_from_any_pieces(
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
            let mut taken = Vec::new();
            for piece in framed.chunks(piece) {
                buffer.extend_from_slice(piece);
                let packets = std::iter::from_fn(|| take_packet(&mut buffer));
                taken.extend(packets.map(|packet| packet.to_vec()));
            }
            let sent: Vec<_> = packets.into_iter().filter(|packet| !packet.is_empty()).collect();
            prop_assert_eq!(taken, sent);
            prop_assert!(buffer.is_empty());
        }
    }
}
