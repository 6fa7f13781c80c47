//! A stream that fails after a period without progress.

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

/// A stream with an idle timeout, against peers that read nothing and peers that write nothing.
#[derive(Debug)]
pub(crate) struct IdleTimeout<S> {
    stream: S,
    timeout: Duration,
    last_progress: Instant,
    /// Postponed only when it fires, which is far rarer than progress.
    timer: Pin<Box<Sleep>>,
}

impl<S> IdleTimeout<S> {
    /// Fails `stream` with `TimedOut` when no byte has moved for `timeout`.
    pub(crate) fn new(stream: S, timeout: Duration) -> Self {
        let last_progress = Instant::now();
        let timer = Box::pin(sleep_until(last_progress + timeout));
        Self { stream, timeout, last_progress, timer }
    }

    /// Returns the result of the stream, or an error if it is pending past the timeout.
    fn or_timed_out<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.last_progress = Instant::now();
            return result;
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let deadline = self.last_progress + self.timeout;
            if deadline <= Instant::now() {
                return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
            }
            self.timer.as_mut().reset(deadline);
        }
        Poll::Pending
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for IdleTimeout<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_read(cx, out);
        self.or_timed_out(cx, result)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for IdleTimeout<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.or_timed_out(cx, result)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let result = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.or_timed_out(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// A flush is no progress, or each flush of an idle connection would prolong it.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(flushed) => Poll::Ready(flushed),
            Poll::Pending => self.or_timed_out(cx, Poll::Pending),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let result = Pin::new(&mut self.stream).poll_shutdown(cx);
        self.or_timed_out(cx, result)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(75);

    #[tokio::test(start_paused = true)]
    async fn read_fails_after_the_timeout() {
        let (_client, server) = tokio::io::duplex(64);
        let started = Instant::now();
        let error = IdleTimeout::new(server, TIMEOUT).read_u8().await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(started.elapsed().as_secs(), TIMEOUT.as_secs());
    }

    #[tokio::test(start_paused = true)]
    async fn progress_postpones_the_timeout() {
        let (mut client, server) = tokio::io::duplex(64);
        let mut stream = IdleTimeout::new(server, TIMEOUT);
        for _ in 0..10 {
            tokio::time::advance(TIMEOUT - Duration::from_secs(1)).await;
            client.write_u8(1).await.unwrap();
            assert_eq!(stream.read_u8().await.unwrap(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn write_to_a_peer_that_reads_nothing_fails_after_the_timeout() {
        let (_client, server) = tokio::io::duplex(64);
        let error = IdleTimeout::new(server, TIMEOUT).write_all(&[0; 65]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
