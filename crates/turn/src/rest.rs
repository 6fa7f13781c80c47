//! Time-limited TURN credentials (draft-uberti-behave-turn-rest): the username carries the expiry
//! and the password is an HMAC over the username, so the server stores nothing.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A username and its password, valid until the expiry in the name.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `EXPIRY_UNIX:user`.
    pub username: String,
    /// `base64(HMAC-SHA1(secret, username))`.
    pub password: String,
}

impl Credential {
    /// A credential for `user` that expires at `expiry_unix` (seconds since 1970).
    #[must_use]
    pub fn mint(secret: &[u8], expiry_unix: u64, user: &str) -> Self {
        let username = format!("{expiry_unix}:{user}");
        let password = password(secret, &username);
        Self { username, password }
    }

    /// Returns whether this credential was minted with `secret` and has not expired at `unix_now`
    /// (seconds since 1970). The time taken does not depend on the password.
    #[must_use]
    pub fn verify(&self, secret: &[u8], unix_now: u64) -> bool {
        let current = Username::parse(&self.username).is_some_and(|name| name.expiry > unix_now);
        let right = password(secret, &self.username);
        let same =
            constant_time::verify_slices_are_equal(right.as_bytes(), self.password.as_bytes());
        current && same.is_ok()
    }
}

/// Omits the password.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A parsed REST username.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Username<'a> {
    /// Seconds since 1970 at which the credential expires.
    pub expiry: u64,
    /// The user that it was issued to; empty if the name is only an expiry.
    pub user: &'a str,
}

impl<'a> Username<'a> {
    /// Parses `EXPIRY` or `EXPIRY:user`; other names are no REST names.
    #[must_use]
    pub fn parse(username: &'a str) -> Option<Self> {
        let (expiry, user) = username.split_once(':').unwrap_or((username, ""));
        if !expiry.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { expiry: expiry.parse().ok()?, user })
    }
}

/// The user part of a REST name, the same in all renewed credentials of a user. Any other name is
/// returned whole.
pub(crate) fn user_of(username: &str) -> &str {
    Username::parse(username).map_or(username, |name| name.user)
}

/// The password of `username`.
#[must_use]
pub fn password(secret: &[u8], username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    STANDARD.encode(hmac::sign(&key, username.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minted_credential_is_valid_until_its_expiry() {
        let credential = Credential::mint(b"secret", 1000, "p1");
        assert_eq!(credential.username, "1000:p1");
        assert!(credential.verify(b"secret", 999));
        assert!(!credential.verify(b"secret", 1000));
        assert!(!credential.verify(b"other", 999));
    }

    /// `printf 1000:p1 | openssl dgst -sha1 -hmac secret -binary | base64`
    #[test]
    fn password_matches_coturn() {
        assert_eq!(password(b"secret", "1000:p1"), "6bDliIy3yyXxlxd0y1iBo2KuT8s=");
    }

    #[test]
    fn username_with_a_changed_expiry_is_invalid() {
        let mut credential = Credential::mint(b"secret", 1000, "p1");
        credential.username = "2000:p1".into();
        assert!(!credential.verify(b"secret", 999));
    }

    #[test]
    fn username_expiry_must_be_decimal() {
        assert_eq!(Username::parse("12:a:b"), Some(Username { expiry: 12, user: "a:b" }));
        assert_eq!(Username::parse("12"), Some(Username { expiry: 12, user: "" }));
        for bad in ["", ":a", "a:1", "+5:a", "-5:a", " 5:a", "99999999999999999999999:a"] {
            assert_eq!(Username::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_output_omits_the_password() {
        let credential = Credential::mint(b"secret", 1000, "p1");
        assert!(!format!("{credential:?}").contains(&credential.password));
    }
}
