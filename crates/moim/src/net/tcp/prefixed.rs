//! A stream whose first bytes were read for protocol detection, and are read again.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt, ReadBuf};

use super::{
    delegate_async_write,
    protocol::{Detection, MAX_DETECTION_BYTES, Protocol, detect},
};

/// A stream that replays its first bytes.
#[derive(Debug)]
pub(crate) struct Prefixed<S> {
    stream: S,
    first: [u8; MAX_DETECTION_BYTES],
    filled: usize,
    taken: usize,
}

impl<S: AsyncRead + Unpin> Prefixed<S> {
    /// A stream of which nothing was read.
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, first: [0; MAX_DETECTION_BYTES], filled: 0, taken: 0 }
    }

    /// Reads until the protocol is known, and no further. `None` is an unknown protocol.
    ///
    /// # Errors
    /// Those of the stream, and `UnexpectedEof` if it ends before the protocol is known.
    pub(crate) async fn detect(&mut self) -> io::Result<Option<Protocol>> {
        if self.unread().is_empty() {
            (self.filled, self.taken) = (0, 0);
        }
        loop {
            match detect(self.unread()) {
                Detection::Known(protocol) => return Ok(Some(protocol)),
                Detection::Unknown => return Ok(None),
                Detection::NeedsMore => self.read_more().await?,
            }
        }
    }

    async fn read_more(&mut self) -> io::Result<()> {
        let free = self.first.get_mut(self.filled..).unwrap_or_default();
        match self.stream.read(free).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            more => {
                self.filled += more;
                Ok(())
            }
        }
    }
}

impl<S> Prefixed<S> {
    /// The stream below, which must not be read.
    pub(crate) fn inner_mut(&mut self) -> &mut S {
        &mut self.stream
    }

    fn unread(&self) -> &[u8] {
        self.first.get(self.taken..self.filled).unwrap_or_default()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Prefixed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let fits = self.unread().len().min(out.remaining());
        if fits == 0 {
            return Pin::new(&mut self.stream).poll_read(cx, out);
        }
        out.put_slice(self.unread().get(..fits).unwrap_or_default());
        self.taken += fits;
        Poll::Ready(Ok(()))
    }
}

delegate_async_write!(Prefixed<S>, S);

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";

    #[tokio::test]
    async fn detect_replays_bytes_that_arrive_one_by_one() {
        let (mut client, server) = tokio::io::duplex(1);
        let sending = async {
            client.write_all(BINDING).await.unwrap();
            drop(client);
        };
        let reading = async {
            let mut stream = Prefixed::new(server);
            let protocol = stream.detect().await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            (protocol, all)
        };
        let ((), (protocol, all)) = tokio::join!(sending, reading);
        assert_eq!(protocol, Some(Protocol::Turn));
        assert_eq!(all, BINDING);
    }

    #[tokio::test]
    async fn detect_fails_on_a_stream_that_ends_too_early() {
        for cut in 0..8 {
            let error = Prefixed::new(&BINDING[..cut]).detect().await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
    }

    #[tokio::test]
    async fn read_into_a_small_buffer_replays_the_prefix_in_pieces() {
        let mut stream = Prefixed::new(BINDING);
        stream.detect().await.unwrap();
        let mut all = Vec::new();
        let mut piece = [0; 3];
        loop {
            match stream.read(&mut piece).await.unwrap() {
                0 => break,
                read => all.extend_from_slice(&piece[..read]),
            }
        }
        assert_eq!(all, BINDING);
    }
}
