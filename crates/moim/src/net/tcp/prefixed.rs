//! A stream whose first bytes were looked at and are still to be read.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};

use super::protocol::{ENOUGH, Protocol, Verdict, classify};

/// A stream that gives its first bytes again.
#[derive(Debug)]
pub(crate) struct Prefixed<S> {
    stream: S,
    first: [u8; ENOUGH],
    filled: usize,
    taken: usize,
}

impl<S: AsyncRead + Unpin> Prefixed<S> {
    /// Reads until it is clear what is spoken, and no further than that takes. `None` is nothing
    /// we speak.
    ///
    /// # Errors
    /// The stream's own, and `UnexpectedEof` if it ends before it was clear.
    pub(crate) async fn told(stream: S) -> io::Result<(Option<Protocol>, Self)> {
        let mut told = Self { stream, first: [0; ENOUGH], filled: 0, taken: 0 };
        loop {
            let protocol = match classify(told.unread()) {
                Verdict::Is(protocol) => Some(protocol),
                Verdict::Garbage => None,
                Verdict::NeedsMore => {
                    told.read_on().await?;
                    continue;
                }
            };
            return Ok((protocol, told));
        }
    }

    async fn read_on(&mut self) -> io::Result<()> {
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

impl<S: AsyncWrite + Unpin> AsyncWrite for Prefixed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncWriteExt;

    use super::*;

    const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl";

    #[tokio::test]
    async fn bytes_that_come_one_by_one_are_told_and_read_again() {
        let (mut client, server) = tokio::io::duplex(1);
        let sending = async {
            client.write_all(BINDING).await.unwrap();
            drop(client);
        };
        let reading = async {
            let (protocol, mut stream) = Prefixed::told(server).await.unwrap();
            let mut all = Vec::new();
            stream.read_to_end(&mut all).await.unwrap();
            (protocol, all)
        };
        let ((), (protocol, all)) = tokio::join!(sending, reading);
        assert_eq!(protocol, Some(Protocol::Turn));
        assert_eq!(all, BINDING);
    }

    #[tokio::test]
    async fn a_stream_cut_before_it_is_clear_is_an_early_end() {
        for cut in 0..8 {
            let error = Prefixed::told(&BINDING[..cut]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{cut}");
        }
    }

    #[tokio::test]
    async fn a_small_buffer_gets_the_first_bytes_in_pieces() {
        let (_, mut stream) = Prefixed::told(BINDING).await.unwrap();
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
