//! Keys of invitations.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::{credential::Credential, hex};

/// The key of an invitation in a join.
#[derive(Debug, Clone)]
pub struct PresentedInvitation {
    /// The key, from the fragment of a link.
    pub key: Credential,
    /// Time of the join, in milliseconds since 1970 (UTC). A parameter, since a room has no wall
    /// clock.
    pub at: u64,
}

/// SHA-256 of a key, which rooms keep: nobody can enter with it. A key is random and long, so one
/// round is enough.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct KeyHash([u8; 32]);

/// The text is no hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub(crate) struct KeyHashError;

impl KeyHash {
    /// The hash of a key.
    pub(crate) fn of(key: &Credential) -> Self {
        Self(Sha256::digest(key.as_str().as_bytes()).into())
    }

    /// Compares in constant time.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl TryFrom<String> for KeyHash {
    type Error = KeyHashError;
    fn try_from(text: String) -> Result<Self, KeyHashError> {
        hex::decode(&text).map(Self).ok_or(KeyHashError)
    }
}

impl From<KeyHash> for String {
    fn from(hash: KeyHash) -> Self {
        hex::encode(&hash.0)
    }
}

impl std::fmt::Debug for KeyHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyHash(…)")
    }
}
