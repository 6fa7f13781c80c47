//! A minimal client: Socket.IO 5 over Engine.IO 4 over WebSocket.

use std::{
    io::{self, ErrorKind, Read, Write},
    net::{SocketAddr, TcpStream},
    os::fd::{AsFd, BorrowedFd},
};

use anyhow::{Context, bail, ensure};
use rustix::event::epoll::EventFlags;

use super::frame::{self, CLOSE, TEXT};

/// A client's connection.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    stage: Stage,
    input: Vec<u8>,
    output: Vec<u8>,
    /// The masking key, which changes with each frame.
    mask: u32,
    /// The epoll events that it is registered for.
    wanted: EventFlags,
}

/// The stage of the handshake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for the WebSocket upgrade.
    Upgrading,
    /// Waits for the Engine.IO handshake.
    Opening,
    /// Waits for the namespace connection.
    Connecting,
    Connected,
}

/// An event of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// Connected to the namespace.
    Connected,
    /// A Socket.IO event: the JSON array of its name and arguments.
    Event(String),
    /// The server closed the connection.
    Gone,
}

impl Client {
    /// Opens a TCP connection and queues the upgrade request.
    pub(super) fn open(address: SocketAddr, seed: u32) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).context("can't connect to the server")?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let request = format!(
            "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: {address}\r\n\
             Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        Ok(Self {
            stream,
            stage: Stage::Upgrading,
            input: Vec::new(),
            output: request.into_bytes(),
            mask: seed,
            wanted: EventFlags::IN,
        })
    }

    /// Queues an Engine.IO packet.
    pub(super) fn queue(&mut self, packet: &str) {
        self.mask = self.mask.wrapping_mul(0x9e37_79b1).wrapping_add(1);
        frame::write(&mut self.output, TEXT, packet.as_bytes(), self.mask.to_be_bytes());
    }

    /// Queues a WebSocket Close frame.
    pub(super) fn queue_close(&mut self) {
        frame::write(&mut self.output, CLOSE, &1000_u16.to_be_bytes(), self.mask.to_be_bytes());
    }

    /// Writes queued bytes. Returns whether all were written.
    pub(super) fn flush(&mut self) -> io::Result<bool> {
        while !self.output.is_empty() {
            match self.stream.write(&self.output) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => drop(self.output.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // Five thousand idle clients should hold no buffers.
        if self.output.capacity() > 4096 {
            self.output = Vec::new();
        }
        Ok(true)
    }

    /// Sets the epoll events of interest. Returns whether they changed.
    pub(super) fn wants(&mut self, wanted: EventFlags) -> bool {
        std::mem::replace(&mut self.wanted, wanted) != wanted
    }

    /// Reads once and reports what arrived.
    pub(super) fn read(
        &mut self,
        scratch: &mut [u8],
        mut report: impl FnMut(Notice),
    ) -> anyhow::Result<()> {
        let count = match self.stream.read(scratch) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error).context("can't read from the server"),
        };
        if count == 0 {
            report(Notice::Gone);
            return Ok(());
        }
        self.input.extend_from_slice(scratch.get(..count).unwrap_or_default());
        let mut input = std::mem::take(&mut self.input);
        let taken = self.handle_input(&input, &mut report)?;
        if taken < input.len() {
            input.drain(..taken);
            self.input = input;
        }
        Ok(())
    }

    /// Handles complete frames. Returns the number of bytes consumed.
    fn handle_input(
        &mut self,
        input: &[u8],
        report: &mut impl FnMut(Notice),
    ) -> anyhow::Result<usize> {
        let mut taken = 0;
        if self.stage == Stage::Upgrading {
            let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else {
                return Ok(0);
            };
            ensure!(
                input.starts_with(b"HTTP/1.1 101 "),
                "the server rejected the WebSocket upgrade"
            );
            self.stage = Stage::Opening;
            taken = end + 4;
        }
        while let Some(frame) = frame::read(input.get(taken..).unwrap_or_default())? {
            let (start, end) = (taken + frame.payload.start, taken + frame.payload.end);
            taken = end;
            match frame.opcode {
                TEXT => {
                    let text = input.get(start..end).unwrap_or_default();
                    self.handle_packet(std::str::from_utf8(text)?, report)?;
                }
                CLOSE => report(Notice::Gone),
                other => bail!("a frame of opcode {other}"),
            }
        }
        Ok(taken)
    }

    fn handle_packet(
        &mut self,
        packet: &str,
        report: &mut impl FnMut(Notice),
    ) -> anyhow::Result<()> {
        match (self.stage, packet.as_bytes()) {
            (Stage::Opening, [b'0', ..]) => {
                self.stage = Stage::Connecting;
                self.queue("40");
            }
            (Stage::Connecting, [b'4', b'0', ..]) => {
                self.stage = Stage::Connected;
                report(Notice::Connected);
            }
            (Stage::Connected, [b'4', b'2', ..]) => {
                report(Notice::Event(packet.get(2..).unwrap_or_default().to_owned()));
            }
            (_, [b'2']) => self.queue("3"),
            (stage, _) => bail!("{packet} while {stage:?}"),
        }
        Ok(())
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
