//! Who a request is from: the long-term mechanism (RFC 8489 §9.2.4).

use super::Server;
use super::refusal::Refusal;
use crate::stun::attribute::{NONCE, REALM, USERNAME};
use crate::stun::{Key, Message};
use crate::{FiveTuple, rest};

/// Longest user name (RFC 8489 §14.3).
const USERNAME_MAX: usize = 508;

/// A request whose sender knows the password.
pub(super) struct Proven<'a> {
    pub(super) username: &'a str,
    pub(super) key: Key,
}

impl Server {
    /// The order is the RFC's. A nonce proves the address before any key is computed.
    pub(super) fn authenticate<'a>(
        &self,
        unix_now: u64,
        from: &FiveTuple,
        message: &Message<'a>,
    ) -> Result<Proven<'a>, Refusal> {
        if !message.has_integrity() {
            return Err(Refusal::UNAUTHORIZED);
        }
        let named = message.text(USERNAME).filter(|name| name.len() <= USERNAME_MAX);
        let (Some(username), Some(_), Some(nonce)) =
            (named, message.attribute(REALM), message.attribute(NONCE))
        else {
            return Err(Refusal::BAD_REQUEST);
        };
        if !self.nonces.verify(unix_now, from.client.ip(), nonce) {
            return Err(Refusal::STALE_NONCE);
        }
        let key = self.key(unix_now, from, username).ok_or(Refusal::UNAUTHORIZED)?;
        if !message.verify(&key) {
            return Err(Refusal::UNAUTHORIZED);
        }
        Ok(Proven { username, key })
    }

    /// The key of a user. A credential that ends keeps no new allocation from being refused, but
    /// an allocation made with it may go on: a call outlives the credential it began with.
    fn key(&self, unix_now: u64, from: &FiveTuple, username: &str) -> Option<Key> {
        match self.allocations.of_client(from) {
            Some((_, made)) if *made.username == *username => Some(made.key.clone()),
            _ => {
                rest::Username::parse(username).filter(|name| name.expiry > unix_now)?;
                let password = rest::password(&self.config.secret, username);
                Some(Key::long_term(username, &self.config.realm, &password))
            }
        }
    }
}
