//! Requests: one step a method (RFC 8656 §7 to §12).

use super::allocations::{Allocation, Birth, Relayed};
use super::auth::Proven;
use super::peers::{NotBound, Peers};
use super::refusal::Refusal;
use super::respond::{Asked, Granted};
use super::{Forward, OpenFailed, Output, RelayId, Server, TcpOutput};
use crate::FiveTuple;
use crate::channel::ChannelNumber;
use crate::policy::Verdict;
use crate::stun::attribute::{
    self, CHANNEL_NUMBER, CONNECTION_ID, EVEN_PORT, Family, LIFETIME, NONCE, REALM,
    REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, USERNAME, XOR_PEER_ADDRESS,
};
use crate::stun::{Message, Method};
use rand::RngExt as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// UDP and TCP, as IP numbers them.
const UDP: u8 = 17;
const TCP: u8 = 6;
/// How many ports are tried before giving up.
const TRIES: u8 = 16;

/// The attributes a request may carry that take understanding.
fn known(method: Method) -> &'static [u16] {
    match method {
        Method::BINDING => &[USERNAME, REALM, NONCE],
        Method::ALLOCATE => &[
            USERNAME,
            REALM,
            NONCE,
            LIFETIME,
            REQUESTED_TRANSPORT,
            REQUESTED_ADDRESS_FAMILY,
            EVEN_PORT,
        ],
        Method::REFRESH => &[USERNAME, REALM, NONCE, LIFETIME, REQUESTED_ADDRESS_FAMILY],
        Method::CONNECTION_BIND => &[USERNAME, REALM, NONCE, CONNECTION_ID],
        Method::CREATE_PERMISSION | Method::CONNECT => &[USERNAME, REALM, NONCE, XOR_PEER_ADDRESS],
        _ => &[USERNAME, REALM, NONCE, XOR_PEER_ADDRESS, CHANNEL_NUMBER],
    }
}

impl Server {
    /// Binding: answered whoever asks (RFC 8489 §12).
    pub(super) fn binding(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Option<Forward<'_>> {
        if !self.rate.admit(now, from.client.ip()) {
            self.counters.dropped_rate += 1;
            return None;
        }
        let mut unknown = message.unknown(known(Method::BINDING)).peekable();
        if unknown.peek().is_some() {
            return Some(self.refuse_unknown(from, message.into(), None, unknown));
        }
        Some(self.bound(from, message.into()))
    }

    /// Requests that take a credential.
    pub(super) fn request(
        &mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Option<Forward<'_>> {
        let step = match message.method() {
            Method::ALLOCATE => Self::allocate,
            Method::REFRESH => Self::refresh,
            Method::CREATE_PERMISSION => Self::create_permission,
            Method::CHANNEL_BIND => Self::channel_bind,
            Method::CONNECT if self.config.tcp => Self::connect,
            Method::CONNECTION_BIND if self.config.tcp => Self::connection_bind,
            _ => {
                self.counters.dropped_unexpected += 1;
                return None;
            }
        };
        let asked = Asked::from(message);
        let proven = match self.authenticate(unix_now, from, message) {
            Ok(proven) => proven,
            Err(refusal) if self.rate.admit(now, from.client.ip()) => {
                return Some(self.challenge(unix_now, from, asked, refusal));
            }
            Err(_) => {
                self.counters.dropped_rate += 1;
                return None;
            }
        };
        let mut unknown = message.unknown(known(asked.method)).peekable();
        if unknown.peek().is_some() {
            return Some(self.refuse_unknown(from, asked, Some(&proven.key), unknown));
        }
        match step(self, now, from, message, &proven) {
            Ok(granted) => self.grant(from, asked, &proven.key, granted),
            Err(refusal) => Some(self.refuse(from, asked, &proven.key, refusal)),
        }
    }

