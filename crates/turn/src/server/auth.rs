//! Authentication of requests by the long-term credential mechanism (RFC 8489 §9.2.4).

use std::{borrow::Cow, time::Instant};

use super::{Server, rejection::Rejection};
use crate::{
    FiveTuple,
    credentials::{Authenticated, Claim, Name, Time},
    stun::{
        Message, PasswordAlgorithm,
        attribute::{NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM, USERHASH, USERNAME},
    },
};

/// Maximum length of USERNAME in bytes (RFC 8489 §14.3).
const MAX_USERNAME_LEN: usize = 508;

const MD5: &[u8] = &[0, 1, 0, 0];
const SHA256: &[u8] = &[0, 2, 0, 0];
/// The value of PASSWORD-ALGORITHMS: the preferred first, none with parameters.
pub(super) const OFFERED: &[u8] = &[0, 2, 0, 0, 0, 1, 0, 0];

impl Server {
    /// Authenticates a request. The checks are in the RFC's order, except that the nonce comes
    /// first: it validates the client's address before any key is computed.
    pub(super) fn authenticate<'a>(
        &self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        message: &Message<'a>,
    ) -> Result<Authenticated<'a>, Rejection> {
        if message.integrity().is_none() {
            return Err(Rejection::UNAUTHORIZED);
        }
        let name = message.text(USERNAME).filter(|name| name.len() <= MAX_USERNAME_LEN);
        let name = name.map(Name::Plain).or(message.attribute(USERHASH).map(Name::Hash));
        let (Some(name), Some(_), Some(nonce)) =
            (name, message.attribute(REALM), message.attribute(NONCE))
        else {
            return Err(Rejection::BAD_REQUEST);
        };
        if !self.nonces.verify(self.nonce_time(now), from.client.ip(), nonce) {
            return Err(Rejection::STALE_NONCE);
        }
        let algorithm = chosen_algorithm(message)?;
        let allocation = self.allocations.of_client(from).map(|(_, allocation)| allocation);
        let allocation = allocation.filter(|allocation| match name {
            Name::Plain(name) => *allocation.username == *name,
            Name::Hash(_) => false,
        });
        // A call may outlast the credential that it began with. An expired credential refreshes
        // its allocation but makes no new one, and a room's credential ends with its membership.
        if let Some(allocation) = allocation
            && allocation.key.algorithm() == algorithm
            && message.verify(&allocation.key)
        {
            let is_member = allocation.is_member;
            if is_member && !self.credentials.has_member(&allocation.username) {
                return Err(Rejection::UNAUTHORIZED);
            }
            let username = Cow::Owned(String::from(&*allocation.username));
            return Ok(Authenticated { username, key: allocation.key.clone(), is_member });
        }
        let claim = Claim { name, algorithm, may_be_expired: allocation.is_some() };
        let time = Time { now, unix: unix_now };
        self.credentials.authenticate(time, message, claim).ok_or(Rejection::UNAUTHORIZED)
    }
}

/// The algorithm that the client derived its key with. A client that chooses one returns the list
/// that it was offered, so that an attacker can't remove the stronger one (RFC 8489 §9.2.4).
fn chosen_algorithm(message: &Message<'_>) -> Result<PasswordAlgorithm, Rejection> {
    match (message.attribute(PASSWORD_ALGORITHMS), message.attribute(PASSWORD_ALGORITHM)) {
        (None, None) => Ok(PasswordAlgorithm::Md5),
        (Some(OFFERED), Some(MD5)) => Ok(PasswordAlgorithm::Md5),
        (Some(OFFERED), Some(SHA256)) => Ok(PasswordAlgorithm::Sha256),
        _ => Err(Rejection::BAD_REQUEST),
    }
}
