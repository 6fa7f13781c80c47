//! Secrets by which a room recognizes a device.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::hex;

/// Minimum length of a device secret, in characters.
const MIN_LENGTH: usize = 16;
/// Maximum length of a device secret, in characters.
const MAX_LENGTH: usize = 64;

/// The text is no device secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a device secret has {MIN_LENGTH} to {MAX_LENGTH} letters, digits, - or _")]
pub struct DeviceSecretError;

/// A random secret that a client keeps and sends with each join, so that a host comes back as host
/// and a removed participant stays removed. `Debug` hides it.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct DeviceSecret(String);

impl DeviceSecret {
    /// Compares in constant time. The length is no secret.
    pub(crate) fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// The secret's hash. It is random and long, so one round is enough.
    pub fn hash(&self) -> DeviceHash {
        DeviceHash(Sha256::digest(self.0.as_bytes()).into())
    }
}

impl TryFrom<String> for DeviceSecret {
    type Error = DeviceSecretError;
    fn try_from(text: String) -> Result<Self, DeviceSecretError> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let is_valid =
            (MIN_LENGTH..=MAX_LENGTH).contains(&text.len()) && text.bytes().all(is_allowed);
        if is_valid { Ok(Self(text)) } else { Err(DeviceSecretError) }
    }
}

impl From<DeviceSecret> for String {
    fn from(secret: DeviceSecret) -> Self {
        secret.0
    }
}

impl std::fmt::Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceSecret(…)")
    }
}

/// SHA-256 of a [`DeviceSecret`], which rooms keep: it recognizes a device, and nobody can enter
/// with it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DeviceHash([u8; 32]);

/// Earlier programs handed over the secret itself.
impl TryFrom<String> for DeviceHash {
    type Error = DeviceSecretError;
    fn try_from(text: String) -> Result<Self, DeviceSecretError> {
        match hex::decode(&text) {
            Some(hash) => Ok(Self(hash)),
            None => DeviceSecret::try_from(text).map(|secret| secret.hash()),
        }
    }
}

impl From<DeviceHash> for String {
    fn from(hash: DeviceHash) -> Self {
        hex::encode(&hash.0)
    }
}

impl std::fmt::Debug for DeviceHash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeviceHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_survives_as_text_and_hides_the_secret() {
        let secret = DeviceSecret::try_from("device-secret-0001".to_owned()).unwrap();
        let text = serde_json::to_string(&secret.hash()).unwrap();
        assert_eq!(text.len(), 66);
        assert!(!text.contains("device"));
        assert_eq!(serde_json::from_str::<DeviceHash>(&text).unwrap(), secret.hash());
        let earlier = serde_json::to_string(&secret).unwrap();
        assert_eq!(serde_json::from_str::<DeviceHash>(&earlier).unwrap(), secret.hash());
        for bad in ["\"\"", "\"zz\"", &text.replace('"', "\"00")[..]] {
            assert!(serde_json::from_str::<DeviceHash>(bad).is_err(), "{bad}");
        }
    }
}
