//! A stream that ends when nothing has moved on it for too long.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// A stream with an end to its patience: a reader that takes nothing and a writer that sends
/// nothing are both cut off.
#[derive(Debug)]
pub(crate) struct Idle<S> {
    stream: S,
    patience: Duration,
    moved: Instant,
    /// Set once and moved on only when it ends, as that is far rarer than bytes are.
    alarm: Pin<Box<Sleep>>,
}

impl<S> Idle<S> {
    /// Ends `stream` with `TimedOut` when no byte has moved for `patience`.
    pub(crate) fn new(stream: S, patience: Duration) -> Self {
        let moved = Instant::now();
        Self { stream, patience, moved, alarm: Box::pin(sleep_until(moved + patience)) }
    }

    /// What the stream said, or that its time is up.
    fn or_timed_out<T>(
        &mut self,
        cx: &mut Context<'_>,
        said: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if said.is_ready() {
            self.moved = Instant::now();
            return said;
        }
        while self.alarm.as_mut().poll(cx).is_ready() {
            let end = self.moved + self.patience;
            if end <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.alarm.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Idle<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.stream).poll_read(cx, out);
        self.or_timed_out(cx, said)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Idle<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_timed_out(cx, said)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let said = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.or_timed_out(cx, said)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Flushing moves nothing by itself, or each flush of an idle connection would prolong it.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(flushed) => Poll::Ready(flushed),
            Poll::Pending => self.or_timed_out(cx, Poll::Pending),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let said = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.or_timed_out(cx, said)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(75);

    #[tokio::test(start_paused = true)]
    async fn silence_ends_a_stream_when_patience_does() {
        let (_client, server) = tokio::io::duplex(64);
        let started = Instant::now();
        let error = Idle::new(server, PATIENCE).read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), PATIENCE.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn a_byte_now_and_then_keeps_it() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut stream = Idle::new(server, PATIENCE);
        for _ in 0..10 {
            tokio::time::advance(PATIENCE - Duration::from_secs(1)).await;
            client.write_u8(1).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_takes_nothing_is_cut_off() {
        let (_client, server) = tokio::io::duplex(64);
        let error = Idle::new(server, PATIENCE).write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
