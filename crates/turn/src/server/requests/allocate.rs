//! Allocate (RFC 8656 §7): its request, and the sockets that are opened for it one after the other.

use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

use rand::RngExt as _;

use super::{attributes::requested_family, ports::MAX_PORT_ATTEMPTS};
use crate::{
    FiveTuple,
    credentials::Authenticated,
    rest::user_of,
    server::{
        Server,
        accounts::{CheckQuotaError, Holders},
        allocation::{
            AllocateRequest, Allocation, PeerTransport, PortRequest, RelayedAddress, Reservation,
            Token,
        },
        allocations::{Opening, Removed},
        forward::Forward,
        output::{OpenRelayError, Output, TcpOutput},
        peers::Peers,
        rejection::Rejection,
        relay_id::RelayId,
        respond::Granted,
        transaction::Transaction,
    },
    stun::{
        Message,
        attribute::{
            ADDITIONAL_ADDRESS_FAMILY, DONT_FRAGMENT, EVEN_PORT, Family, MOBILITY_TICKET,
            REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, RESERVATION_TOKEN,
        },
    },
};

/// IP protocol numbers, the values of REQUESTED-TRANSPORT.
const UDP: u8 = 17;
const TCP: u8 = 6;

impl Server {
    /// RFC 8656 §7.2
    pub(super) fn allocate(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<Granted, Rejection> {
        if let Some(granted) = self.retransmitted_allocate(now, from, message)? {
            return Ok(granted);
        }
        let peer_transport = self.requested_transport(from, message, user)?;
        let mobility_seq = self.wants_mobility(message, peer_transport)?.then_some(0);
        let lifetime = self.lifetime(message)?.unwrap_or_else(|| self.clamp_lifetime(0));
        let sockets = RequestedSockets::read(message)?;
        let request = AllocateRequest {
            transaction: Transaction::from(message),
            lifetime,
            ports: PortRequest::Any,
            rejected_family: None,
            token: None,
            attempts: None,
        };
        let new = NewAllocation { now, from, user, request, peer_transport, mobility_seq };
        match sockets {
            RequestedSockets::Reserved(token) => self.redeem(new, &token),
            RequestedSockets::New(family, ports) => {
                let request = AllocateRequest { ports, attempts: Some(1), ..request };
                let more = if ports == PortRequest::Pair { 2 } else { 1 };
                self.check_quota(from, user, more)?;
                self.open_first(NewAllocation { request, ..new }, family)
            }
        }
    }

    /// The transport to peers. TCP is only for clients over a stream that ask for no attribute of
    /// UDP allocations (RFC 6062 §5.1).
    fn requested_transport(
        &self,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<PeerTransport, Rejection> {
        const ONLY_UDP: [u16; 4] =
            [EVEN_PORT, RESERVATION_TOKEN, DONT_FRAGMENT, ADDITIONAL_ADDRESS_FAMILY];
        let only_udp = || ONLY_UDP.into_iter().any(|kind| message.attribute(kind).is_some());
        let may_tcp = self.config.tcp && (!user.is_member || self.config.member_tcp);
        match message.attribute(REQUESTED_TRANSPORT) {
            Some([UDP, _, _, _]) => Ok(PeerTransport::Udp),
            Some([TCP, _, _, _]) if may_tcp => {
                let is_fit = from.transport.is_stream() && !only_udp();
                if is_fit { Ok(PeerTransport::Tcp) } else { Err(Rejection::BAD_REQUEST) }
            }
            Some([_, _, _, _]) => Err(Rejection::TRANSPORT_NOT_SUPPORTED),
            _ => Err(Rejection::BAD_REQUEST),
        }
    }

    /// The response to a retransmission, which equals the first one. A different request on the
    /// same five-tuple is a mismatch (RFC 8656 §7.2).
    fn retransmitted_allocate(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Result<Option<Granted>, Rejection> {
        let Some((relay, allocation)) = self.allocations.of_client(from) else { return Ok(None) };
        if allocation.expires <= now {
            self.end(relay);
            return Ok(None);
        }
        if allocation.request.transaction.id != message.transaction() {
            return Err(Rejection::ALLOCATION_MISMATCH);
        }
        let is_opening = allocation.is_opening();
        Ok(Some(if is_opening { Granted::Pending } else { Granted::Allocated(relay) }))
    }

    /// Returns whether the client asks for mobility, which it does by an empty ticket (RFC 8016
    /// §3.1). TCP allocations have none, since their peer connections can't move.
    fn wants_mobility(
        &self,
        message: &Message<'_>,
        peer_transport: PeerTransport,
    ) -> Result<bool, Rejection> {
        let forbidden = !self.config.mobility || peer_transport == PeerTransport::Tcp;
        match message.attribute(MOBILITY_TICKET) {
            None => Ok(false),
            Some(_) if forbidden => Err(Rejection::MOBILITY_FORBIDDEN),
            Some([]) => Ok(true),
            Some(_) => Err(Rejection::BAD_REQUEST),
        }
    }

    fn check_quota(
        &self,
        from: &FiveTuple,
        user: &Authenticated<'_>,
        more: usize,
    ) -> Result<(), Rejection> {
        let accounts = &self.allocations.accounts;
        let checked = accounts.check(user_of(&user.username), from.client.ip(), more);
        checked.map_err(|error| match error {
            CheckQuotaError::Quota => Rejection::QUOTA,
            CheckQuotaError::Capacity => Rejection::CAPACITY,
        })
    }

    fn open_first(
        &mut self,
        mut new: NewAllocation<'_>,
        family: Option<Family>,
    ) -> Result<Granted, Rejection> {
        let NewAllocation { now, from, user, peer_transport, .. } = new;
        if new.request.ports == PortRequest::Both
            && let Some(missing) = self.missing_family(from.server.ip())
        {
            new.request.ports = PortRequest::Any;
            new.request.rejected_family = Some((missing, Rejection::FAMILY_NOT_SUPPORTED));
        }
        let ip = match family {
            Some(family) => self.relay_ip(from.server.ip(), family),
            // IPv4 is the default (RFC 8656 §7.2). Without IPv4, an IPv6 address serves better than
            // an error: browsers don't retry with another family.
            None => [Family::V4, Family::V6]
                .into_iter()
                .find_map(|family| self.relay_ip(from.server.ip(), family)),
        };
        let ip = ip.ok_or(Rejection::FAMILY_NOT_SUPPORTED)?;
        let relayed = self.pick_port(ip, new.request.ports).ok_or(Rejection::CAPACITY)?;
        let client = from.client.ip();
        let holders = self.allocations.accounts.hold(now, user_of(&user.username), client);
        let allocation = new.with(relayed, holders);
        let relay = self.allocations.insert(allocation).ok_or(Rejection::CAPACITY)?;
        self.open_relay(relay, relayed.local, peer_transport);
        Ok(Granted::Pending)
    }

    fn open_relay(&mut self, relay: RelayId, local: SocketAddr, peer_transport: PeerTransport) {
        match peer_transport {
            PeerTransport::Udp => self.outputs.push_back(Output::OpenRelay { relay, local }),
            PeerTransport::Tcp => self.tcp_outputs.push_back(TcpOutput::Listen { relay, local }),
        }
    }

    /// The family that the server has no address of, if any.
    fn missing_family(&self, server: IpAddr) -> Option<Family> {
        [Family::V4, Family::V6].into_iter().find(|family| self.relay_ip(server, *family).is_none())
    }

    /// Makes an allocation of a reserved port (RFC 8656 §7.2). Its socket is open already, and it
    /// is charged to the user's account already.
    fn redeem(&mut self, new: NewAllocation<'_>, token: &Token) -> Result<Granted, Rejection> {
        let found = self.allocations.reservation(token).filter(|(_, reserved)| {
            reserved.expires > new.now
                && reserved.opening.is_none()
                && new.user.owns(&reserved.username, reserved.is_member)
        });
        let (relay, reserved) = found.ok_or(Rejection::CAPACITY)?;
        let allocation = new.with(reserved.relayed, reserved.holders);
        self.allocations.redeem(relay, allocation);
        self.counters.allocated += 1;
        Ok(Granted::Allocated(relay))
    }

    /// Handles an opened socket: opens the next one, or answers the Allocate request.
    pub(in crate::server) fn relay_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
    ) -> Option<Forward<'_>> {
        match self.allocations.opening(relay)? {
            Opening::Allocation => {
                let allocation = self.allocations.get_mut(relay)?;
                allocation.request.attempts?;
                let ports = allocation.request.ports;
                if ports == PortRequest::Both {
                    // The second socket has as many attempts as the first.
                    allocation.request.attempts = Some(1);
                }
                let server = allocation.client.server.ip();
                let first = allocation.relayed.local;
                match ports {
                    PortRequest::Any | PortRequest::Even => self.allocated(relay),
                    PortRequest::Both => self.open_second(relay, server),
                    PortRequest::Pair => {
                        let next = self.relayed(first.ip(), first.port().wrapping_add(1));
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
            self.relay_ip(server, Family::V6).and_then(|ip| self.pick_port(ip, PortRequest::Any));
        let inserted = picked.and_then(|relayed| {
            Some((self.allocations.insert_second(first, relayed)?, relayed.local))
        });
        let Some((relay, local)) = inserted else {
            return self.allocated_without(first, Family::V6);
        };
        self.outputs.push_back(Output::OpenRelay { relay, local });
        None
    }

    fn open_reserved(
        &mut self,
        now: Instant,
        first: RelayId,
        relayed: RelayedAddress,
    ) -> Option<Forward<'_>> {
        let mut token: Token = self.rng.random();
        let [shard, ..] = &mut token;
        *shard = self.config.shard;
        let allocation = self.allocations.get_mut(first)?;
        allocation.request.token = Some(token);
        let reservation = Reservation {
            relayed,
            username: allocation.username.clone(),
            is_member: allocation.is_member,
            holders: allocation.holders,
            token,
            expires: now + self.config.limits.reservation,
            opening: Some(first),
        };
        self.allocations.accounts.hold_more(reservation.holders);
        let relay = self.allocations.reserve(reservation)?;
        self.outputs.push_back(Output::OpenRelay { relay, local: relayed.local });
        None
    }

    /// Answers the Allocate request: no more sockets are to be opened.
    fn allocated(&mut self, relay: RelayId) -> Option<Forward<'_>> {
        let allocation = self.allocations.get_mut(relay)?;
        allocation.request.attempts.take()?;
        self.counters.allocated += 1;
        let client = allocation.client;
        let key = allocation.key.clone();
        let transaction = allocation.request.transaction;
        self.grant(&client, transaction, &key, Granted::Allocated(relay))
    }

    /// Answers a dual Allocate request of which one family could not be granted.
    fn allocated_without(&mut self, relay: RelayId, family: Family) -> Option<Forward<'_>> {
        let allocation = self.allocations.get_mut(relay)?;
        allocation.request.rejected_family = Some((family, Rejection::CAPACITY));
        self.allocated(relay)
    }

    /// Handles a socket that could not be opened: tries another port, grants less, or rejects the
    /// request.
    pub(in crate::server) fn relay_failed(
        &mut self,
        now: Instant,
        relay: RelayId,
        error: OpenRelayError,
    ) -> Option<Forward<'_>> {
        match self.allocations.opening(relay)? {
            Opening::Allocation if !self.allocations.get(relay)?.is_opening() => {
                self.restored_failed(relay);
                None
            }
            Opening::Allocation => self.first_failed(now, relay, error),
            Opening::Second(first) if !self.allocations.get(first)?.is_opening() => {
                self.allocations.remove(relay);
                None
            }
            Opening::Second(first) => {
                let may_retry = self.count_attempt(now, first, error)?;
                let (_, relayed) = self.allocations.get(first)?.second?;
                if may_retry && self.retry(relay, relayed.local.ip(), PortRequest::Any) {
                    return None;
                }
                self.allocations.remove(relay);
                self.allocated_without(first, Family::V6)
            }
            Opening::Reservation(first) => {
                let may_retry = self.count_attempt(now, first, error)?;
                self.allocations.remove(relay);
                self.retry_pair(now, first, may_retry)
            }
        }
    }

    /// Ends an allocation of an earlier process, or continues it without its first address.
    fn restored_failed(&mut self, relay: RelayId) {
        if self.allocations.promote(relay).is_none() {
            self.allocations.remove(relay);
        }
    }

    fn first_failed(
        &mut self,
        now: Instant,
        relay: RelayId,
        error: OpenRelayError,
    ) -> Option<Forward<'_>> {
        let may_retry = self.count_attempt(now, relay, error)?;
        let allocation = self.allocations.get_mut(relay)?;
        let ip = allocation.relayed.local.ip();
        let ports = allocation.request.ports;
        if may_retry && self.retry(relay, ip, ports) {
            return None;
        }
        let allocation = self.allocations.get_mut(relay)?;
        if ports == PortRequest::Both {
            // Grant IPv6 alone.
            allocation.request.ports = PortRequest::Any;
            allocation.request.rejected_family = Some((Family::V4, Rejection::CAPACITY));
            allocation.request.attempts = Some(1);
            let server = allocation.client.server.ip();
            if let Some(ip) = self.relay_ip(server, Family::V6)
                && self.retry(relay, ip, PortRequest::Any)
            {
                return None;
            }
        }
        let Some(Removed::Allocation(failed)) = self.allocations.remove(relay) else {
            return None;
        };
        Some(self.reject_allocate(&failed))
    }

