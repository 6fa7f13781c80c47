//! Sets of public keys.

use jsonwebtoken::jwk::Jwk;
use serde::Deserialize;

use crate::keys::VerifyingKey;

/// Maximum number of keys that are taken of a set.
const MAX_KEYS: usize = 64;

/// The text is no set of keys.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwksError {
    /// It is no JSON of this form.
    #[error("it is no JWK set: expected {{\"keys\": [...]}}")]
    Malformed,
    /// It has no usable key.
    #[error("it has no public key for signatures (RS256, PS256, ES256, ES384, EdDSA)")]
    NoKeys,
}

/// Public keys for signatures.
#[derive(Clone, Default)]
pub struct KeySet(Vec<(Option<String>, VerifyingKey)>);

#[derive(Deserialize)]
struct Document {
    /// Keys one by one, since one with an unknown type must not hide the others.
    keys: Vec<serde_json::Value>,
}

impl KeySet {
    /// Parses a set; keys of other kinds and uses are left out.
    ///
    /// # Errors
    /// The text is malformed or has no usable key.
    pub fn parse(text: &[u8]) -> Result<Self, JwksError> {
        let Document { keys } = serde_json::from_slice(text).map_err(|_| JwksError::Malformed)?;
        let keys = keys.into_iter().filter_map(|key| {
            let jwk: Jwk = serde_json::from_value(key).ok()?;
            Some((jwk.common.key_id.clone(), VerifyingKey::of_jwk(&jwk)?))
        });
        let keys: Vec<_> = keys.take(MAX_KEYS).collect();
        if keys.is_empty() { Err(JwksError::NoKeys) } else { Ok(Self(keys)) }
    }

    /// The key with this id. A token without an id needs a set of one key.
    pub(crate) fn find(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match (kid, self.0.as_slice()) {
            (None, [(_, key)]) => Some(key),
            (None, _) => None,
            (Some(kid), keys) => {
                keys.iter().find(|(id, _)| id.as_deref() == Some(kid)).map(|(_, key)| key)
            }
        }
    }
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(id, _)| id)).finish()
    }
}