    /// RFC 8656 §7.2
    fn allocate(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        if let Some(again) = self.allocated_before(now, from, message)? {
            return Ok(again);
        }
        let relayed_over = self.requested_transport(from, message)?;
        let family = requested_family(message)?.unwrap_or(Family::V4);
        let even = even_port(message)?;
        let lifetime = self.lifetime(message)?.unwrap_or_else(|| self.granted(0));
        let limits = &self.config.limits;
        if self.allocations.count_of(proven.username) >= limits.allocations_per_user {
            return Err(Refusal::QUOTA);
        }
        if self.allocations.len() >= limits.allocations {
            return Err(Refusal::CAPACITY);
        }
        let ip = self.relay_ip(from.server.ip(), family).ok_or(Refusal::FAMILY_NOT_SUPPORTED)?;
        let (relayed, local) = self.pick_port(ip, even).ok_or(Refusal::CAPACITY)?;
        let birth = Birth {
            transaction: message.transaction(),
            fingerprinted: message.fingerprinted(),
            lifetime,
            even,
            tries: Some(1),
        };
        let expires = now + Duration::from_secs(lifetime.into());
        let allocation = Allocation {
            client: *from,
            relayed,
            local,
            relayed_over,
            username: proven.username.into(),
            key: proven.key.clone(),
            expires,
            armed: expires,
            peers: Peers::default(),
            birth,
        };
        let relay = self.allocations.insert(allocation).ok_or(Refusal::CAPACITY)?;
        self.open_relay(relay, local, relayed_over);
        Ok(Granted::Later)
    }

    fn open_relay(&mut self, relay: RelayId, local: SocketAddr, relayed_over: Relayed) {
        match relayed_over {
            Relayed::Udp => self.outputs.push_back(Output::OpenRelay { relay, local }),
            Relayed::Tcp => self.tcp_outputs.push_back(TcpOutput::Listen { relay, local }),
        }
    }

