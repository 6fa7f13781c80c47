//! Reasons for which a token is refused.

use crate::{
    limits::{LEEWAY_SECONDS, MAX_TOKEN_BYTES},
    time::UnixTime,
};

/// Reason for which a token is refused. Its text is for the developer who makes the tokens; it
/// contains nothing of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is no JWT.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// It is too large.
    #[error("the token has more than {MAX_TOKEN_BYTES} bytes")]
    TooLarge,
    /// It has no signature (`alg: none`).
    #[error("the token is not signed (alg: none)")]
    Unsigned,
    /// Its algorithm is not the one of its key.
    #[error("the token is signed with {given}, but its key is for {expected}")]
    WrongAlgorithm {
        /// The algorithm of the key.
        expected: &'static str,
        /// The algorithm in the token's header, if it has a well-known name.
        given: &'static str,
    },
    /// No key of this server has its `iss` or `kid`.
    #[error(
        "no key of this server fits the token: its iss must be the name of an API key, or its kid \
         that of a published key"
    )]
    UnknownKey,
    /// The published keys could not be fetched yet.
    #[error("the keys for this token can't be fetched just now")]
    KeysUnavailable,
    /// Its signature is wrong.
    #[error("the token's signature is wrong: was it made with the secret of its key?")]
    WrongSignature,
    /// It has no `exp`.
    #[error("the token has no expiry (exp)")]
    NoExpiry,
    /// It has expired.
    #[error(
        "the token expired at {expiry}; the clock of this server shows {now} (leeway \
         {LEEWAY_SECONDS} s)"
    )]
    Expired {
        /// Its `exp`.
        expiry: UnixTime,
        /// The server's time.
        now: UnixTime,
    },
    /// It is not valid yet.
    #[error(
        "the token is valid from {from} on; the clock of this server shows {now} (leeway \
         {LEEWAY_SECONDS} s)"
    )]
    NotYetValid {
        /// Its `nbf`.
        from: UnixTime,
        /// The server's time.
        now: UnixTime,
    },
    /// It was made for another service.
    #[error("the token is not meant for this server: its aud has another name")]
    WrongAudience,
    /// Its issuer is another one than that of the published keys.
    #[error("the token has another issuer (iss) than this server trusts")]
    WrongIssuer,
    /// It was made for another sign-in.
    #[error("the token belongs to another sign-in: its nonce differs")]
    WrongNonce,
    /// It names nobody.
    #[error("the token names nobody (sub)")]
    NoSubject,
    /// It was made for another room.
    #[error("the token is for another room")]
    WrongRoom,
    /// It lacks a grant.
    #[error("the token does not grant {0}")]
    NotGranted(&'static str),
    /// It asks for something that this server can't do.
    #[error("this server does not support {0}")]
    Unsupported(&'static str),
}

impl TokenError {
    /// True if the token was valid at some other time.
    #[must_use]
    pub fn is_about_time(&self) -> bool {
        matches!(self, Self::Expired { .. } | Self::NotYetValid { .. })
    }
}
