//! A TURN client that builds and reads messages with stun-types and turn-types.

use std::net::SocketAddr;

use stun_types::{
    attribute::{AttributeType, ErrorCode, Nonce, RawAttribute, Realm, Username, XorMappedAddress},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass,
        MessageIntegrityCredentials, MessageType, MessageWrite, MessageWriteExt, MessageWriteVec,
        Method, TransactionId,
    },
};
use turn::{FiveTuple, Transport, rest::Credential};
use turn_types::attribute::{Data, Lifetime, XorPeerAddress, XorRelayedAddress};

use super::{EXPIRY, SECRET, SERVER, World, at};

pub(crate) const BINDING: u16 = 0x001;
pub(crate) const ALLOCATE: u16 = 0x003;
pub(crate) const REFRESH: u16 = 0x004;
pub(crate) const SEND: u16 = 0x006;
pub(crate) const CREATE_PERMISSION: u16 = 0x008;
pub(crate) const CHANNEL_BIND: u16 = 0x009;
pub(crate) const CONNECT: u16 = 0x00A;
pub(crate) const CONNECTION_BIND: u16 = 0x00B;

/// An attribute of a request.
#[derive(Debug, Clone)]
pub(crate) enum Attr {
    Raw(u16, Vec<u8>),
    Peer(SocketAddr),
}

impl Attr {
    pub(crate) fn udp() -> Self {
        Self::Raw(0x0019, vec![17, 0, 0, 0])
    }

    pub(crate) fn tcp() -> Self {
        Self::Raw(0x0019, vec![6, 0, 0, 0])
    }

    pub(crate) fn connection(id: &[u8]) -> Self {
        Self::Raw(0x002A, id.to_vec())
    }

    pub(crate) fn lifetime(seconds: u32) -> Self {
        Self::Raw(0x000D, seconds.to_be_bytes().to_vec())
    }

    /// ADDITIONAL-ADDRESS-FAMILY
    pub(crate) fn also_family(number: u8) -> Self {
        Self::Raw(0x8000, vec![number, 0, 0, 0])
    }

    /// EVEN-PORT, with a reservation of the next port or without.
    pub(crate) fn even(reserve: bool) -> Self {
        Self::Raw(0x0018, vec![if reserve { 0x80 } else { 0 }])
    }

    /// MOBILITY-TICKET; an empty one asks for mobility.
    pub(crate) fn ticket(ticket: &[u8]) -> Self {
        Self::Raw(0x8030, ticket.to_vec())
    }

    pub(crate) fn family(number: u8) -> Self {
        Self::Raw(0x0017, vec![number, 0, 0, 0])
    }

    pub(crate) fn channel(number: u16) -> Self {
        let [high, low] = number.to_be_bytes();
        Self::Raw(0x000C, vec![high, low, 0, 0])
    }

    pub(crate) fn peer(address: &str) -> Self {
        Self::Peer(at(address))
    }
}

pub(crate) struct Client {
    pub(crate) host: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) credential: Credential,
    pub(crate) nonce: Option<String>,
    /// Sends requests without credentials.
    pub(crate) anonymous: bool,
    pub(crate) fingerprint: bool,
    /// Derives its key by SHA-256 and expects SHA-256 integrity.
    pub(crate) sha256: bool,
    /// Sends USERHASH in place of USERNAME.
    pub(crate) hidden: bool,
    /// PASSWORD-ALGORITHMS of the last challenge.
    pub(crate) offered: Vec<u8>,
    transactions: u64,
    /// Packets that arrived while the client waited for a response.
    pub(crate) set_aside: Vec<Vec<u8>>,
}

impl Client {
    pub(crate) fn new(host: &str) -> Self {
        Self::named(host, "alice")
    }

    pub(crate) fn named(host: &str, user: &str) -> Self {
        Self {
            host: at(host),
            server: at(SERVER),
            credential: Credential::mint(SECRET, EXPIRY, user),
            nonce: None,
            anonymous: false,
            fingerprint: true,
            sha256: false,
            hidden: false,
            offered: Vec::new(),
            transactions: u64::from(at(host).port()) << 32,
            set_aside: Vec::new(),
        }
    }

    /// The same client over another transport; its host must not be behind a NAT.
    pub(crate) fn over(mut self, world: &mut World, transport: Transport) -> Self {
        world.streams.insert(self.host, transport);
        self.anonymous = false;
        self
    }

    pub(crate) fn five_tuple(&self, transport: Transport) -> FiveTuple {
        FiveTuple { transport, client: self.host, server: self.server }
    }

