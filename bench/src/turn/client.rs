//! Clients with an allocation and a channel each, all on one socket: each has an address of its own
//! out of the loopback network.

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

use super::{server::SECRET, wire::Wire};

/// The number of every client's channel.
pub(super) const CHANNEL: u16 = 0x4000;
/// Clients of one user: what a relay lets it have.
const PER_USER: usize = 50;
/// How long an answer may take, and how often it is asked for.
const PATIENCE: Duration = Duration::from_millis(500);
const TRIES: u32 = 8;
/// Seconds an allocation lives: longer than any bench.
const LIFE: u32 = 3600;

/// The address of a client's own. 127.0.0.x is left to others.
pub(super) fn address(client: usize) -> IpAddr {
    let [.., high, low] = (client + 256).to_be_bytes();
    Ipv4Addr::new(127, 1, high, low).into()
}

/// Which client has an address.
pub(super) fn of_address(address: IpAddr) -> Option<usize> {
    let IpAddr::V4(address) = address else { return None };
    let [127, 1, high, low] = address.octets() else { return None };
    usize::from(u16::from_be_bytes([high, low])).checked_sub(256)
}

/// Returns once a server answers.
pub(super) fn await_answer(server: SocketAddr) -> anyhow::Result<()> {
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
    bail!("{server} doesn't answer")
}

/// Makes allocations for so many clients, with a channel to the peer; the relayed address of each.
pub(super) fn allocate(
    wire: &mut Wire,
    server: SocketAddr,
    clients: usize,
    peer: SocketAddr,
) -> anyhow::Result<Vec<SocketAddr>> {
    (0..clients).map(|client| Asking::new(wire, server, client).allocate(peer)).collect()
}

/// One client's requests.
struct Asking<'a> {
    wire: &'a mut Wire,
    server: SocketAddr,
    client: usize,
    credential: Credential,
    realm: Vec<u8>,
    nonce: Vec<u8>,
    transaction: u32,
}

impl<'a> Asking<'a> {
    fn new(wire: &'a mut Wire, server: SocketAddr, client: usize) -> Self {
        let user = format!("bench{}", client / PER_USER);
        // Of the year 2036: coturn knows none after 2038.
        let credential = Credential::mint(SECRET.as_bytes(), 2_100_000_000, &user);
        let (realm, nonce) = (Vec::new(), Vec::new());
        Self { wire, server, client, credential, realm, nonce, transaction: 0 }
    }

    fn allocate(mut self, peer: SocketAddr) -> anyhow::Result<SocketAddr> {
        let relayed = self.request(Method::ALLOCATE, |request| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            request.attribute(LIFETIME, &LIFE.to_be_bytes());
        })?;
        let relayed =
            Message::parse(&relayed).ok().and_then(|it| it.xor_address(XOR_RELAYED_ADDRESS));
        self.request(Method::CHANNEL_BIND, |request| {
            let [high, low] = CHANNEL.to_be_bytes();
            request.attribute(CHANNEL_NUMBER, &[high, low, 0, 0]);
            request.xor_address(XOR_PEER_ADDRESS, peer);
        })?;
        relayed.context("allocated, but where?")
    }

    fn request(
        &mut self,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> anyhow::Result<Vec<u8>> {
        for _ in 0..TRIES {
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
            let message = Message::parse(&answer).ok().context("no STUN")?;
            if message.class() == Class::Success {
                return Ok(answer);
            }
            let code = match message.attribute(ERROR_CODE) {
                Some([_, _, class, number, ..]) => u16::from(*class) * 100 + u16::from(*number),
                _ => 0,
            };
            // Twice unauthorized is no matter of a nonce.
            ensure!(
                matches!(code, 401 | 438) && self.transaction < TRIES,
                "client {} is refused {method:?}: {code}",
                self.client
            );
            self.realm = message.attribute(REALM).unwrap_or_default().to_vec();
            self.nonce = message.attribute(NONCE).unwrap_or_default().to_vec();
        }
        bail!("client {} gets no answer to {method:?}", self.client)
    }

    fn answer(&mut self, id: TransactionId) -> Option<Vec<u8>> {
        let end = Instant::now() + PATIENCE;
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
