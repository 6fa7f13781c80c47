//! The handover of allocations to the next process of this server (a warm restart).
//!
//! Only allocations of clients over UDP are handed over, with their relayed UDP sockets. A server
//! that hands over goes on relaying data but answers no requests, so that no state changes that the
//! next process would not know; clients repeat their requests, and the next process answers. It
//! doesn't know the mobility tickets and reservations of this one.

use std::time::{Duration, Instant};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Server,
    allocation::{AllocateRequest, Allocation, PeerTransport, PortRequest, RelayedAddress},
    frozen::{
        FrozenAddress, FrozenAllocation, FrozenAllocations, FrozenRejection, FrozenRequest,
        TimeLeft,
    },
    output::Output,
    peers::Peers,
    rejection::Rejection,
    transaction::Transaction,
};
use crate::{
    FiveTuple, Transport,
    rest::user_of,
    stun::{Integrity, Key, Method, TransactionId, attribute::Family},
};

impl Server {
    /// Stops answering requests, and returns the allocations for the next process, of at most this
    /// size as JSON. Data is relayed on.
    pub fn freeze(&mut self, now: Instant, max_bytes: usize) -> FrozenAllocations {
        self.hold_requests(true);
        let mut frozen = FrozenAllocations::default();
        let mut room = max_bytes;
        for allocation in self.allocations.iter().filter(|allocation| allocation.expires > now) {
            let Some(found) = freeze(now, allocation) else {
                frozen.ending += 1;
                continue;
            };
            match room.checked_sub(found.size()) {
                Some(rest) => {
                    room = rest;
                    frozen.allocations.push(found);
                }
                None => frozen.excess += 1,
            }
        }
        frozen
    }

    /// While true, drops requests that need a credential. Clients repeat them.
    pub fn hold_requests(&mut self, hold: bool) {
        self.holds_requests = hold;
    }

    /// Continues an allocation of an earlier process, which was frozen `elapsed` ago, and asks for
    /// its sockets. Returns false if it has expired or is not one of this server's.
    pub fn restore(&mut self, now: Instant, frozen: &FrozenAllocation, elapsed: Duration) -> bool {
        self.try_restore(now, frozen, elapsed).is_some()
    }

    fn try_restore(
        &mut self,
        now: Instant,
        frozen: &FrozenAllocation,
        elapsed: Duration,
    ) -> Option<()> {
        let limits = &self.config.limits;
        let expires = frozen.left.thaw(now, elapsed, limits.max_lifetime)?;
        let key = Key::from_bytes(&STANDARD.decode(&frozen.key).ok()?)?;
        let client =
            FiveTuple { transport: Transport::Udp, client: frozen.client, server: frozen.server };
        let relayed = RelayedAddress::from(frozen.relayed);
        let second = frozen.second.map(RelayedAddress::from);
        let is_dual =
            |other: RelayedAddress| other.advertised.is_ipv4() != relayed.advertised.is_ipv4();
        let is_free = self.allocations.of_client(&client).is_none()
            && std::iter::once(relayed).chain(second).all(|relayed| {
                self.config.ports.contains(&relayed.local.port())
                    && self.allocations.at(&relayed.advertised).is_none()
            });
        if !is_free || !second.is_none_or(is_dual) {
            return None;
        }
        let peers = Peers::thaw(now, elapsed, &frozen.permissions, &frozen.channels, limits.into());
        let user = user_of(&frozen.username);
        let holders = self.allocations.accounts.hold(now, user, frozen.client.ip());
        let relay = self.allocations.insert(Allocation {
            client,
            relayed,
            peer_transport: PeerTransport::Udp,
            second: None,
            username: frozen.username.clone(),
            is_member: frozen.is_member,
            holders,
            key,
            expires,
            peers,
            request: frozen.request.into(),
            mobility_seq: None,
        })?;
        self.outputs.push_back(Output::OpenRelay { relay, local: relayed.local });
        if let Some(second) = second
            && let Some(relay) = self.allocations.insert_second(relay, second)
        {
            self.outputs.push_back(Output::OpenRelay { relay, local: second.local });
        }
        Some(())
    }
}

/// `None` if the allocation ends with this process.
fn freeze(now: Instant, allocation: &Allocation) -> Option<FrozenAllocation> {
    let client = &allocation.client;
    // One that has moved may get its client's packets from another shard, which knows the way.
    let has_moved = allocation.mobility_seq.is_some_and(|moves| moves > 0);
    if client.transport != Transport::Udp || allocation.is_opening() || has_moved {
        return None;
    }
    let (permissions, channels) = allocation.peers.freeze(now);
    Some(FrozenAllocation {
        client: client.client,
        server: client.server,
        relayed: allocation.relayed.into(),
        second: allocation.second.map(|(_, relayed)| relayed.into()),
        username: allocation.username.clone(),
        is_member: allocation.is_member,
        key: STANDARD.encode(allocation.key.as_bytes()),
        left: TimeLeft::until(allocation.expires, now)?,
        permissions,
        channels,
        request: (&allocation.request).into(),
    })
}

impl From<RelayedAddress> for FrozenAddress {
    fn from(relayed: RelayedAddress) -> Self {
        let RelayedAddress { advertised, local } = relayed;
        Self { advertised, local }
    }
}

impl From<FrozenAddress> for RelayedAddress {
    fn from(frozen: FrozenAddress) -> Self {
        let FrozenAddress { advertised, local } = frozen;
        Self { advertised, local }
    }
}

impl From<&AllocateRequest> for FrozenRequest {
    fn from(request: &AllocateRequest) -> Self {
        let rejected = request.rejected_family.map(|(family, rejection)| FrozenRejection {
            is_ipv4: family == Family::V4,
            code: rejection.code,
        });
        Self {
            transaction: request.transaction.id.0,
            fingerprinted: request.transaction.fingerprinted,
            sha256: request.transaction.integrity == Integrity::Sha256,
            lifetime: request.lifetime,
            rejected_family: rejected,
        }
    }
}

impl From<FrozenRequest> for AllocateRequest {
    fn from(frozen: FrozenRequest) -> Self {
        let rejected = frozen.rejected_family.map(|rejected| {
            let family = if rejected.is_ipv4 { Family::V4 } else { Family::V6 };
            let reasons = [Rejection::FAMILY_NOT_SUPPORTED, Rejection::CAPACITY];
            let reason = reasons.into_iter().find(|reason| reason.code == rejected.code);
            (family, reason.unwrap_or(Rejection::CAPACITY))
        });
        Self {
            transaction: Transaction {
                method: Method::ALLOCATE,
                id: TransactionId(frozen.transaction),
                fingerprinted: frozen.fingerprinted,
                integrity: if frozen.sha256 { Integrity::Sha256 } else { Integrity::Sha1 },
            },
            lifetime: frozen.lifetime,
            ports: PortRequest::Any,
            rejected_family: rejected,
            token: None,
            attempts: None,
        }
    }
}
