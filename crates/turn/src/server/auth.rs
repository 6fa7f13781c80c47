//! Who a request is from: the long-term mechanism (RFC 8489 §9.2.4).

use super::Server;
use super::refusal::Refusal;
use crate::FiveTuple;
use crate::credentials::Name;
use crate::stun::attribute::{
    NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM, USERHASH, USERNAME,
};
use crate::stun::{Key, Message, PasswordAlgorithm};
use std::borrow::Cow;

/// Longest user name (RFC 8489 §14.3).
const USERNAME_MAX: usize = 508;

const MD5: &[u8] = &[0, 1, 0, 0];
const SHA256: &[u8] = &[0, 2, 0, 0];
/// What a client may choose from, as PASSWORD-ALGORITHMS: the best first, none with parameters.
pub(super) const OFFERED: &[u8] = &[0, 2, 0, 0, 0, 1, 0, 0];

/// A request whose sender knows the password.
pub(super) struct Proven<'a> {
    pub(super) username: Cow<'a, str>,
    pub(super) key: Key,
}

impl Server {
    /// The order is the RFC's, but that a nonce proves the address before any key is computed.
    pub(super) fn authenticate<'a>(
        &self,
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
        if !self.nonces.verify(unix_now, from.client.ip(), nonce) {
            return Err(Refusal::STALE_NONCE);
        }
        let algorithm = chosen(message)?;
        let made = self.allocations.of_client(from).map(|(_, made)| made);
        let made = made.filter(|made| match name {
            Name::Plain(name) => *made.username == *name,
            Name::Hash(_) => false,
        });
        // A call outlives the credential it began with, though nothing new begins with that.
        if let Some(made) = made
            && made.key.algorithm() == algorithm
            && message.verify(&made.key)
        {
            let username = Cow::Owned(String::from(&*made.username));
            return Ok(Proven { username, key: made.key.clone() });
        }
        let proven = self.credentials.prove(unix_now, message, name, algorithm, made.is_some());
        let (username, key) = proven.ok_or(Refusal::UNAUTHORIZED)?;
        Ok(Proven { username, key })
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
