//! Transports of the TURN client.

use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket},
    sync::Arc,
    time::Instant,
};

use dimpl::{Config, Dtls, Output, certificate::generate_self_signed_certificate};
use rustls::{ClientConnection, StreamOwned};
use turn::stream::frame_length;

use crate::{
    peer::{Tls, tcp},
    support::{DEADLINE, Server},
};

/// A transport of TURN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    Udp,
    Tcp,
    Tls,
    Dtls,
}

impl Transport {
    pub(crate) fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::Tls)
    }
}

/// A connection to the server that carries whole messages.
pub(super) enum Wire {
    Udp(UdpSocket),
    Dtls(Box<Session>),
    Tcp(TcpStream, Vec<u8>),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>, Vec<u8>),
}

impl Wire {
    pub(super) fn connect(server: &Server, transport: Transport) -> Self {
        let address = server.address();
        match transport {
            Transport::Udp => Self::Udp(udp(address)),
            Transport::Dtls => Self::Dtls(Box::new(Session::connect(udp(address)))),
            Transport::Tcp => Self::Tcp(tcp(address), Vec::new()),
            Transport::Tls => {
                let tls = Tls::trusting(server).alpn(b"stun.turn");
                let stream = tls.connect(address, "localhost").unwrap();
                Self::Tls(Box::new(stream), Vec::new())
            }
        }
    }

    /// A datagram socket towards any address of this host.
    pub(super) fn at(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        socket.set_read_timeout(Some(DEADLINE)).unwrap();
        socket.connect(server).unwrap();
        Self::Udp(socket)
    }

    pub(super) fn local(&self) -> SocketAddr {
        match self {
            Self::Udp(socket) => socket.local_addr(),
            Self::Dtls(session) => session.socket.local_addr(),
            Self::Tcp(stream, _) => stream.local_addr(),
            Self::Tls(stream, _) => stream.sock.local_addr(),
        }
        .unwrap()
    }

    pub(super) fn send(&mut self, message: &[u8]) {
        match self {
            Self::Udp(socket) => assert_eq!(socket.send(message).unwrap(), message.len()),
            Self::Dtls(session) => session.send(message),
            Self::Tcp(stream, _) => stream.write_all(message).unwrap(),
            Self::Tls(stream, _) => stream.write_all(message).unwrap(),
        }
    }

    pub(super) fn receive(&mut self) -> Vec<u8> {
        match self {
            Self::Udp(socket) => datagram(socket),
            Self::Dtls(session) => session.receive(),
            Self::Tcp(stream, buffer) => framed(stream, buffer),
            Self::Tls(stream, buffer) => framed(stream, buffer),
        }
    }

    pub(super) fn socket(&self) -> UdpSocket {
        match self {
            Self::Udp(socket) => socket.try_clone().unwrap(),
            Self::Dtls(_) | Self::Tcp(..) | Self::Tls(..) => panic!("not over UDP alone"),
        }
    }

    /// The underlying stream, after its last message.
    pub(super) fn into_stream(self) -> Box<dyn Duplex> {
        match self {
            Self::Tcp(stream, early) => Box::new(Behind { early, stream }),
            Self::Tls(stream, early) => Box::new(Behind { early, stream: *stream }),
            Self::Udp(_) | Self::Dtls(_) => panic!("not a stream"),
        }
    }
}

/// A stream that can be half-closed.
pub(super) trait Duplex: Read + Write {
    /// Closes the sending direction.
    fn finish(&mut self);
}

/// A stream with buffered input.
struct Behind<S> {
    early: Vec<u8>,
    stream: S,
}

impl<S: Read> Read for Behind<S> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.early.is_empty() {
            return self.stream.read(out);
        }
        let len = out.len().min(self.early.len());
        out[..len].copy_from_slice(&self.early[..len]);
        self.early.drain(..len);
        Ok(len)
    }
}

impl<S: Write> Write for Behind<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Duplex for Behind<TcpStream> {
    fn finish(&mut self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }
}

impl Duplex for Behind<StreamOwned<ClientConnection, TcpStream>> {
    fn finish(&mut self) {
        self.stream.conn.send_close_notify();
        self.stream.flush().unwrap();
    }
}

/// A socket on loopback, connected to the server.
pub(super) fn udp(server: SocketAddr) -> UdpSocket {
    let socket = UdpSocket::bind((loopback(server), 0)).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.connect(server).unwrap();
    socket
}

pub(super) fn loopback(like: SocketAddr) -> IpAddr {
    if like.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() }
}

fn datagram(socket: &UdpSocket) -> Vec<u8> {
    let mut bytes = vec![0; 64 * 1024];
    let len = socket.recv(&mut bytes).unwrap();
    bytes.truncate(len);
    bytes
}

fn framed(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Vec<u8> {
    loop {
        let length = frame_length(buffer).unwrap().filter(|length| *length <= buffer.len());
        if let Some(length) = length {
            return buffer.drain(..length).collect();
        }
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).unwrap();
        assert_ne!(read, 0, "the server closed the connection");
        buffer.extend_from_slice(&piece[..read]);
    }
}

/// DTLS over a socket.
pub(super) struct Session {
    socket: UdpSocket,
    dtls: Dtls,
    connected: bool,
    messages: VecDeque<Vec<u8>>,
}

impl Session {
    fn connect(socket: UdpSocket) -> Self {
        let config = Arc::new(Config::builder().build().unwrap());
        let certificate = generate_self_signed_certificate().unwrap();
        let mut dtls = Dtls::new_12(config, certificate, Instant::now());
        dtls.set_active(true);
        dtls.handle_timeout(Instant::now()).unwrap();
        let mut session = Self { socket, dtls, connected: false, messages: VecDeque::new() };
        session.drain();
        while !session.connected {
            session.hear();
        }
        session
    }

    fn send(&mut self, message: &[u8]) {
        self.dtls.send_application_data(message).unwrap();
        self.drain();
    }

    fn receive(&mut self) -> Vec<u8> {
        loop {
            if let Some(message) = self.messages.pop_front() {
                return message;
            }
            self.hear();
        }
    }

    fn hear(&mut self) {
        let packet = datagram(&self.socket);
        self.dtls.handle_packet(&packet).unwrap();
        self.drain();
    }

    fn drain(&mut self) {
        let mut scratch = vec![0; 64 * 1024];
        loop {
            match self.dtls.poll_output(&mut scratch) {
                Output::Packet(packet) => {
                    assert_eq!(self.socket.send(packet).unwrap(), packet.len());
                }
                Output::ApplicationData(message) => self.messages.push_back(message.to_vec()),
                Output::Connected => self.connected = true,
                Output::Timeout(_) => return,
                Output::BufferTooSmall { needed } => panic!("{needed} bytes at once"),
                _ => {}
            }
        }
    }
}
