//! Server side of a WebSocket on an upgraded connection. An idle WebSocket holds no buffer: reads
//! use one per thread.

mod decoder;
mod handshake;

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use socketio::{Frame, Message};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Control, Data, OpCode},
};

use self::decoder::{Decoder, Item, Violation};
pub(super) use self::handshake::accept;
use crate::workers;

/// Size of a read, in bytes.
const READ_BYTES: usize = 16 * 1024;

/// Unsent bytes beyond which pings are not answered.
const MAX_UNSENT_FOR_PONG_BYTES: usize = 64 * 1024;

/// Normal closure (RFC 6455 §7.4.1).
const NORMAL_CLOSURE: u16 = 1000;
/// Sent by browsers that leave the page (RFC 6455 §7.4.1).
const GOING_AWAY: u16 = 1001;

/// Maximum duration of the close handshake.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

/// A WebSocket.
#[derive(Debug)]
pub(super) struct WebSocket {
    io: TokioIo<Upgraded>,
    decoder: Decoder,
    unsent: Vec<u8>,
    sent: usize,
    flushed: bool,
}

/// Reason for the end of a WebSocket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The status to close with (RFC 6455 §7.4.1).
    pub(super) status: u16,
    /// The client closed with status 1000 or 1001.
    pub(super) is_going_away: bool,
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        Self { status: violation.status(), is_going_away: false }
    }
}

impl WebSocket {
    /// Wraps an upgraded connection; messages may have at most `max_message_bytes`.
    pub(super) fn new(io: Upgraded, max_message_bytes: usize) -> Self {
        Self {
            io: TokioIo::new(io),
            decoder: Decoder::new(max_message_bytes),
            unsent: Vec::new(),
            sent: 0,
            flushed: true,
        }
    }

    /// Returns whether all sent data is flushed.
    pub(super) fn is_flushed(&self) -> bool {
        self.flushed
    }

    /// Unsent bytes.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// Bytes held for incomplete messages and unsent data.
    pub(super) fn held(&self) -> usize {
        self.decoder.held() + self.unsent.capacity()
    }

    /// Reads available data. Drain [`WebSocket::next_message`] afterwards.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        SCRATCH.with_borrow_mut(|scratch| {
            let mut buffer = ReadBuf::new(scratch);
            ready!(Pin::new(&mut self.io).poll_read(context, &mut buffer))?;
            if buffer.filled().is_empty() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            workers::count_read(buffer.filled().len());
            self.decoder.handle_bytes(buffer.filled());
            Poll::Ready(Ok(()))
        })
    }

    /// Returns the next message of the data read.
    ///
    /// # Errors
    /// No message follows; drop the WebSocket or [`close`](WebSocket::close) it.
    pub(super) fn next_message(&mut self) -> Result<Option<Message<'_>>, End> {
        loop {
            match self.decoder.next_item()? {
                None => return Ok(None),
                Some(Item::Text) => {
                    let text = std::str::from_utf8(self.decoder.payload());
                    let text = text.map_err(|_| Violation::Utf8)?;
                    return Ok(Some(Message::Text(text)));
                }
                Some(Item::Binary) => {
                    return Ok(Some(Message::Binary(self.decoder.payload().into())));
                }
                Some(Item::Ping) => self.answer_ping(),
                Some(Item::Pong) => {}
                Some(Item::Close) => {
                    let status = self.decoder.payload().first_chunk().copied();
                    let status = status.map(u16::from_be_bytes);
                    let is_going_away = matches!(status, Some(NORMAL_CLOSURE | GOING_AWAY));
                    return Err(End { status: NORMAL_CLOSURE, is_going_away });
                }
            }
        }
    }

    fn answer_ping(&mut self) {
        if self.unsent.len() < MAX_UNSENT_FOR_PONG_BYTES {
            let data = self.decoder.payload();
            write_head(&mut self.unsent, OpCode::Control(Control::Pong), data.len());
            self.unsent.extend_from_slice(data);
            self.flushed = false;
        }
    }

    /// Queues a message; [`WebSocket::poll_flush`] sends it.
    pub(super) fn send(&mut self, frame: &Frame) {
        let data = if frame.is_binary() { Data::Binary } else { Data::Text };
        let (first, rest) = frame.parts();
        self.unsent.reserve(frame.len() + 10);
        write_head(&mut self.unsent, OpCode::Data(data), frame.len());
        self.unsent.extend(first);
        self.unsent.extend_from_slice(rest);
        self.flushed = false;
    }

    /// Flushes queued data.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn poll_flush(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.unsent.get(self.sent..)
            && !rest.is_empty()
        {
            let count = ready!(Pin::new(&mut self.io).poll_write(context, rest))?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.sent += count;
        }
        self.unsent = Vec::new();
        self.sent = 0;
        ready!(Pin::new(&mut self.io).poll_flush(context))?;
        self.flushed = true;
        Poll::Ready(Ok(()))
    }

    /// Flushes queued data and a Close frame, then waits briefly for the client to close, so that
    /// it sees a close instead of a reset.
    pub(super) async fn close(mut self, status: u16) {
        // No further input is decoded.
        self.decoder = Decoder::new(0);
        write_head(&mut self.unsent, OpCode::Control(Control::Close), 2);
        self.unsent.extend_from_slice(&status.to_be_bytes());
        let handshake = async {
            std::future::poll_fn(|context| self.poll_flush(context)).await?;
            self.io.shutdown().await?;
            tokio::io::copy(&mut self.io, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, handshake).await;
    }
}

fn write_head(into: &mut Vec<u8>, opcode: OpCode, length: usize) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    // Writing to a Vec is infallible.
    let _ = header.format(length as u64, into);
}
