//! ID tokens of OpenID providers (OpenID Connect Core §2).

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    claims::{Names, date},
    error::TokenError,
    jwks::KeySet,
    time::UnixTime,
    verify::{Parts, check_times},
};

/// Maximum size of an ID token: providers put lists of groups into it.
pub const MAX_ID_TOKEN_BYTES: usize = 32 * 1024;
/// Maximum length of a subject, in bytes (OpenID Connect Core §2).
const MAX_SUBJECT_BYTES: usize = 255;

/// Requirements that the ID token of a sign-in must meet.
#[derive(Debug, Clone, Copy)]
pub struct ExpectedIdToken<'a> {
    /// The provider (`iss`), to the letter.
    pub issuer: &'a str,
    /// This server's name at the provider (`aud`).
    pub client_id: &'a str,
    /// Random text of the sign-in (`nonce`).
    pub nonce: &'a str,
}

/// A verified ID token.
#[derive(Debug, Clone, PartialEq)]
pub struct IdToken {
    /// The person at its provider (`sub`).
    pub subject: String,
    /// All claims.
    pub claims: Map<String, Value>,
}

/// Claims that are checked.
#[derive(Deserialize)]
struct Checked {
    #[serde(default)]
    iss: Option<String>,
    #[serde(default)]
    sub: Option<String>,
    #[serde(default)]
    aud: Names,
    #[serde(default)]
    azp: Option<String>,
    #[serde(default, deserialize_with = "date")]
    exp: Option<UnixTime>,
    #[serde(default, deserialize_with = "date")]
    nbf: Option<UnixTime>,
    #[serde(default, deserialize_with = "date")]
    iat: Option<UnixTime>,
    #[serde(default)]
    nonce: Option<String>,
}

impl ExpectedIdToken<'_> {
    /// Verifies an ID token at a time (OpenID Connect Core §3.1.3.7).
    ///
    /// # Errors
    /// The reason for which it is refused; [`TokenError::UnknownKey`] may be another one with newer
    /// keys.
    pub fn verify(
        &self,
        now: UnixTime,
        published: Option<&KeySet>,
        token: &str,
    ) -> Result<IdToken, TokenError> {
        if token.len() > MAX_ID_TOKEN_BYTES {
            return Err(TokenError::Malformed("it is too large"));
        }
        let parts = Parts::of_any_size(token)?;
        let key = published.and_then(|keys| keys.find(parts.kid()));
        parts.verify_by(key.ok_or(TokenError::UnknownKey)?)?;
        let claims: Map<String, Value> = parts.claims()?;
        let Checked { iss, sub, aud, azp, exp, nbf, iat, nonce } = parts.claims()?;
        if iss.as_deref() != Some(self.issuer) {
            return Err(TokenError::WrongIssuer);
        }
        // With several audiences the token must say which one asked for it.
        let is_party = match azp {
            Some(party) => party == self.client_id,
            None => !aud.is_many(),
        };
        if !aud.has(self.client_id) || !is_party {
            return Err(TokenError::WrongAudience);
        }
        check_times(now, exp, nbf.max(iat))?;
        if nonce.as_deref() != Some(self.nonce) {
            return Err(TokenError::WrongNonce);
        }
        let subject = sub.filter(|sub| (1..=MAX_SUBJECT_BYTES).contains(&sub.len()));
        Ok(IdToken { subject: subject.ok_or(TokenError::NoSubject)?, claims })
    }
}
