//! Time-limited TURN credentials (draft-uberti-behave-turn-rest): the user name carries when it
//! ends, the password is an HMAC over it, so the server keeps nothing.

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// What a client is given: a user name and its password, good until the time in the name.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// `EXPIRY_UNIX:user`.
    pub username: String,
    /// `base64(HMAC-SHA1(secret, username))`.
    pub password: String,
}

impl Credential {
    /// A credential for `user` that ends at `expiry_unix` (seconds since 1970).
    #[must_use]
    pub fn mint(secret: &[u8], expiry_unix: u64, user: &str) -> Self {
        let username = format!("{expiry_unix}:{user}");
        let password = password(secret, &username);
        Self { username, password }
    }

    /// Whether this credential was minted with `secret` and has not ended at `unix_now` (seconds
    /// since 1970). Takes as long for a wrong password as for a right one.
    #[must_use]
    pub fn verify(&self, secret: &[u8], unix_now: u64) -> bool {
        let current = Username::parse(&self.username).is_some_and(|name| name.expiry > unix_now);
        let right = password(secret, &self.username);
        let same =
            constant_time::verify_slices_are_equal(right.as_bytes(), self.password.as_bytes());
        current && same.is_ok()
    }
}

/// The password stays out of logs.
impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credential").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A user name of the REST kind, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Username<'a> {
    /// Seconds since 1970 from which the name is no longer good.
    pub expiry: u64,
    /// Whom it was given to; empty where the name is a bare time.
    pub user: &'a str,
}

impl<'a> Username<'a> {
    /// Reads `EXPIRY` or `EXPIRY:user`; anything else is no REST name.
    #[must_use]
    pub fn parse(username: &'a str) -> Option<Self> {
        let (expiry, user) = username.split_once(':').unwrap_or((username, ""));
        if !expiry.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Self { expiry: expiry.parse().ok()?, user })
    }
}

/// What follows the expiry in a REST name: the same person, however often they get a new one. Any
/// other name is whole.
pub(crate) fn user_of(username: &str) -> &str {
    Username::parse(username).map_or(username, |name| name.user)
}

/// The one password that fits `username`.
#[must_use]
pub fn password(secret: &[u8], username: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    STANDARD.encode(hmac::sign(&key, username.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minted_credential_holds_until_its_expiry() {
        let credential = Credential::mint(b"secret", 1000, "p1");
        assert_eq!(credential.username, "1000:p1");
        assert!(credential.verify(b"secret", 999));
        assert!(!credential.verify(b"secret", 1000));
        assert!(!credential.verify(b"other", 999));
    }

    /// `printf 1000:p1 | openssl dgst -sha1 -hmac secret -binary | base64`
    #[test]
    fn the_password_is_what_coturn_computes() {
        assert_eq!(password(b"secret", "1000:p1"), "6bDliIy3yyXxlxd0y1iBo2KuT8s=");
    }

    #[test]
    fn a_name_moved_to_a_later_expiry_is_refused() {
        let mut credential = Credential::mint(b"secret", 1000, "p1");
        credential.username = "2000:p1".into();
        assert!(!credential.verify(b"secret", 999));
    }

    #[test]
    fn only_a_number_before_the_colon_is_an_expiry() {
        assert_eq!(Username::parse("12:a:b"), Some(Username { expiry: 12, user: "a:b" }));
        assert_eq!(Username::parse("12"), Some(Username { expiry: 12, user: "" }));
        for bad in ["", ":a", "a:1", "+5:a", "-5:a", " 5:a", "99999999999999999999999:a"] {
            assert_eq!(Username::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_password_is_not_printed() {
        let credential = Credential::mint(b"secret", 1000, "p1");
        assert!(!format!("{credential:?}").contains(&credential.password));
    }
}