    fn reject_allocate(&mut self, failed: &Allocation) -> Forward<'_> {
        let transaction = failed.request.transaction;
        self.reject(&failed.client, transaction, &failed.key, Rejection::CAPACITY)
    }

    /// Counts a failed attempt. Returns whether another port may succeed and may be tried.
    fn count_attempt(
        &mut self,
        now: Instant,
        first: RelayId,
        error: OpenRelayError,
    ) -> Option<bool> {
        let allocation = self.allocations.get_mut(first)?;
        let attempts = allocation.request.attempts.as_mut()?;
        *attempts += 1;
        let is_left = *attempts <= MAX_PORT_ATTEMPTS;
        Some(error == OpenRelayError::PortTaken && is_left && allocation.expires > now)
    }

    /// Opens another port for a socket that failed to open.
    fn retry(&mut self, relay: RelayId, ip: IpAddr, ports: PortRequest) -> bool {
        let Some(relayed) = self.pick_port(ip, ports) else { return false };
        self.allocations.readdress(relay, relayed);
        let owner = self.allocations.owner(relay);
        let peer_transport = owner.map_or(PeerTransport::Udp, |owner| owner.peer_transport);
        self.open_relay(relay, relayed.local, peer_transport);
        true
    }

    /// Opens another pair of ports: without its second port the first one is of no use.
    fn retry_pair(&mut self, now: Instant, first: RelayId, may_retry: bool) -> Option<Forward<'_>> {
        let Some(Removed::Allocation(failed)) = self.allocations.remove(first) else {
            return None;
        };
        self.outputs.push_back(Output::CloseRelay { relay: first });
        let ip = failed.relayed.local.ip();
        let picked = may_retry.then(|| self.pick_port(ip, PortRequest::Pair)).flatten();
        let Some(relayed) = picked else { return Some(self.reject_allocate(&failed)) };
        let client = failed.client.client.ip();
        let holders = self.allocations.accounts.hold(now, user_of(&failed.username), client);
        let relay = self.allocations.insert(Allocation { relayed, holders, ..*failed })?;
        self.outputs.push_back(Output::OpenRelay { relay, local: relayed.local });
        None
    }
}

