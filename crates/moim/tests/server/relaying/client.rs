//! A blocking TURN client.

use std::net::{SocketAddr, UdpSocket};

use turn::stun::{
    Class, Key, Message, Method, TransactionId, Writer,
    attribute::{
        CHANNEL_NUMBER, DATA, ERROR_CODE, LIFETIME, NONCE, REALM, REQUESTED_ADDRESS_FAMILY,
        REQUESTED_TRANSPORT, USERNAME, XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
    },
};

use super::wire::{Duplex, Transport, Wire};
use crate::support::Server;

/// Flags of a server that relays for [`Client`]s on loopback.
pub(crate) const ALLOWED: &[&str] = &[
    "--turn-user",
    "tester:open sesame",
    "--turn-allow",
    "127.0.0.0/8",
    "--turn-allow",
    "::1/128",
];
/// The client's password.
pub(crate) const PASSWORD: &str = "open sesame";

pub(crate) struct Client {
    transport: Transport,
    wire: Wire,
    username: String,
    password: String,
    nonce: Vec<u8>,
    transactions: u32,
}

/// The response to a request.
pub(crate) struct Response(Vec<u8>);

impl Response {
    fn message(&self) -> Message<'_> {
        Message::parse(&self.0).unwrap()
    }

    pub(crate) fn error(&self) -> Option<u16> {
        let value = self.message().attribute(ERROR_CODE)?;
        Some(u16::from(value[2]) * 100 + u16::from(value[3]))
    }

    pub(crate) fn address(&self, kind: u16) -> SocketAddr {
        self.message().xor_address(kind).unwrap()
    }

    pub(crate) fn attribute(&self, kind: u16) -> Vec<u8> {
        self.message().attribute(kind).unwrap().to_vec()
    }
}

impl Client {
    pub(crate) fn connect(server: &Server, transport: Transport) -> Self {
        Self::over(transport, Wire::connect(server, transport))
    }

    /// The client with another name and password.
    pub(crate) fn named(self, username: &str, password: &str) -> Self {
        Self { username: username.to_owned(), password: password.to_owned(), ..self }
    }

    /// A client over UDP that reaches the server at this address.
    pub(crate) fn at(server: SocketAddr) -> Self {
        Self::over(Transport::Udp, Wire::at(server))
    }

    fn over(transport: Transport, wire: Wire) -> Self {
        let (username, password) = ("tester".to_owned(), PASSWORD.to_owned());
        Self { transport, wire, username, password, nonce: Vec::new(), transactions: 0 }
    }

