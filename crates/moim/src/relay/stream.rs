//! One TURN client over TCP or inside TLS, on the main runtime.

use std::{io, pin::pin, time::Duration};

use bytes::BytesMut;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, split},
    time::{Instant, timeout_at},
};
use turn::{FiveTuple, Transport, stream::frame_length};

use super::{
    Command,
    client::{Waiting, queue},
};
use crate::{
    port::Connection,
    shard::{self, Door},
};

/// A client that sends no whole message for so long must have an allocation to stay.
const SILENCE: Duration = Duration::from_secs(30);
/// What one read takes at most, so that an idle client holds little.
const READ: usize = 4 * 1024;

/// Carries messages both ways until either end is done.
pub(crate) async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send,
    connection: Connection,
    door: &Door,
) {
    let from = FiveTuple {
        transport: if connection.secure { Transport::Tls } else { Transport::Tcp },
        client: connection.peer,
        server: connection.local,
    };
    let (client, waiting) = queue();
    if door.send(shard::Command::Relay(Command::Opened(from, client))).await.is_err() {
        return;
    }
    let (reading, writing) = split(stream);
    let ended = {
        let read = pin!(read(reading, from, door));
        let write = pin!(write(writing, waiting));
        tokio::select! {
            ended = read => ended,
            ended = write => ended,
        }
    };
    if let Err(error) = ended {
        tracing::debug!(peer = %from.client, %error, "TURN connection ended");
    }
    // A shard that is gone has forgotten the client already.
    let _ = door.send(shard::Command::Relay(Command::Gone(from))).await;
}

/// Takes messages out of the stream, whole ones only.
async fn read(mut stream: impl AsyncRead + Unpin, from: FiveTuple, door: &Door) -> io::Result<()> {
    let mut buffer = BytesMut::new();
    let mut silent_at = Instant::now() + SILENCE;
    loop {
        while let Some(length) = frame_length(&buffer).map_err(io::Error::other)? {
            if buffer.len() < length {
                buffer.reserve(length - buffer.len());
                break;
            }
            let message = buffer.split_to(length).freeze();
            let command = Command::Message(from, message);
            door.send(shard::Command::Relay(command)).await.map_err(io::Error::other)?;
            silent_at = Instant::now() + SILENCE;
        }
        buffer.reserve(READ);
        match timeout_at(silent_at, stream.read_buf(&mut buffer)).await {
            Ok(read) => {
                if read? == 0 {
                    return Ok(());
                }
            }
            Err(_) => {
                let command = Command::Silent(from);
                door.send(shard::Command::Relay(command)).await.map_err(io::Error::other)?;
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
    while let Some(first) = waiting.next().await {
        let mut next = Some(first);
        while let Some(message) = next {
            stream.write_all(&message).await?;
            waiting.written(message.len());
            next = waiting.try_next();
        }
        stream.flush().await?;
    }
    stream.shutdown().await
}
