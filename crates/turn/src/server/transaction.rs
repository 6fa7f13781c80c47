//! The STUN transaction of a request, as far as its response must match it.

use crate::stun::{Integrity, Message, Method, TransactionId, attribute::PASSWORD_ALGORITHM};

/// The properties of a request that its response repeats.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Transaction {
    pub(crate) method: Method,
    pub(crate) id: TransactionId,
    /// A request with FINGERPRINT is answered with FINGERPRINT.
    pub(crate) fingerprinted: bool,
    /// The hash that protects the response once the key is known: SHA-256 where the client chose a
    /// password algorithm (RFC 8489 §9.2.4), else the hash of the request.
    pub(crate) integrity: Integrity,
}

impl From<&Message<'_>> for Transaction {
    fn from(message: &Message<'_>) -> Self {
        let negotiated = message.attribute(PASSWORD_ALGORITHM).map(|_| Integrity::Sha256);
        Self {
            method: message.method(),
            id: message.transaction(),
            fingerprinted: message.fingerprinted(),
            integrity: negotiated.or(message.integrity()).unwrap_or(Integrity::Sha1),
        }
    }
}
