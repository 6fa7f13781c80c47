//! Allocate (RFC 8656 §7): what is asked for, and the sockets that are opened for it one after the
//! other.

use super::super::accounts::Exhausted;
use super::super::allocations::{
    Allocation, Birth, Opening, Relayed, RelayedAddress, Removed, Reservation, Token, Wants,
};
use super::super::peers::Peers;
use super::super::{Forward, OpenFailed, Output, RelayId, Server, TcpOutput};
use super::ports::TRIES;
use super::{Asked, Granted, Proven, Refusal, requested_family};
use crate::FiveTuple;
use crate::rest::user_of;
use crate::stun::attribute::{
    ADDITIONAL_ADDRESS_FAMILY, DONT_FRAGMENT, EVEN_PORT, Family, MOBILITY_TICKET,
    REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, RESERVATION_TOKEN,
};
use crate::stun::{Message, Method};
use rand::RngExt as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// UDP and TCP, as IP numbers them.
const UDP: u8 = 17;
const TCP: u8 = 6;

impl Server {
    /// RFC 8656 §7.2
    pub(super) fn allocate(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        if let Some(again) = self.allocated_before(now, from, message)? {
            return Ok(again);
        }
        let over = self.requested_transport(from, message, proven)?;
        let moves = self.mobile(message, over)?.then_some(0);
        let lifetime = self.lifetime(message)?.unwrap_or_else(|| self.granted(0));
        let sockets = Sockets::read(message)?;
        let birth = Birth {
            transaction: message.transaction(),
            fingerprinted: message.fingerprinted(),
            integrity: Asked::from(message).integrity,
            lifetime,
            wants: Wants::Any,
            refused: None,
            token: None,
            tries: None,
        };
        match sockets {
            Sockets::Reserved(token) => self.redeem(now, from, proven, birth, moves, &token),
            Sockets::New(family, wants) => {
                let birth = Birth { wants, tries: Some(1), ..birth };
                let more = if wants == Wants::Pair { 2 } else { 1 };
                self.check_quota(from, proven, more)?;
                self.open_first(now, from, proven, birth, (moves, over), family)
            }
        }
    }

