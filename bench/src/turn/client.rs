//! TURN clients with an allocation and a channel each. All use one socket, with a loopback address
//! of their own each.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use turn::{
    rest::Credential,
    stun::{
        Class, Key, Message, Method, TransactionId, Writer,
        attribute::{
            CHANNEL_NUMBER, ERROR_CODE, LIFETIME, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME,
            XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
        },
    },
};

use super::wire::Wire;

/// The shared secret of REST credentials.
pub(super) const SECRET: &str = "of-this-bench-alone";
/// The channel number of every client.
pub(super) const CHANNEL: u16 = 0x4000;
/// Number of clients per user, below the quotas of both servers.
const CLIENTS_PER_USER: usize = 50;
/// Retransmission interval, and maximum number of requests.
const RETRANSMIT_INTERVAL: Duration = Duration::from_millis(500);
const MAX_REQUESTS: u32 = 8;
/// Lifetime of an allocation in seconds, longer than any benchmark.
const LIFETIME_SECONDS: u32 = 3600;

/// The loopback address of a client; 127.0.0.x is reserved.
pub(super) fn address(client: usize) -> IpAddr {
    let [.., high, low] = (client + 256).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low).into()
}

/// The client with this address.
pub(super) fn of_address(address: IpAddr) -> Option<usize> {
    let IpAddr::V4(address) = address else { return None };
    let [127, 1, high, low] = address.octets() else { return None };
    usize::from(u16::from_be_bytes([high, low])).checked_sub(256)
}

/// Waits until a server responds.
pub(super) fn await_response(server: SocketAddr) -> anyhow::Result<()> {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
    socket.set_read_timeout(Some(Duration::from_millis(100)))?;
    let mut request = Vec::new();
    Writer::new(&mut request, Class::Request, Method::BINDING, TransactionId([1; 12]));
    for _ in 0..100 {
        socket.send_to(&request, server)?;
        if socket.recv_from(&mut [0; 1500]).is_ok() {
            return Ok(());
        }
    }
    bail!("{server} does not respond")
}

/// Allocates for all clients and binds their channels to the peer. Returns the relayed addresses.
pub(super) fn allocate(
    wire: &mut Wire,
    server: SocketAddr,
    clients: usize,
    peer: SocketAddr,
) -> anyhow::Result<Vec<SocketAddr>> {
    (0..clients).map(|client| Requests::new(wire, server, client).allocate(peer)).collect()
}

/// The requests of one client.
struct Requests<'a> {
    wire: &'a mut Wire,
    server: SocketAddr,
    client: usize,
    credential: Credential,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    transaction: u32,
}

impl<'a> Requests<'a> {
    fn new(wire: &'a mut Wire, server: SocketAddr, client: usize) -> Self {
        let user = format!("bench{}", client / CLIENTS_PER_USER);
        // In the year 2036: coturn accepts none after 2038.
        let credential = Credential::mint(SECRET.as_bytes(), 2_100_000_000, &user);
        let (realm, nonce) = (Vec::new(), Vec::new());
        Self { wire, server, client, credential, realm, nonce, transaction: 0 }
    }

    fn allocate(mut self, peer: SocketAddr) -> anyhow::Result<SocketAddr> {
        let relayed = self.request(Method::ALLOCATE, |request| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            request.attribute(LIFETIME, &LIFETIME_SECONDS.to_be_bytes());
        })?;
        let relayed = Message::parse(&relayed)
            .ok()
            .and_then(|message| message.xor_address(XOR_RELAYED_ADDRESS));
        self.request(Method::CHANNEL_BIND, |request| {
            let [high, low] = CHANNEL.to_be_bytes();
            request.attribute(CHANNEL_NUMBER, &[high, low, 0, 0]);
            request.xor_address(XOR_PEER_ADDRESS, peer);
        })?;
        relayed.context("no XOR-RELAYED-ADDRESS")
    }

    fn request(
        &mut self,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> anyhow::Result<Vec<u8>> {
        for _ in 0..MAX_REQUESTS {
            self.transaction += 1;
            let mut id = [0; 12];
            let number = u64::from(self.transaction) << 32 | self.client as u64;
            id.iter_mut().zip(number.to_be_bytes()).for_each(|(to, byte)| *to = byte);
            let mut bytes = Vec::new();
            let mut request = Writer::new(&mut bytes, Class::Request, method, TransactionId(id));
            fill(&mut request);
            if !self.nonce.is_empty() {
                let Credential { username, password } = &self.credential;
                let realm = std::str::from_utf8(&self.realm)?;
                request.attribute(USERNAME, username.as_bytes());
                request.attribute(REALM, &self.realm).attribute(NONCE, &self.nonce);
                request.integrity(&Key::long_term(username, realm, password));
            }
            self.wire.send(Some(address(self.client)), self.server, &bytes, bytes.len());
            let Some(answer) = self.answer(TransactionId(id)) else { continue };
            let message = Message::parse(&answer).ok().context("not a STUN message")?;
            if message.class() == Class::Success {
                return Ok(answer);
            }
            let code = match message.attribute(ERROR_CODE) {
                Some([_, _, class, number, ..]) => u16::from(*class) * 100 + u16::from(*number),
                _ => 0,
            };
            // A second 401 is not caused by the nonce.
            ensure!(
                matches!(code, 401 | 438) && self.transaction < MAX_REQUESTS,
                "client {}: {method:?} was rejected with {code}",
                self.client
            );
            self.realm = message.attribute(REALM).unwrap_or_default().to_vec();
            self.nonce = message.attribute(NONCE).unwrap_or_default().to_vec();
        }
        bail!("client {}: no response to {method:?}", self.client)
    }

    fn answer(&mut self, id: TransactionId) -> Option<Vec<u8>> {
        let end = Instant::now() + RETRANSMIT_INTERVAL;
        let mut found = None;
        while found.is_none() && Instant::now() < end {
            self.wire.receive(|_, _, bytes, _| {
                if Message::parse(bytes).is_ok_and(|message| message.transaction() == id) {
                    found = Some(bytes.to_vec());
                }
            });
        }
        found
    }
}
