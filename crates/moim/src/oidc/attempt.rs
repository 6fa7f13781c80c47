//! A sign-in that is under way, kept by the browser in a sealed cookie: however many are begun, the
//! server holds nothing of them.

use std::fmt;

use access::UnixTime;
use anyhow::Context;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    digest::{SHA256, digest},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::session_secret::new_secret;

/// Time in which a person signs in at the provider.
pub(crate) const LIFE_SECONDS: u64 = 10 * 60;
/// Longest address within this page to which a sign-in returns, in bytes.
const MAX_RETURN_BYTES: usize = 1024;

/// A sign-in that is under way.
#[derive(Serialize, Deserialize)]
pub(super) struct Attempt {
    /// Comes back with the code: an answer to another browser, or to none, has another one.
    state: String,
    /// Comes back in the ID token.
    pub(super) nonce: String,
    /// Proves to the provider that this server began (PKCE, RFC 7636).
    pub(super) verifier: String,
    /// The redirect URI that the provider was told.
    pub(super) redirect: String,
    /// The path of this page to return to.
    pub(super) to: String,
    expires: UnixTime,
}

impl Attempt {
    /// Begins one at a time.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(super) fn new(redirect: String, to: &str, now: UnixTime) -> anyhow::Result<Self> {
        Ok(Self {
            state: new_secret()?,
            nonce: new_secret()?,
            verifier: new_secret()?,
            redirect,
            to: return_path(to).to_owned(),
            expires: now.plus(LIFE_SECONDS),
        })
    }

    pub(super) fn state(&self) -> &str {
        &self.state
    }

    /// Compares in constant time.
    pub(super) fn is_answered_by(&self, state: &str) -> bool {
        self.state.as_bytes().ct_eq(state.as_bytes()).into()
    }

    /// The code challenge of the verifier, by the method S256 (RFC 7636 §4.2).
    pub(super) fn challenge(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.verifier.as_bytes()))
    }
}

/// A path of this page; `/` for whatever could lead elsewhere.
fn return_path(to: &str) -> &str {
    let is_path = to.starts_with('/') && !to.starts_with("//") && !to.contains('\\');
    let is_plain = to.len() <= MAX_RETURN_BYTES && to.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path && is_plain { to } else { "/" }
}

/// The key of the cookies, of this process alone: a restart ends sign-ins that are under way.
pub(super) struct Seal(RandomizedNonceKey);

impl Seal {
    /// A new key.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(super) fn new() -> anyhow::Result<Self> {
        let mut key = [0; 32];
        getrandom::fill(&mut key)?;
        let key = RandomizedNonceKey::new(&AES_256_GCM, &key);
        Ok(Self(key.ok().context("no key of AES-256")?))
    }

    /// The cookie's value.
    ///
    /// # Errors
    /// The attempt can't be written.
    pub(super) fn seal(&self, attempt: &Attempt) -> anyhow::Result<String> {
        let mut sealed = serde_json::to_vec(attempt)?;
        let nonce = self.0.seal_in_place_append_tag(Aad::empty(), &mut sealed);
        let nonce = nonce.ok().context("the system has no randomness")?;
        let bytes = [nonce.as_ref().as_slice(), &sealed].concat();
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The attempt of a cookie, if this process made it and it has not expired.
    pub(super) fn open(&self, value: &str, now: UnixTime) -> Option<Attempt> {
        let bytes = URL_SAFE_NO_PAD.decode(value).ok()?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut sealed = sealed.to_vec();
        let opened = self.0.open_in_place(nonce, Aad::empty(), &mut sealed).ok()?;
        let attempt: Attempt = serde_json::from_slice(opened).ok()?;
        (now < attempt.expires).then_some(attempt)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_800_000_000);

    fn attempt(to: &str) -> Attempt {
        Attempt::new("https://moim.example/auth/callback".to_owned(), to, NOW).unwrap()
    }

    #[test]
    fn return_stays_within_this_page() {
        for to in ["/", "/r/tea", "/r/%ED%9A%8C?a=b", "/a//b"] {
            assert_eq!(return_path(to), to);
        }
        let long = format!("/{}", "a".repeat(MAX_RETURN_BYTES));
        for to in [
            "",
            "r/tea",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/\t/evil.example",
            "/\n/evil.example",
            "/ä",
            &long,
        ] {
            assert_eq!(return_path(to), "/", "{to}");
        }
    }

    #[test]
    fn cookie_holds_its_attempt_for_ten_minutes_and_for_this_process() {
        let seal = Seal::new().unwrap();
        let made = attempt("/r/tea");
        let cookie = seal.seal(&made).unwrap();
        assert!(cookie.len() < 1000 && !cookie.contains(&made.state));
        let opened = seal.open(&cookie, NOW.plus(LIFE_SECONDS - 1)).unwrap();
        assert!(opened.is_answered_by(made.state()) && !opened.is_answered_by(&made.nonce));
        assert_eq!((opened.to.as_str(), &opened.verifier), ("/r/tea", &made.verifier));
        assert!(seal.open(&cookie, NOW.plus(LIFE_SECONDS)).is_none());
        assert!(Seal::new().unwrap().open(&cookie, NOW).is_none());
        let mut forged = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        for at in [0, 20, forged.len() - 1] {
            forged[at] ^= 1;
            assert!(seal.open(&URL_SAFE_NO_PAD.encode(&forged), NOW).is_none());
            forged[at] ^= 1;
        }
        for other in ["", "*", "AAAA"] {
            assert!(seal.open(other, NOW).is_none());
        }
    }

    #[test]
    fn longest_return_fits_into_a_cookie() {
        let to = format!("/{}", "a".repeat(MAX_RETURN_BYTES - 1));
        let cookie = Seal::new().unwrap().seal(&attempt(&to)).unwrap();
        assert!(cookie.len() <= 3800, "{}", cookie.len());
    }

    /// The example of RFC 7636, appendix B.
    #[test]
    fn challenge_is_s256() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned();
        let challenge = Attempt { verifier, ..attempt("/") }.challenge();
        assert_eq!(challenge, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }
}