    /// What is to be relayed over. TCP is for clients over TCP that ask for nothing which only
    /// UDP has (RFC 6062 §5.1).
    fn requested_transport(
        &self,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Relayed, Refusal> {
        const ONLY_UDP: [u16; 4] =
            [EVEN_PORT, RESERVATION_TOKEN, DONT_FRAGMENT, ADDITIONAL_ADDRESS_FAMILY];
        let only_udp = || ONLY_UDP.into_iter().any(|kind| message.attribute(kind).is_some());
        let may_tcp = self.config.tcp && (!proven.is_member || self.config.member_tcp);
        match message.attribute(REQUESTED_TRANSPORT) {
            Some([UDP, _, _, _]) => Ok(Relayed::Udp),
            Some([TCP, _, _, _]) if may_tcp => {
                let is_fit = from.transport.is_stream() && !only_udp();
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
            None => Ok(Some(Granted::Allocated(relay))),
        }
    }

    /// Whether the client will want to move: an empty ticket asks for the first (RFC 8016 §3.1).
    /// Connections over TCP can't move along, so their allocations don't.
    fn mobile(&self, message: &Message<'_>, over: Relayed) -> Result<bool, Refusal> {
        let forbidden = !self.config.mobility || over == Relayed::Tcp;
        match message.attribute(MOBILITY_TICKET) {
            None => Ok(false),
            Some(_) if forbidden => Err(Refusal::MOBILITY_FORBIDDEN),
            Some([]) => Ok(true),
            Some(_) => Err(Refusal::BAD_REQUEST),
        }
    }

    fn check_quota(
        &self,
        from: &FiveTuple,
        proven: &Proven<'_>,
        more: usize,
    ) -> Result<(), Refusal> {
        let accounts = &self.allocations.accounts;
        let checked = accounts.check(user_of(&proven.username), from.client.ip(), more);
        checked.map_err(|exhausted| match exhausted {
            Exhausted::Quota => Refusal::QUOTA,
            Exhausted::Capacity => Refusal::CAPACITY,
        })
    }

    fn open_first(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        proven: &Proven<'_>,
        mut birth: Birth,
        (moves, relayed_over): (Option<u32>, Relayed),
        family: Option<Family>,
    ) -> Result<Granted, Refusal> {
        if birth.wants == Wants::Both
            && let Some(missing) = self.missing(from.server.ip())
        {
            (birth.wants, birth.refused) =
                (Wants::Any, Some((missing, Refusal::FAMILY_NOT_SUPPORTED)));
        }
        let ip = match family {
            Some(family) => self.relay_ip(from.server.ip(), family),
            // IPv4 is the default (RFC 8656 §7.2). Where there is none, IPv6 serves better than a
            // refusal: browsers don't ask again for that.
            None => [Family::V4, Family::V6]
                .into_iter()
                .find_map(|family| self.relay_ip(from.server.ip(), family)),
        };
        let ip = ip.ok_or(Refusal::FAMILY_NOT_SUPPORTED)?;
        let relayed = self.pick_port(ip, birth.wants).ok_or(Refusal::CAPACITY)?;
        let (user, client) = (user_of(&proven.username), from.client.ip());
        let holders = self.allocations.accounts.hold(now, user, client);
        let allocation = Allocation {
            client: *from,
            relayed,
            relayed_over,
            second: None,
            username: (*proven.username).into(),
            is_member: proven.is_member,
            holders,
            key: proven.key.clone(),
            expires: now + Duration::from_secs(birth.lifetime.into()),
            peers: Peers::default(),
            birth,
            moves,
        };
        let relay = self.allocations.insert(allocation).ok_or(Refusal::CAPACITY)?;
        self.open_relay(relay, relayed.local, relayed_over);
        Ok(Granted::Later)
    }

    fn open_relay(&mut self, relay: RelayId, local: SocketAddr, over: Relayed) {
        match over {
            Relayed::Udp => self.outputs.push_back(Output::OpenRelay { relay, local }),
            Relayed::Tcp => self.tcp_outputs.push_back(TcpOutput::Listen { relay, local }),
        }
    }

    /// The family of the two that we have no address of.
    fn missing(&self, server: IpAddr) -> Option<Family> {
        [Family::V4, Family::V6].into_iter().find(|family| self.relay_ip(server, *family).is_none())
    }

    /// The port that was reserved is the allocation's (RFC 8656 §7.2); its socket is open already,
    /// and its place on the user's account is taken.
    fn redeem(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        proven: &Proven<'_>,
        birth: Birth,
        moves: Option<u32>,
        token: &Token,
    ) -> Result<Granted, Refusal> {
        let found = self.allocations.reservation(token).filter(|(_, reserved)| {
            reserved.expires > now
                && reserved.opening.is_none()
                && proven.is_holder(&reserved.username, reserved.is_member)
        });
        let (relay, reserved) = found.ok_or(Refusal::CAPACITY)?;
        let allocation = Allocation {
            client: *from,
            relayed: reserved.relayed,
            relayed_over: Relayed::Udp,
            second: None,
            username: (*proven.username).into(),
            is_member: proven.is_member,
            holders: reserved.holders,
            key: proven.key.clone(),
            expires: now + Duration::from_secs(birth.lifetime.into()),
            peers: Peers::default(),
            birth,
            moves,
        };
        self.allocations.redeem(relay, allocation);
        self.counters.allocated += 1;
        Ok(Granted::Allocated(relay))
    }

    /// A socket is open: the next one is opened, or the client hears of its allocation.
    pub(in super::super) fn opened(&mut self, now: Instant, relay: RelayId) -> Option<Forward<'_>> {
        match self.allocations.opening(relay)? {
            Opening::Allocation => {
                let made = self.allocations.get_mut(relay)?;
                made.birth.tries?;
                let (wants, server) = (made.birth.wants, made.client.server.ip());
                if wants == Wants::Both {
                    // The second socket is tried as often as the first.
                    made.birth.tries = Some(1);
                }
                let reserved = made.relayed.local;
                match wants {
                    Wants::Any | Wants::Even => self.allocated(relay),
                    Wants::Both => self.open_second(relay, server),
                    Wants::Pair => {
                        let next = self.relayed(reserved.ip(), reserved.port().wrapping_add(1));
                        self.open_reserved(now, relay, next)
                    }
                }
            }
            Opening::Second(first) => self.allocated(first),
            Opening::Reservation(first) => {
                self.allocations.reserved(relay);
                self.counters.reserved += 1;
                self.allocated(first)
            }
        }
    }

    fn open_second(&mut self, first: RelayId, server: IpAddr) -> Option<Forward<'_>> {
        let picked =
            self.relay_ip(server, Family::V6).and_then(|ip| self.pick_port(ip, Wants::Any));
        let placed = picked.and_then(|relayed| {
            Some((self.allocations.insert_second(first, relayed)?, relayed.local))
        });
        let Some((relay, local)) = placed else { return self.without(first, Family::V6) };
        self.outputs.push_back(Output::OpenRelay { relay, local });
        None
    }

