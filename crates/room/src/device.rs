//! Secrets by which a room recognizes a device.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

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
