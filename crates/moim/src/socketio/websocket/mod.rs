//! A WebSocket over an upgraded connection, server side. While nothing is on its way it holds no
//! buffer: reading goes through one that the thread's sockets share.

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

use crate::workers;
use decoder::{Decoder, Item, Violation};
pub(super) use handshake::accept;

/// What is read at once.
const CHUNK: usize = 16 * 1024;

/// Unsent bytes beyond which pings are not answered any more.
const MOST_UNSENT_FOR_PONG: usize = 64 * 1024;

/// What it was for is done (RFC 6455 §7.4.1).
const NORMAL_CLOSURE: u16 = 1000;
/// A browser leaves the page.
const GOING_AWAY: u16 = 1001;

/// How long a closed WebSocket may take to go.
const FAREWELL: Duration = Duration::from_secs(3);

thread_local! {
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; CHUNK].into());
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

/// Why there won't be another message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct End {
    /// The status to close with (RFC 6455 §7.4.1).
    pub(super) status: u16,
    /// The client closes, and says that all is well.
    pub(super) is_going_away: bool,
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        Self { status: violation.status(), is_going_away: false }
    }
}

impl WebSocket {
    /// A WebSocket whose messages have no more than so many bytes.
    pub(super) fn new(io: Upgraded, most: usize) -> Self {
        Self {
            io: TokioIo::new(io),
            decoder: Decoder::new(most),
            unsent: Vec::new(),
            sent: 0,
            flushed: true,
        }
    }

    /// Whether all that was sent is out.
    pub(super) fn is_flushed(&self) -> bool {
        self.flushed
    }

    /// Bytes that wait to be sent.
    pub(super) fn unsent(&self) -> usize {
        self.unsent.len() - self.sent
    }

    /// Bytes held for what came in part and for what is not sent yet.
    pub(super) fn held(&self) -> usize {
        self.decoder.held() + self.unsent.capacity()
    }

    /// Reads what is there. Drain [`WebSocket::next_message`] after it.
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

    /// The next message among what was read.
    ///
    /// # Errors
    /// There won't be another; drop the WebSocket or [`WebSocket::say_farewell`].
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
        if self.unsent.len() < MOST_UNSENT_FOR_PONG {
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

    /// Sends what is queued.
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

    /// Sends what is queued and a Close, then waits a little for the client to go, so that it
    /// sees a close and no reset.
    pub(super) async fn say_farewell(mut self, status: u16) {
        // Nothing more is read.
        self.decoder = Decoder::new(0);
        write_head(&mut self.unsent, OpCode::Control(Control::Close), 2);
        self.unsent.extend_from_slice(&status.to_be_bytes());
        let farewell = async {
            std::future::poll_fn(|context| self.poll_flush(context)).await?;
            self.io.shutdown().await?;
            tokio::io::copy(&mut self.io, &mut tokio::io::sink()).await
        };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }
}

fn write_head(into: &mut Vec<u8>, opcode: OpCode, length: usize) {
    let header = FrameHeader { opcode, ..FrameHeader::default() };
    // Writing to a Vec does not fail.
    let _ = header.format(length as u64, into);
}