    fn open_reserved(
        &mut self,
        now: Instant,
        first: RelayId,
        next: RelayedAddress,
    ) -> Option<Forward<'_>> {
        let mut token: Token = self.rng.random();
        let [shard, ..] = &mut token;
        *shard = self.config.shard;
        let made = self.allocations.get_mut(first)?;
        made.birth.token = Some(token);
        let (username, is_member) = (made.username.clone(), made.is_member);
        let holders = made.holders;
        self.allocations.accounts.hold_more(holders);
        let expires = now + self.config.limits.reservation;
        let opening = Some(first);
        let relayed = next;
        let reservation =
            Reservation { relayed, username, is_member, holders, token, expires, opening };
        let relay = self.allocations.reserve(reservation)?;
        self.outputs.push_back(Output::OpenRelay { relay, local: next.local });
        None
    }

    /// All sockets there will be are open.
    fn allocated(&mut self, relay: RelayId) -> Option<Forward<'_>> {
        let made = self.allocations.get_mut(relay)?;
        made.birth.tries.take()?;
        self.counters.allocated += 1;
        let (client, key, birth) = (made.client, made.key.clone(), made.birth);
        self.grant(&client, asked_by(birth), &key, Granted::Allocated(relay))
    }

    /// The client gets what there is, and hears which family there is not.
    fn without(&mut self, relay: RelayId, family: Family) -> Option<Forward<'_>> {
        self.allocations.get_mut(relay)?.birth.refused = Some((family, Refusal::CAPACITY));
        self.allocated(relay)
    }

    /// A socket is not open: another port, or less, or no allocation.
    pub(in super::super) fn not_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
        why: OpenFailed,
    ) -> Option<Forward<'_>> {
        match self.allocations.opening(relay)? {
            Opening::Allocation => self.first_not_opened(now, relay, why),
            Opening::Second(first) => {
                let again = self.again(now, first, why)?;
                let (_, relayed) = self.allocations.get(first)?.second?;
                if again && self.retry(relay, relayed.local.ip(), Wants::Any) {
                    return None;
                }
                self.allocations.remove(relay);
                self.without(first, Family::V6)
            }
            Opening::Reservation(first) => {
                let again = self.again(now, first, why)?;
                self.allocations.remove(relay);
                self.another_pair(now, first, again)
            }
        }
    }

    fn first_not_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
        why: OpenFailed,
    ) -> Option<Forward<'_>> {
        let again = self.again(now, relay, why)?;
        let made = self.allocations.get_mut(relay)?;
        let (ip, wants) = (made.relayed.local.ip(), made.birth.wants);
        if again && self.retry(relay, ip, wants) {
            return None;
        }
        let made = self.allocations.get_mut(relay)?;
        if wants == Wants::Both {
            // The other family alone.
            made.birth.wants = Wants::Any;
            made.birth.refused = Some((Family::V4, Refusal::CAPACITY));
            made.birth.tries = Some(1);
            let server = made.client.server.ip();
            if let Some(ip) = self.relay_ip(server, Family::V6)
                && self.retry(relay, ip, Wants::Any)
            {
                return None;
            }
        }
        let Some(Removed::Allocation(made)) = self.allocations.remove(relay) else { return None };
        Some(self.refuse(&made.client, asked_by(made.birth), &made.key, Refusal::CAPACITY))
    }

    /// Whether another port may do and there are tries left; counts this one.
    fn again(&mut self, now: Instant, first: RelayId, why: OpenFailed) -> Option<bool> {
        let made = self.allocations.get_mut(first)?;
        let tries = made.birth.tries.as_mut()?;
        *tries += 1;
        Some(why == OpenFailed::PortTaken && *tries <= TRIES && made.expires > now)
    }

    /// Has another port opened for a socket that is not open.
    fn retry(&mut self, relay: RelayId, ip: IpAddr, wants: Wants) -> bool {
        let Some(relayed) = self.pick_port(ip, wants) else { return false };
        self.allocations.readdress(relay, relayed);
        let over = self.allocations.owner(relay).map_or(Relayed::Udp, |made| made.relayed_over);
        self.open_relay(relay, relayed.local, over);
        true
    }

    /// The second of a pair can't be had, so the first is of no use either.
    fn another_pair(&mut self, now: Instant, first: RelayId, again: bool) -> Option<Forward<'_>> {
        let Some(Removed::Allocation(made)) = self.allocations.remove(first) else { return None };
        self.outputs.push_back(Output::CloseRelay { relay: first });
        let picked = again.then(|| self.pick_port(made.relayed.local.ip(), Wants::Pair)).flatten();
        let Some(relayed) = picked else {
            return Some(self.refuse(
                &made.client,
                asked_by(made.birth),
                &made.key,
                Refusal::CAPACITY,
            ));
        };
        let (user, client) = (user_of(&made.username), made.client.client.ip());
        let holders = self.allocations.accounts.hold(now, user, client);
        let relay = self.allocations.insert(Allocation { relayed, holders, ..*made })?;
        self.outputs.push_back(Output::OpenRelay { relay, local: relayed.local });
        None
    }
}

