//! Transports of the doctor's TURN client.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream, UdpSocket},
};

use rustls::{ClientConnection, StreamOwned};
use turn::stream::frame_length;

use super::{
    dtls::Session,
    tls::{handshake, tcp},
    udp::{datagram, udp},
};

/// A transport of TURN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
    Tls,
    Dtls,
}

impl Transport {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
            Self::Dtls => "DTLS",
        }
    }
}

/// A connection that carries whole messages.
pub(super) enum Wire {
    Udp(UdpSocket),
    Dtls(Box<Session>),
    Tcp(TcpStream, Vec<u8>),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>, Vec<u8>),
}

impl Wire {
    pub(super) fn connect(transport: Transport, server: SocketAddr) -> io::Result<Self> {
        Ok(match transport {
            Transport::Udp => Self::Udp(udp(server)?),
            Transport::Dtls => Self::Dtls(Box::new(Session::connect(udp(server)?)?)),
            Transport::Tcp => Self::Tcp(tcp(server)?, Vec::new()),
            Transport::Tls => {
                let stream = handshake(server, "localhost", &[b"stun.turn"])?;
                Self::Tls(Box::new(stream), Vec::new())
            }
        })
    }

    pub(super) fn is_reliable(&self) -> bool {
        matches!(self, Self::Tcp(..) | Self::Tls(..))
    }

    pub(super) fn send(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Udp(socket) => socket.send(message).map(drop),
            Self::Dtls(session) => session.send(message),
            Self::Tcp(stream, _) => stream.write_all(message),
            Self::Tls(stream, _) => stream.write_all(message).and_then(|()| stream.flush()),
        }
    }

    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        match self {
            Self::Udp(socket) => datagram(socket),
            Self::Dtls(session) => session.receive(),
            Self::Tcp(stream, buffer) => framed(stream, buffer),
            Self::Tls(stream, buffer) => framed(stream, buffer),
        }
    }
}

fn framed(stream: &mut impl Read, buffer: &mut Vec<u8>) -> io::Result<Vec<u8>> {
    loop {
        let length = frame_length(buffer).map_err(|_| io::Error::other("not a STUN message"))?;
        if let Some(length) = length.filter(|length| *length <= buffer.len()) {
            return Ok(buffer.drain(..length).collect());
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
}