    /// The socket of a client over UDP.
    pub(crate) fn socket(&self) -> UdpSocket {
        self.wire.socket()
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    /// Sends a request and returns its response; repeats it with credentials after a 401.
    pub(crate) fn request(&mut self, method: Method, fill: impl Fn(&mut Writer<'_>)) -> Response {
        loop {
            let (request, transaction) = self.build(method, &fill);
            self.wire.send(&request);
            let response = Response(self.wire.receive());
            assert_eq!(response.message().transaction(), transaction);
            match response.error() {
                Some(401) if self.nonce.is_empty() => self.nonce = response.attribute(NONCE),
                _ => return response,
            }
        }
    }

    pub(crate) fn build(
        &mut self,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> (Vec<u8>, TransactionId) {
        self.transactions += 1;
        let mut id = [0; 12];
        id[8..].copy_from_slice(&self.transactions.to_be_bytes());
        let (mut request, transaction) = (Vec::new(), TransactionId(id));
        let mut writer = Writer::new(&mut request, Class::Request, method, transaction);
        fill(&mut writer);
        if !self.nonce.is_empty() {
            writer.attribute(USERNAME, self.username.as_bytes());
            writer.attribute(REALM, b"moim");
            writer.attribute(NONCE, &self.nonce);
            writer.integrity(&Key::long_term(&self.username, "moim", &self.password));
        }
        (request, transaction)
    }

    /// Sends a message unchanged.
    pub(crate) fn send_built(&mut self, request: &[u8]) -> Response {
        self.wire.send(request);
        Response(self.wire.receive())
    }

    /// Allocates a UDP relayed address.
    pub(crate) fn allocate(&mut self) -> SocketAddr {
        self.allocate_with(|request| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        })
    }

    /// Allocates a UDP relayed address of this family.
    pub(crate) fn allocate_family(&mut self, family: u8) -> SocketAddr {
        self.allocate_with(|request| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            request.attribute(REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        })
    }

    /// Allocates a TCP relayed address of the connection's family.
    pub(crate) fn allocate_tcp(&mut self) -> SocketAddr {
        let family = if self.local().is_ipv4() { 1 } else { 2 };
        self.allocate_with(|request| {
            request.attribute(REQUESTED_TRANSPORT, &[6, 0, 0, 0]);
            request.attribute(REQUESTED_ADDRESS_FAMILY, &[family, 0, 0, 0]);
        })
    }

    fn allocate_with(&mut self, fill: impl Fn(&mut Writer<'_>)) -> SocketAddr {
        let response = self.request(Method::ALLOCATE, fill);
        assert_eq!(response.error(), None);
        response.address(XOR_RELAYED_ADDRESS)
    }

    pub(crate) fn permit(&mut self, peer: SocketAddr) -> Option<u16> {
        let response = self.request(Method::CREATE_PERMISSION, |request| {
            request.xor_address(XOR_PEER_ADDRESS, peer);
        });
        response.error()
    }

    pub(crate) fn bind(&mut self, number: u16, peer: SocketAddr) {
        let [high, low] = number.to_be_bytes();
        let response = self.request(Method::CHANNEL_BIND, |request| {
            request.attribute(CHANNEL_NUMBER, &[high, low, 0, 0]);
            request.xor_address(XOR_PEER_ADDRESS, peer);
        });
        assert_eq!(response.error(), None);
    }

    pub(crate) fn refresh(&mut self, seconds: u32) -> Option<u16> {
        let response = self.request(Method::REFRESH, |request| {
            request.attribute(LIFETIME, &seconds.to_be_bytes());
        });
        response.error()
    }

    pub(crate) fn send_channel(&mut self, number: u16, data: &[u8]) {
        let mut message = number.to_be_bytes().to_vec();
        message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend_from_slice(data);
        if self.transport.is_stream() {
            message.resize(message.len().next_multiple_of(4), 0);
        }
        self.wire.send(&message);
    }

    pub(crate) fn send_indication(&mut self, peer: SocketAddr, data: &[u8]) {
        let (mut message, id) = (Vec::new(), TransactionId([9; 12]));
        let mut writer = Writer::new(&mut message, Class::Indication, Method::SEND, id);
        writer.xor_address(XOR_PEER_ADDRESS, peer);
        writer.attribute(DATA, data);
        self.wire.send(&message);
    }

    /// The next ChannelData.
    pub(crate) fn channel_data(&mut self) -> (u16, Vec<u8>) {
        let message = self.wire.receive();
        let (number, data) = turn::channel::read(&message).expect("ChannelData");
        (number.value(), data.to_vec())
    }

    /// The next Data indication.
    pub(crate) fn data(&mut self) -> (SocketAddr, Vec<u8>) {
        let message = self.indication(Method::DATA);
        (message.address(XOR_PEER_ADDRESS), message.attribute(DATA))
    }

    /// The next message, which must be this indication.
    pub(crate) fn indication(&mut self, method: Method) -> Response {
        let bytes = self.wire.receive();
        let message = Message::parse(&bytes).unwrap();
        assert_eq!((message.class(), message.method()), (Class::Indication, method));
        Response(bytes)
    }

    /// Turns the connection into a plain stream.
    pub(super) fn into_stream(self) -> Box<dyn Duplex> {
        self.wire.into_stream()
    }
}