/// What sockets a request asks for.
enum Sockets {
    /// Of the family asked for, if one is.
    New(Option<Family>, Wants),
    /// The one that was reserved.
    Reserved(Token),
}

impl Sockets {
    /// Not all that can be asked for goes together (RFC 8656 §7.2).
    fn read(message: &Message<'_>) -> Result<Self, Refusal> {
        let has = |kind| message.attribute(kind).is_some();
        if let Some(token) = message.attribute(RESERVATION_TOKEN) {
            let others = [EVEN_PORT, REQUESTED_ADDRESS_FAMILY, ADDITIONAL_ADDRESS_FAMILY];
            let token = Token::try_from(token).map_err(|_| Refusal::BAD_REQUEST)?;
            if others.into_iter().any(has) {
                return Err(Refusal::BAD_REQUEST);
            }
            return Ok(Self::Reserved(token));
        }
        let family = requested_family(message)?;
        let even = even_port(message)?;
        match message.attribute(ADDITIONAL_ADDRESS_FAMILY) {
            None => Ok(Self::New(family, even)),
            // Only IPv6 can be had additionally.
            Some(&[2, _, _, _]) if family.is_none() && even == Wants::Any => {
                Ok(Self::New(None, Wants::Both))
            }
            Some(_) => Err(Refusal::BAD_REQUEST),
        }
    }
}

fn even_port(message: &Message<'_>) -> Result<Wants, Refusal> {
    match message.attribute(EVEN_PORT) {
        None => Ok(Wants::Any),
        Some(&[flags]) if flags & 0x80 == 0 => Ok(Wants::Even),
        Some(&[_]) => Ok(Wants::Pair),
        Some(_) => Err(Refusal::BAD_REQUEST),
    }
}

fn asked_by(birth: Birth) -> Asked {
    Asked {
        method: Method::ALLOCATE,
        transaction: birth.transaction,
        fingerprinted: birth.fingerprinted,
        integrity: birth.integrity,
    }
}
