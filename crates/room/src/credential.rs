//! Tokens and keys of invitations, as clients send them.

use serde::{Deserialize, Serialize};

/// Maximum size, in bytes: that of join tokens.
const MAX_BYTES: usize = 8 * 1024;

/// The text is no credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a token has 1 to {MAX_BYTES} bytes")]
pub struct CredentialError;

/// A join token, or the key of an invitation: unverified. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct Credential(String);

impl Credential {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Credential {
    type Error = CredentialError;
    fn try_from(text: String) -> Result<Self, CredentialError> {
        let is_valid = (1..=MAX_BYTES).contains(&text.len());
        if is_valid { Ok(Self(text)) } else { Err(CredentialError) }
    }
}

impl From<Credential> for String {
    fn from(credential: Credential) -> Self {
        credential.0
    }
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credential(…)")
    }
}