    /// What is to be relayed over. TCP is for clients over TCP that ask for nothing which only
    /// UDP has (RFC 6062 §5.1).
    fn requested_transport(
        &self,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Result<Relayed, Refusal> {
        match message.attribute(REQUESTED_TRANSPORT) {
            Some([UDP, _, _, _]) => Ok(Relayed::Udp),
            Some([TCP, _, _, _]) if self.config.tcp => {
                let is_fit = from.transport.is_stream() && message.attribute(EVEN_PORT).is_none();
                if is_fit { Ok(Relayed::Tcp) } else { Err(Refusal::BAD_REQUEST) }
            }
            Some([_, _, _, _]) => Err(Refusal::TRANSPORT_NOT_SUPPORTED),
            _ => Err(Refusal::BAD_REQUEST),
        }
    }

    /// A retransmission is answered as the request was; another request on the same five-tuple is
    /// a mismatch (RFC 8656 §7.2).
    fn allocated_before(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Result<Option<Granted>, Refusal> {
        let Some((relay, made)) = self.allocations.of_client(from) else { return Ok(None) };
        if made.expires <= now {
            self.end(relay);
            return Ok(None);
        }
        match made.birth.tries {
            _ if made.birth.transaction != message.transaction() => {
                Err(Refusal::ALLOCATION_MISMATCH)
            }
            Some(_) => Ok(Some(Granted::Later)),
            None => Ok(Some(Granted::Allocated(made.relayed, made.birth.lifetime))),
        }
    }

    /// The socket is open: the client hears of its allocation.
    pub(super) fn allocated(&mut self, relay: RelayId) -> Option<Forward<'_>> {
        let made = self.allocations.get_mut(relay)?;
        made.birth.tries.take()?;
        self.counters.allocated += 1;
        let granted = Granted::Allocated(made.relayed, made.birth.lifetime);
        let (client, key, birth) = (made.client, made.key.clone(), made.birth);
        self.grant(&client, asked_by(birth), &key, granted)
    }

    /// The socket is not open: another port, or no allocation.
    pub(super) fn not_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
        why: OpenFailed,
    ) -> Option<Forward<'_>> {
        let made = self.allocations.get_mut(relay)?;
        let tries = made.birth.tries.as_mut()?;
        *tries += 1;
        let again = why == OpenFailed::PortTaken && *tries <= TRIES && made.expires > now;
        let (ip, even, relayed_over) = (made.local.ip(), made.birth.even, made.relayed_over);
        if again && let Some((relayed, local)) = self.pick_port(ip, even) {
            self.allocations.readdress(relay, relayed, local);
            self.open_relay(relay, local, relayed_over);
            return None;
        }
        let made = self.allocations.remove(relay)?;
        Some(self.refuse(&made.client, asked_by(made.birth), &made.key, Refusal::CAPACITY))
    }

    /// RFC 8656 §8.2
    fn refresh(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        let lifetime = self.lifetime(message)?;
        let default = self.granted(0);
        let (relay, made) = self.own(now, from, proven)?;
        if requested_family(message)?.is_some_and(|family| family != Family::of(made.relayed.ip()))
        {
            return Err(Refusal::FAMILY_MISMATCH);
        }
        if lifetime == Some(0) {
            self.end(relay);
            return Ok(Granted::Refreshed(0));
        }
        let lifetime = lifetime.unwrap_or(default);
        self.allocations.refresh(relay, now + Duration::from_secs(lifetime.into()));
        Ok(Granted::Refreshed(lifetime))
    }

    /// RFC 8656 §10.2: all of the addresses, or none.
    fn create_permission(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        let most = self.config.limits.permissions;
        let family = Family::of(self.own(now, from, proven)?.1.relayed.ip());
        let mut permitted = Vec::new();
        for (_, value) in message.attributes().filter(|(kind, _)| *kind == XOR_PEER_ADDRESS) {
            let peer = attribute::read_xor_address(value, &message.transaction())
                .ok_or(Refusal::BAD_REQUEST)?;
            permitted.push((peer.ip(), self.judge(peer.ip(), family)?));
        }
        if permitted.is_empty() {
            return Err(Refusal::BAD_REQUEST);
        }
        permitted.sort_unstable();
        permitted.dedup();
        let (_, made) = self.own(now, from, proven)?;
        if !made.peers.room_for(now, permitted.iter().map(|(ip, _)| ip), most) {
            return Err(Refusal::CAPACITY);
        }
        for (ip, own_relays) in permitted {
            made.peers.permit(now, ip, own_relays, most).map_err(|_| Refusal::CAPACITY)?;
        }
        Ok(Granted::Done)
    }

    /// RFC 8656 §12.2
    fn channel_bind(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        let most = (self.config.limits.channels, self.config.limits.permissions);
        let made = self.own(now, from, proven)?.1;
        if made.is_tcp() {
            return Err(Refusal::FORBIDDEN);
        }
        let family = Family::of(made.relayed.ip());
        let number = match message.attribute(CHANNEL_NUMBER) {
            Some(&[high, low, _, _]) => ChannelNumber::new(u16::from_be_bytes([high, low])),
            _ => None,
        };
        let (Some(number), Some(peer)) = (number, message.xor_address(XOR_PEER_ADDRESS)) else {
            return Err(Refusal::BAD_REQUEST);
        };
        let own_relays = self.judge(peer.ip(), family)?;
        if peer.port() == 0 {
            return Err(Refusal::BAD_REQUEST);
        }
        if own_relays && self.allocations.at(&peer).is_none() {
            return Err(Refusal::FORBIDDEN);
        }
        let (_, made) = self.own(now, from, proven)?;
        match made.peers.bind(now, number, peer, own_relays, most) {
            Ok(()) => Ok(Granted::Done),
            Err(NotBound::Taken) => Err(Refusal::BAD_REQUEST),
            Err(NotBound::Full) => Err(Refusal::CAPACITY),
        }
    }

    /// The client's allocation, if it made it as the same user.
    pub(super) fn own(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        proven: &Proven<'_>,
    ) -> Result<(RelayId, &mut Allocation), Refusal> {
        let live = |made: &Allocation| made.expires > now && made.birth.tries.is_none();
        match self.allocations.of_client_mut(from) {
            Some((relay, made)) if live(made) && *made.username == *proven.username => {
                Ok((relay, made))
            }
            Some((_, made)) if live(made) => Err(Refusal::WRONG_CREDENTIALS),
            _ => Err(Refusal::ALLOCATION_MISMATCH),
        }
    }

    /// Whether a peer may be permitted, and if so whether only as one of our own relays. What is
    /// denied is denied in every wrapping, before its family matters.
    pub(super) fn judge(&self, peer: IpAddr, family: Family) -> Result<bool, Refusal> {
        let verdict = self.policy.judge(peer, self.allocations.on(peer.to_canonical()));
        if verdict == Verdict::Denied {
            return Err(Refusal::FORBIDDEN);
        }
        if Family::of(peer.to_canonical()) != family || peer.to_canonical() != peer {
            return Err(Refusal::FAMILY_MISMATCH);
        }
        Ok(verdict == Verdict::OwnRelays)
    }

    /// Seconds granted to who asks for some; `Some(0)` is asked for as it is.
    fn lifetime(&self, message: &Message<'_>) -> Result<Option<u32>, Refusal> {
        let Some(value) = message.attribute(LIFETIME) else { return Ok(None) };
        let value = <[u8; 4]>::try_from(value).map_err(|_| Refusal::BAD_REQUEST)?;
        let asked = u32::from_be_bytes(value);
        let ends = asked == 0 && message.method() == Method::REFRESH;
        Ok(Some(if ends { 0 } else { self.granted(asked) }))
    }

    /// Never shorter than the default, never longer than the longest (RFC 8656 §7.2).
    fn granted(&self, asked: u32) -> u32 {
        let limits = &self.config.limits;
        let seconds = |lifetime: Duration| u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        asked.max(seconds(limits.default_lifetime)).min(seconds(limits.max_lifetime))
    }

    /// Which of our addresses a relayed socket is bound to: the one the client's packets arrived
    /// at, or one as near to it in the other family.
    fn relay_ip(&self, server: IpAddr, family: Family) -> Option<IpAddr> {
        let usable = |ip: &IpAddr| {
            let local = matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local());
            Family::of(*ip) == family && !local && !ip.is_unspecified()
        };
        let near = |ip: &IpAddr| ip.is_loopback() == server.is_loopback();
        let others = self.config.interfaces.iter().copied().filter(near);
        std::iter::once(server).chain(others).find(usable)
    }

    /// A free port at random: the relayed address as told, and as bound.
    fn pick_port(&mut self, ip: IpAddr, even: bool) -> Option<(SocketAddr, SocketAddr)> {
        let told = self.config.announce.iter().copied().find(|told| told.is_ipv4() == ip.is_ipv4());
        let told = told.unwrap_or(ip);
        let ports = self.config.ports.clone();
        let guesses: [u16; TRIES as usize] =
            std::array::from_fn(|_| self.rng.random_range(ports.clone()));
        let start = guesses.first().copied()?;
        // When most are taken, whatever comes after the first guess.
        let rest = (start..=*ports.end()).chain(*ports.start()..start);
        let free = |port: &u16| {
            let fits = !even || port.is_multiple_of(2);
            fits && self.allocations.at(&SocketAddr::new(told, *port)).is_none()
        };
        let port = guesses.into_iter().chain(rest).find(free)?;
        Some((SocketAddr::new(told, port), SocketAddr::new(ip, port)))
    }
}

fn requested_family(message: &Message<'_>) -> Result<Option<Family>, Refusal> {
    match message.attribute(REQUESTED_ADDRESS_FAMILY) {
        None => Ok(None),
        Some(&[family, _, _, _]) => {
            Family::from_byte(family).map(Some).ok_or(Refusal::FAMILY_NOT_SUPPORTED)
        }
        Some(_) => Err(Refusal::BAD_REQUEST),
    }
}

/// Whether an even port is wanted. Reserving the next one as well is more than we do, and said so
/// by the code for it (RFC 8656 §7.2).
fn even_port(message: &Message<'_>) -> Result<bool, Refusal> {
    match message.attribute(EVEN_PORT) {
        None => Ok(false),
        Some(&[reserve]) if reserve & 0x80 == 0 => Ok(true),
        Some(&[_]) => Err(Refusal::CAPACITY),
        Some(_) => Err(Refusal::BAD_REQUEST),
    }
}

fn asked_by(birth: Birth) -> Asked {
    Asked {
        method: Method::ALLOCATE,
        transaction: birth.transaction,
        fingerprinted: birth.fingerprinted,
    }
}
