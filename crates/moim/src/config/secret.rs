//! Shared secrets, such as the one for TURN credentials.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::data::DataFolder;

/// A shared secret. Its `Debug` text is redacted, so that no log shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The file of a generated secret, in the data folder.
    const FILE: &'static str = "turn.secret";

    /// Wraps a secret; `None` if it is empty.
    pub(crate) fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// Loads the secret of the data folder; creates one of 32 random bytes at the first start.
    pub(crate) fn load_or_create(data: &DataFolder) -> anyhow::Result<Self> {
        let kept = data.read_or_create(Self::FILE, || {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)?;
            Ok(BASE64_STANDARD.encode(bytes))
        })?;
        let text = kept.trim_ascii_end();
        Self::new(text.to_owned()).ok_or_else(|| {
            let path = data.path().join(Self::FILE);
            anyhow::anyhow!("{} is empty: remove it to have a new one created", path.display())
        })
    }

    /// The secret as text, for the server that it proves this one to.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The secret as bytes, for the HMAC.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
