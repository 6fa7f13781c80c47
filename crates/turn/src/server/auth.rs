//! Who a request is from: the long-term mechanism (RFC 8489 §9.2.4).

use super::Server;
use super::refusal::Refusal;
use crate::FiveTuple;
use crate::credentials::Name;
pub(super) use crate::credentials::Proven;
use crate::stun::attribute::{
    NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM, USERHASH, USERNAME,
};
use crate::stun::{Message, PasswordAlgorithm};
use std::borrow::Cow;
use std::time::Instant;

/// Longest user name (RFC 8489 §14.3).
const USERNAME_MAX: usize = 508;

const MD5: &[u8] = &[0, 1, 0, 0];
const SHA256: &[u8] = &[0, 2, 0, 0];
/// What a client may choose from, as PASSWORD-ALGORITHMS: the best first, none with parameters.
pub(super) const OFFERED: &[u8] = &[0, 2, 0, 0, 0, 1, 0, 0];

impl Server {
    /// The order is the RFC's, but that a nonce proves the address before any key is computed.
    pub(super) fn authenticate<'a>(
        &self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        message: &Message<'a>,
    ) -> Result<Proven<'a>, Refusal> {
        if message.integrity().is_none() {
            return Err(Refusal::UNAUTHORIZED);
        }
        let named = message.text(USERNAME).filter(|name| name.len() <= USERNAME_MAX);
        let named = named.map(Name::Plain).or(message.attribute(USERHASH).map(Name::Hash));
        let (Some(name), Some(_), Some(nonce)) =
            (named, message.attribute(REALM), message.attribute(NONCE))
        else {
            return Err(Refusal::BAD_REQUEST);
        };
        if !self.nonces.verify(self.nonce_time(now), from.client.ip(), nonce) {
            return Err(Refusal::STALE_NONCE);
        }
        let algorithm = chosen(message)?;
        let made = self.allocations.of_client(from).map(|(_, made)| made);
        let made = made.filter(|made| match name {
            Name::Plain(name) => *made.username == *name,
            Name::Hash(_) => false,
        });
        // A call outlives the credential it began with, though nothing new begins with that, and
        // no room's call outlives its membership.
        if let Some(made) = made
            && made.key.algorithm() == algorithm
            && message.verify(&made.key)
        {
            if made.is_member && !self.credentials.has_member(&made.username) {
                return Err(Refusal::UNAUTHORIZED);
            }
            let username = Cow::Owned(String::from(&*made.username));
            return Ok(Proven { username, key: made.key.clone(), is_member: made.is_member });
        }
        let times = (now, unix_now);
        let proven = self.credentials.prove(times, message, name, algorithm, made.is_some());
        proven.ok_or(Refusal::UNAUTHORIZED)
    }
}

/// How the client made its key. Who chooses sends back what there was to choose from, so that
/// nobody between us can take the better away (RFC 8489 §9.2.4).
fn chosen(message: &Message<'_>) -> Result<PasswordAlgorithm, Refusal> {
    match (message.attribute(PASSWORD_ALGORITHMS), message.attribute(PASSWORD_ALGORITHM)) {
        (None, None) => Ok(PasswordAlgorithm::Md5),
        (Some(OFFERED), Some(MD5)) => Ok(PasswordAlgorithm::Md5),
        (Some(OFFERED), Some(SHA256)) => Ok(PasswordAlgorithm::Sha256),
        _ => Err(Refusal::BAD_REQUEST),
    }
}
