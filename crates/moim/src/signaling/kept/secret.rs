//! Passwords of kept rooms: hashes, beside what a room in this process has.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2::{self, PBKDF2_HMAC_SHA512};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use room::password::Password;
use serde::{Deserialize, Serialize};

/// OWASP's recommendation for PBKDF2 with SHA-512 (2023).
const ITERATIONS: NonZeroU32 = NonZeroU32::new(210_000).expect("not zero");

/// A room's password, its hash, or both. After a restart only the hash is known.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub(super) plain: Option<Password>,
    pub(super) hash: Option<PasswordHash>,
}

impl Secret {
    pub(super) fn new(password: &Password) -> Self {
        Self { plain: Some(password.clone()), hash: None }
    }

    pub(super) fn hashed(hash: PasswordHash) -> Self {
        Self { plain: None, hash: Some(hash) }
    }

    /// The password that has yet to be hashed.
    pub(super) fn unhashed(&self) -> Option<&Password> {
        self.plain.as_ref().filter(|_| self.hash.is_none())
    }

    /// Returns whether it is known to be this password, without hashing.
    pub(super) fn is_plainly(&self, password: &Password) -> bool {
        self.plain.as_ref().is_some_and(|plain| plain.matches(password))
    }

    /// Returns whether it is this password. Takes 0.1 s if only the hash is known.
    pub(super) fn is(&self, given: &Password) -> bool {
        match (&self.plain, &self.hash) {
            (Some(plain), _) => plain.matches(given),
            (None, Some(hash)) => hash.is_of(given),
            (None, None) => false,
        }
    }
}

/// PBKDF2 hash (RFC 8018) of a password.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PasswordHash {
    salt: String,
    hash: String,
    iterations: NonZeroU32,
}

impl PasswordHash {
    pub(super) fn of(password: &Password) -> anyhow::Result<Self> {
        let mut salt = [0; 16];
        let mut hash = [0; 32];
        getrandom::fill(&mut salt)?;
        let secret = String::from(password.clone());
        pbkdf2::derive(PBKDF2_HMAC_SHA512, ITERATIONS, &salt, secret.as_bytes(), &mut hash);
        Ok(Self {
            salt: STANDARD.encode(salt),
            hash: STANDARD.encode(hash),
            iterations: ITERATIONS,
        })
    }

    /// Compares in constant time. A malformed hash matches nothing.
    fn is_of(&self, given: &Password) -> bool {
        let (Ok(salt), Ok(hash)) = (STANDARD.decode(&self.salt), STANDARD.decode(&self.hash))
        else {
            return false;
        };
        let secret = String::from(given.clone());
        let iterations = self.iterations.min(ITERATIONS);
        !hash.is_empty()
            && pbkdf2::verify(PBKDF2_HMAC_SHA512, iterations, &salt, secret.as_bytes(), &hash)
                .is_ok()
    }
}
