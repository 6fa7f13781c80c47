//! Byte streams, whatever they are wrapped in.

use tokio::io::{AsyncRead, AsyncWrite};

/// A bidirectional byte stream that a connection's task owns.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send + 'static> Stream for S {}