    fn key(&self) -> MessageIntegrityCredentials {
        let Credential { username, password } = self.credential.clone();
        LongTermKeyCredentials::new(username, password, "moim".into()).into()
    }

    fn integrity(&self) -> IntegrityAlgorithm {
        if self.sha256 { IntegrityAlgorithm::Sha256 } else { IntegrityAlgorithm::Sha1 }
    }

    /// A request with a new transaction.
    pub(crate) fn build(&mut self, method: u16, attrs: &[Attr]) -> (Vec<u8>, [u8; 12]) {
        self.message(MessageClass::Request, method, attrs)
    }

    /// A Send indication.
    pub(crate) fn indication(&mut self, peer: SocketAddr, data: &[u8]) -> Vec<u8> {
        let attrs = [Attr::Peer(peer), Attr::Raw(0x0013, data.to_vec())];
        self.message(MessageClass::Indication, SEND, &attrs).0
    }

    /// An indication with these attributes.
    pub(crate) fn build_indication(&mut self, method: u16, attrs: &[Attr]) -> Vec<u8> {
        self.message(MessageClass::Indication, method, attrs).0
    }

    fn message(&mut self, class: MessageClass, method: u16, attrs: &[Attr]) -> (Vec<u8>, [u8; 12]) {
        self.transactions += 1;
        let mut transaction = [0; 12];
        transaction[4..].copy_from_slice(&self.transactions.to_be_bytes());
        let id: TransactionId = u128::from_be_bytes({
            let mut wide = [0; 16];
            wide[4..].copy_from_slice(&transaction);
            wide
        })
        .into();
        let kind = MessageType::from_class_method(class, Method::new(method));
        let mut message = Message::builder(kind, id, MessageWriteVec::new());
        for attr in attrs {
            match attr {
                Attr::Raw(kind, value) => {
                    let raw = RawAttribute::new(AttributeType::new(*kind), value);
                    message.add_attribute(&raw).unwrap();
                }
                Attr::Peer(peer) => {
                    message.add_attribute(&XorPeerAddress::new(*peer, id)).unwrap();
                }
            }
        }
        if let Some(nonce) = &self.nonce
            && class == MessageClass::Request
            && !self.anonymous
        {
            let hash = turn::stun::userhash(&self.credential.username, "moim");
            let username = Username::new(&self.credential.username).unwrap();
            if self.hidden {
                let hash = RawAttribute::new(AttributeType::new(0x001E), &hash);
                message.add_attribute(&hash).unwrap();
            } else {
                message.add_attribute(&username).unwrap();
            }
            message.add_attribute(&Realm::new("moim").unwrap()).unwrap();
            message.add_attribute(&Nonce::new(nonce).unwrap()).unwrap();
            if self.sha256 {
                let offered = RawAttribute::new(AttributeType::new(0x8002), &self.offered);
                message.add_attribute(&offered).unwrap();
                let chosen = RawAttribute::new(AttributeType::new(0x001D), &[0, 2, 0, 0]);
                message.add_attribute(&chosen).unwrap();
            }
            message.add_message_integrity(&self.key(), self.integrity()).unwrap();
        }
        if self.fingerprint {
            message.add_fingerprint().unwrap();
        }
        (message.finish(), transaction)
    }

    /// Takes the nonce of a challenge. Returns whether to send the request again.
    pub(crate) fn challenged(&mut self, response: &Response) -> bool {
        let first = self.nonce.is_none() && response.error() == Some(401);
        if (first || response.error() == Some(438)) && !self.anonymous {
            self.nonce = response.nonce();
            self.offered = response.raw(0x8002).unwrap();
            return true;
        }
        false
    }

    pub(crate) fn allocate(&mut self, world: &mut World) -> SocketAddr {
        let response = world.request(self, ALLOCATE, &[Attr::udp()]);
        assert_eq!(response.error(), None);
        response.relayed()
    }

    pub(crate) fn allocate_tcp(&mut self, world: &mut World) -> SocketAddr {
        let response = world.request(self, ALLOCATE, &[Attr::tcp()]);
        assert_eq!(response.error(), None);
        response.relayed()
    }

    pub(crate) fn permit(&mut self, world: &mut World, peer: SocketAddr) -> Option<u16> {
        world.request(self, CREATE_PERMISSION, &[Attr::Peer(peer)]).error()
    }

    pub(crate) fn bind(&mut self, world: &mut World, number: u16, peer: SocketAddr) -> Option<u16> {
        world.request(self, CHANNEL_BIND, &[Attr::channel(number), Attr::Peer(peer)]).error()
    }

