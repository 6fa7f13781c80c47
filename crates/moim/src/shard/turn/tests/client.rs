//! A TURN client for tests.

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout,
};
use turn::{
    rest::Credential,
    stream::frame_length,
    stun::{
        Class, Key, Message, Method, TransactionId, Writer,
        attribute::{
            CHANNEL_NUMBER, ERROR_CODE, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME,
            XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
        },
    },
};

use super::{SECRET, TIMEOUT};

/// The transport of a client. A TCP client has a buffer of received bytes.
pub(crate) enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, Vec<u8>),
}

/// A TURN client with one request at a time.
pub(crate) struct Client {
    pub(crate) wire: Wire,
    pub(super) credential: Credential,
    nonce: Vec<u8>,
    transactions: u8,
}

/// The attributes of a response.
pub(crate) struct Response {
    pub(super) bytes: Vec<u8>,
}

impl Response {
    pub(crate) fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).unwrap()
    }

    pub(crate) fn error(&self) -> Option<u16> {
        let value = self.message().attribute(ERROR_CODE)?;
        Some(u16::from(value[2]) * 100 + u16::from(value[3]))
    }

    pub(crate) fn address(&self, kind: u16) -> SocketAddr {
        self.message().xor_address(kind).unwrap()
    }
}

impl Client {
    pub(crate) async fn udp(server: SocketAddr) -> Self {
        let socket = UdpSocket::bind((server.ip(), 0)).await.unwrap();
        socket.connect(server).await.unwrap();
        Self::over(Wire::Udp(socket))
    }

    pub(crate) async fn tcp(server: SocketAddr) -> Self {
        Self::over(Wire::Tcp(TcpStream::connect(server).await.unwrap(), Vec::new()))
    }

    pub(crate) fn over(wire: Wire) -> Self {
        let credential = Credential::mint(SECRET, 4_000_000_000, "tester");
        Self { wire, credential, nonce: Vec::new(), transactions: 0 }
    }

    pub(crate) fn local(&self) -> SocketAddr {
        match &self.wire {
            Wire::Udp(socket) => socket.local_addr().unwrap(),
            Wire::Tcp(stream, _) => stream.local_addr().unwrap(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        match &mut self.wire {
            Wire::Udp(socket) => assert_eq!(socket.send(bytes).await.unwrap(), bytes.len()),
            Wire::Tcp(stream, _) => stream.write_all(bytes).await.unwrap(),
        }
    }

    pub(crate) async fn receive(&mut self) -> Vec<u8> {
        match &mut self.wire {
            Wire::Udp(socket) => {
                let mut bytes = vec![0; 64 * 1024];
                let len = timeout(TIMEOUT, socket.recv(&mut bytes)).await.unwrap().unwrap();
                bytes.truncate(len);
                bytes
            }
            Wire::Tcp(stream, buffer) => loop {
                if let Some(length) = frame_length(buffer).unwrap().filter(|l| *l <= buffer.len()) {
                    return buffer.drain(..length).collect();
                }
                let read = timeout(TIMEOUT, stream.read_buf(buffer)).await.unwrap().unwrap();
                assert_ne!(read, 0, "the server closed the connection");
            },
        }
    }

    pub(crate) async fn request(
        &mut self,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> Response {
        let key = Key::long_term(&self.credential.username, "moim", &self.credential.password);
        loop {
            self.transactions += 1;
            let mut request = Vec::new();
            let transaction = TransactionId([self.transactions; 12]);
            let mut writer = Writer::new(&mut request, Class::Request, method, transaction);
            fill(&mut writer);
            if !self.nonce.is_empty() {
                writer.attribute(USERNAME, self.credential.username.as_bytes());
                writer.attribute(REALM, b"moim");
                writer.attribute(NONCE, &self.nonce);
                writer.integrity(&key);
            }
            self.send(&request).await;
            let response = Response { bytes: self.receive().await };
            assert_eq!(response.message().transaction(), transaction);
            match response.error() {
                Some(401) if self.nonce.is_empty() => {
                    self.nonce = response.message().attribute(NONCE).unwrap().to_vec();
                }
                _ => return response,
            }
        }
    }

    pub(crate) async fn allocate(&mut self) -> Response {
        self.request(Method::ALLOCATE, |request| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        })
        .await
    }

    pub(crate) async fn allocated(&mut self) -> SocketAddr {
        let response = self.allocate().await;
        assert_eq!(response.error(), None);
        response.address(XOR_RELAYED_ADDRESS)
    }

    pub(crate) async fn bind(&mut self, number: u16, peer: SocketAddr) -> Option<u16> {
        let [high, low] = number.to_be_bytes();
        let response = self.request(Method::CHANNEL_BIND, |request| {
            request.attribute(CHANNEL_NUMBER, &[high, low, 0, 0]);
            request.xor_address(XOR_PEER_ADDRESS, peer);
        });
        response.await.error()
    }

    /// Sends over a channel, padded as a stream needs.
    pub(crate) async fn channel(&mut self, number: u16, data: &[u8]) {
        let mut message = number.to_be_bytes().to_vec();
        message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend_from_slice(data);
        if let Wire::Tcp(..) = self.wire {
            message.resize(message.len().next_multiple_of(4), 0);
        }
        self.send(&message).await;
    }

    pub(crate) async fn channel_data(&mut self) -> (u16, Vec<u8>) {
        let message = self.receive().await;
        let (number, data) = turn::channel::read(&message).unwrap();
        (number.value(), data.to_vec())
    }
}
