//! The one-time link.

use std::time::Duration;

use tokio::time::Instant;

use crate::session_secret::{SecretHash, new_secret};

/// Time for which a link is good.
pub(crate) const LIFE: Duration = Duration::from_secs(60 * 60);

/// The link without the server's address. The secret is in the fragment, which no log has.
pub(crate) fn path(secret: &str) -> String {
    format!("/admin#once={secret}")
}

/// A link that makes an administrator.
#[derive(Debug)]
pub(super) struct Link {
    hash: SecretHash,
    expires: Instant,
}

impl Link {
    /// A link and its secret.
    pub(super) fn new(now: Instant) -> anyhow::Result<(Self, String)> {
        let secret = new_secret()?;
        Ok((Self { hash: SecretHash::of(&secret), expires: now + LIFE }, secret))
    }

    /// True for its secret, while it is good.
    pub(super) fn is_of(&self, secret: &str, now: Instant) -> bool {
        now < self.expires && self.hash.is_of(secret)
    }
}