    pub(crate) fn refresh(&mut self, world: &mut World, seconds: u32) -> Response {
        world.request(self, REFRESH, &[Attr::lifetime(seconds)])
    }

    /// Sends ChannelData, with padding in a stream.
    pub(crate) fn send_channel(&mut self, world: &mut World, number: u16, data: &[u8]) {
        let mut message = number.to_be_bytes().to_vec();
        message.extend_from_slice(&u16::try_from(data.len()).unwrap().to_be_bytes());
        message.extend_from_slice(data);
        if world.streams.contains_key(&self.host) {
            message.resize(message.len().next_multiple_of(4), 0);
        }
        world.network.send(self.host, self.server, message);
    }

    /// The next packet, which must be ChannelData.
    pub(crate) fn channel_data(&mut self, world: &mut World) -> Option<(u16, Vec<u8>)> {
        let bytes = self.next(world)?;
        let (number, data) = turn::channel::read(&bytes).expect("ChannelData");
        Some((number.value(), data.to_vec()))
    }

    /// The next packet, which must be a Data indication.
    pub(crate) fn data(&mut self, world: &mut World) -> Option<(SocketAddr, Vec<u8>)> {
        let bytes = self.next(world)?;
        let message = Message::from_bytes(&bytes).unwrap();
        assert_eq!(message.get_type().class(), MessageClass::Indication);
        assert_eq!(message.method(), Method::new(0x007));
        let peer = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
        let data = message.attribute::<Data<'_>>().unwrap();
        Some((peer, data.data().to_vec()))
    }

    /// The next packet of any kind.
    pub(crate) fn next(&mut self, world: &mut World) -> Option<Vec<u8>> {
        if self.set_aside.is_empty() {
            return Some(world.receive(self.host)?.bytes);
        }
        Some(self.set_aside.remove(0))
    }
}

/// A response whose integrity, if present, is verified.
#[derive(Debug, Clone)]
pub(crate) struct Response {
    pub(crate) bytes: Vec<u8>,
}

impl Response {
    pub(crate) fn new(client: &Client, bytes: Vec<u8>) -> Self {
        let message = Message::from_bytes(&bytes).unwrap();
        assert!(message.is_response());
        assert_eq!(message.has_attribute(AttributeType::new(0x8028)), client.fingerprint);
        if [0x0008, 0x001C].iter().any(|kind| message.has_attribute(AttributeType::new(*kind))) {
            let algorithm = message.validate_integrity(&client.key()).expect("signed with our key");
            assert_eq!(algorithm, client.integrity(), "response integrity matches the request");
        }
        Self { bytes }
    }

    pub(crate) fn message(&self) -> Message<'_> {
        Message::from_bytes(&self.bytes).unwrap()
    }

    pub(crate) fn error(&self) -> Option<u16> {
        let message = self.message();
        let error = message.attribute::<ErrorCode>().ok().map(|error| error.code());
        assert_eq!(error.is_some(), message.get_type().class() == MessageClass::Error);
        error
    }

    pub(crate) fn signed(&self) -> bool {
        let message = self.message();
        [0x0008, 0x001C].iter().any(|kind| message.has_attribute(AttributeType::new(*kind)))
    }

    pub(crate) fn nonce(&self) -> Option<String> {
        Some(self.message().attribute::<Nonce>().ok()?.nonce().to_owned())
    }

    pub(crate) fn relayed(&self) -> SocketAddr {
        let message = self.message();
        message.attribute::<XorRelayedAddress>().unwrap().addr(message.transaction_id())
    }

    /// Both relayed addresses, in order.
    pub(crate) fn all_relayed(&self) -> Vec<SocketAddr> {
        let message = self.message();
        let relayed = message.iter_attributes().filter_map(|(_, raw)| {
            let relayed = XorRelayedAddress::try_from(&raw).ok()?;
            Some(relayed.addr(message.transaction_id()))
        });
        relayed.collect()
    }

    pub(crate) fn mapped(&self) -> SocketAddr {
        let message = self.message();
        message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id())
    }

    pub(crate) fn lifetime(&self) -> u32 {
        self.message().attribute::<Lifetime>().unwrap().seconds()
    }

    pub(crate) fn raw(&self, kind: u16) -> Option<Vec<u8>> {
        let message = self.message();
        let raw = message.raw_attribute(AttributeType::new(kind))?;
        Some(raw.value.to_vec())
    }
}
