//! The secret that TURN credentials are made with.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};

use crate::data::DataFolder;

/// A shared secret. It has no readable `Debug` text, so that no log shows it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl Secret {
    /// The name of the file a secret of our own is kept in.
    const FILE: &'static str = "turn.secret";

    /// A secret as given; there must be something to it.
    pub(crate) fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// The secret of this data folder: 32 random bytes, made on first start.
    pub(super) fn kept_in(data: &DataFolder) -> anyhow::Result<Self> {
        let kept = data.read_or_create(Self::FILE, || {
            let mut bytes = [0; 32];
            getrandom::fill(&mut bytes)?;
            Ok(BASE64_STANDARD.encode(bytes))
        })?;
        let text = kept.trim_ascii_end();
        Self::new(text.to_owned()).ok_or_else(|| {
            let path = data.path().join(Self::FILE);
            anyhow::anyhow!("{} is empty: remove it and a new one is made", path.display())
        })
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