/// A valid Allocate request and its sender.
#[derive(Clone, Copy)]
struct NewAllocation<'a> {
    now: Instant,
    from: &'a FiveTuple,
    user: &'a Authenticated<'a>,
    request: AllocateRequest,
    peer_transport: PeerTransport,
    mobility_seq: Option<u32>,
}

impl NewAllocation<'_> {
    /// The allocation on this relayed address.
    fn with(self, relayed: RelayedAddress, holders: Holders) -> Allocation {
        let Self { now, from, user, request, peer_transport, mobility_seq } = self;
        Allocation {
            client: *from,
            relayed,
            peer_transport,
            second: None,
            username: (*user.username).into(),
            is_member: user.is_member,
            holders,
            key: user.key.clone(),
            expires: now + Duration::from_secs(request.lifetime.into()),
            peers: Peers::default(),
            request,
            mobility_seq,
        }
    }
}

/// The sockets that a request asks for.
enum RequestedSockets {
    /// New sockets, of a family if one is requested.
    New(Option<Family>, PortRequest),
    /// The reserved socket of this token.
    Reserved(Token),
}

impl RequestedSockets {
    /// Reads the attributes, some of which exclude each other (RFC 8656 §7.2).
    fn read(message: &Message<'_>) -> Result<Self, Rejection> {
        let has = |kind| message.attribute(kind).is_some();
        if let Some(token) = message.attribute(RESERVATION_TOKEN) {
            let others = [EVEN_PORT, REQUESTED_ADDRESS_FAMILY, ADDITIONAL_ADDRESS_FAMILY];
            let token = Token::try_from(token).map_err(|_| Rejection::BAD_REQUEST)?;
            if others.into_iter().any(has) {
                return Err(Rejection::BAD_REQUEST);
            }
            return Ok(Self::Reserved(token));
        }
        let family = requested_family(message)?;
        let ports = even_port(message)?;
        match message.attribute(ADDITIONAL_ADDRESS_FAMILY) {
            None => Ok(Self::New(family, ports)),
            // The additional family is always IPv6.
            Some(&[2, _, _, _]) if family.is_none() && ports == PortRequest::Any => {
                Ok(Self::New(None, PortRequest::Both))
            }
            Some(_) => Err(Rejection::BAD_REQUEST),
        }
    }
}

fn even_port(message: &Message<'_>) -> Result<PortRequest, Rejection> {
    match message.attribute(EVEN_PORT) {
        None => Ok(PortRequest::Any),
        Some(&[flags]) if flags & 0x80 == 0 => Ok(PortRequest::Even),
        Some(&[_]) => Ok(PortRequest::Pair),
        Some(_) => Err(Rejection::BAD_REQUEST),
    }
}
