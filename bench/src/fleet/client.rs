//! One client: Socket.IO 5 over Engine.IO 4 over a WebSocket, no more than a load needs.

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
    /// Changes with each frame, as masks should.
    mask: u32,
    /// What it waits to be told of its socket.
    wanted: EventFlags,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It asked for a WebSocket.
    Upgrading,
    /// It waits for the handshake of Engine.IO.
    Opening,
    /// It asked to connect to the namespace.
    Connecting,
    Connected,
}

/// What a client learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    /// It is connected and may emit.
    Connected,
    /// An event: the JSON array of its name and arguments.
    Event(String),
    /// The server closed the connection.
    Gone,
}

impl Client {
    /// A client that is about to be connected.
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

    /// Queues the Close of the WebSocket.
    pub(super) fn queue_close(&mut self) {
        frame::write(&mut self.output, CLOSE, &1000_u16.to_be_bytes(), self.mask.to_be_bytes());
    }

    /// Writes what is queued; `true` if all of it is out.
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
        // Five thousand idle ones should hold none.
        if self.output.capacity() > 4096 {
            self.output = Vec::new();
        }
        Ok(true)
    }

    /// Notes what it waits for; `true` if that is new.
    pub(super) fn wants(&mut self, wanted: EventFlags) -> bool {
        std::mem::replace(&mut self.wanted, wanted) != wanted
    }

    /// Reads once, and gives what came of it.
    pub(super) fn read(
        &mut self,
        scratch: &mut [u8],
        mut learn: impl FnMut(Notice),
    ) -> anyhow::Result<()> {
        let count = match self.stream.read(scratch) {
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => 0,
            Err(error) => return Err(error).context("can't read from the server"),
        };
        if count == 0 {
            learn(Notice::Gone);
            return Ok(());
        }
        self.input.extend_from_slice(scratch.get(..count).unwrap_or_default());
        let mut input = std::mem::take(&mut self.input);
        let taken = self.take_in(&input, &mut learn)?;
        if taken < input.len() {
            input.drain(..taken);
            self.input = input;
        }
        Ok(())
    }

    /// Takes in what is whole; how many bytes that was.
    fn take_in(&mut self, input: &[u8], learn: &mut impl FnMut(Notice)) -> anyhow::Result<usize> {
        let mut taken = 0;
        if self.stage == Stage::Upgrading {
            let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else {
                return Ok(0);
            };
            ensure!(input.starts_with(b"HTTP/1.1 101 "), "the server gives no WebSocket");
            self.stage = Stage::Opening;
            taken = end + 4;
        }
        while let Some(frame) = frame::read(input.get(taken..).unwrap_or_default())? {
            let (start, end) = (taken + frame.payload.start, taken + frame.payload.end);
            taken = end;
            match frame.opcode {
                TEXT => {
                    let text = input.get(start..end).unwrap_or_default();
                    self.handle_packet(std::str::from_utf8(text)?, learn)?;
                }
                CLOSE => learn(Notice::Gone),
                other => bail!("a frame of opcode {other}"),
            }
        }
        Ok(taken)
    }

    fn handle_packet(
        &mut self,
        packet: &str,
        learn: &mut impl FnMut(Notice),
    ) -> anyhow::Result<()> {
        match (self.stage, packet.as_bytes()) {
            (Stage::Opening, [b'0', ..]) => {
                self.stage = Stage::Connecting;
                self.queue("40");
            }
            (Stage::Connecting, [b'4', b'0', ..]) => {
                self.stage = Stage::Connected;
                learn(Notice::Connected);
            }
            (Stage::Connected, [b'4', b'2', ..]) => {
                learn(Notice::Event(packet.get(2..).unwrap_or_default().to_owned()));
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
