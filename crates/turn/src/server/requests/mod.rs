//! Requests: one step a method (RFC 8656 §7 to §12).

mod allocate;
mod binding;
mod channel;
mod permission;
mod ports;
mod refresh;

use super::allocations::Allocation;
use super::auth::Proven;
use super::refusal::Refusal;
use super::respond::{Asked, Granted};
use super::{Forward, RelayId, Server};
use crate::FiveTuple;
use crate::policy::Verdict;
use crate::stun::attribute::{
    CHANNEL_NUMBER, CONNECTION_ID, DONT_FRAGMENT, EVEN_PORT, Family, LIFETIME, NONCE,
    PASSWORD_ALGORITHM, REALM, REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, RESERVATION_TOKEN,
    USERHASH, USERNAME, XOR_PEER_ADDRESS,
};
use crate::stun::{Message, Method};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// The attributes that may go with any credential.
const CREDENTIAL: &[u16] = &[USERNAME, USERHASH, REALM, NONCE, PASSWORD_ALGORITHM];

/// The attributes a request may carry that take understanding, besides those of its credential.
fn known(method: Method, dont_fragment: bool) -> &'static [u16] {
    const ALLOCATE: &[u16] = &[
        LIFETIME,
        REQUESTED_TRANSPORT,
        REQUESTED_ADDRESS_FAMILY,
        EVEN_PORT,
        RESERVATION_TOKEN,
        DONT_FRAGMENT,
    ];
    match method {
        Method::ALLOCATE if dont_fragment => ALLOCATE,
        Method::ALLOCATE => ALLOCATE.split_last().map_or(ALLOCATE, |(_, others)| others),
        Method::REFRESH => &[LIFETIME, REQUESTED_ADDRESS_FAMILY],
        Method::CREATE_PERMISSION | Method::CONNECT => &[XOR_PEER_ADDRESS],
        Method::CONNECTION_BIND => &[CONNECTION_ID],
        _ => &[XOR_PEER_ADDRESS, CHANNEL_NUMBER],
    }
}

/// What of a message takes understanding that we have not.
fn unknown<'m>(
    message: &Message<'m>,
    known: &'static [u16],
) -> impl Iterator<Item = u16> + use<'m> {
    message.unknown(known).filter(|kind| !CREDENTIAL.contains(kind))
}

impl Server {
    /// Requests that take a credential. One that `wanted` a sibling goes there.
    pub(super) fn request<'a>(
        &'a mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        message: &Message<'a>,
        wanted: Option<u8>,
    ) -> Option<Forward<'a>> {
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
        let proven = match self.authenticate(now, unix_now, from, message) {
            Ok(proven) => proven,
            Err(refusal) if self.admit_unproven(now, from) => {
                return Some(self.challenge(now, from, asked, refusal));
            }
            Err(_) => return None,
        };
        self.rate.note_proven(now, from.client.ip());
        if let Some(sibling) = wanted {
            return self.hand_on(now, from, sibling, message);
        }
        let known = known(asked.method, self.config.dont_fragment);
        let mut unknown = unknown(message, known).peekable();
        if unknown.peek().is_some() {
            return Some(self.refuse_unknown(from, asked, Some(&proven.key), unknown));
        }
        match step(self, now, from, message, &proven) {
            Ok(granted) => self.grant(from, asked, &proven.key, granted),
            Err(refusal) => Some(self.refuse(from, asked, &proven.key, refusal)),
        }
    }

    /// Whether a sender that has proven nothing but perhaps an address is answered.
    fn admit_unproven(&mut self, now: Instant, from: &FiveTuple) -> bool {
        let (client, proven) = (from.client.ip(), from.transport.proves_address());
        let proven = proven || self.rate.is_proven(now, client);
        let admitted = self.rate.admit(now, client, proven);
        if !admitted {
            self.counters.dropped_rate += 1;
        }
        admitted
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
            Some((relay, made))
                if live(made) && proven.is_holder(&made.username, made.is_member) =>
            {
                Ok((relay, made))
            }
            Some((_, made)) if live(made) => Err(Refusal::WRONG_CREDENTIALS),
            _ => Err(Refusal::ALLOCATION_MISMATCH),
        }
    }

    /// Whether a peer may be permitted, and if so whether only as one of our own relays. What is
    /// denied is denied in every wrapping, before its family matters; `has` tells the families of
    /// the client's relayed addresses.
    pub(super) fn judge(
        &self,
        peer: IpAddr,
        has: impl Fn(Family) -> bool,
    ) -> Result<bool, Refusal> {
        let verdict = self.policy.judge(peer, self.allocations.on(peer.to_canonical()));
        if verdict == Verdict::Denied {
            return Err(Refusal::FORBIDDEN);
        }
        if !has(Family::of(peer.to_canonical())) || peer.to_canonical() != peer {
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
}

/// The one family a request is about, if it says so.
fn requested_family(message: &Message<'_>) -> Result<Option<Family>, Refusal> {
    match message.attribute(REQUESTED_ADDRESS_FAMILY) {
        None => Ok(None),
        Some(&[family, _, _, _]) => {
            Family::from_byte(family).map(Some).ok_or(Refusal::FAMILY_NOT_SUPPORTED)
        }
        Some(_) => Err(Refusal::BAD_REQUEST),
    }
}
