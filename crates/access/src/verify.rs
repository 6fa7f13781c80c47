//! Verification of tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{
    claims::Claims,
    error::TokenError,
    jwks::KeySet,
    keys::ApiKey,
    limits::{LEEWAY_SECONDS, MAX_TOKEN_BYTES},
    time::UnixTime,
    token::Token,
};

/// The header of a token.
#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    /// Extensions that must be understood; we understand none (RFC 7515 §4.1.11).
    #[serde(default)]
    crit: Option<serde_json::Value>,
}

/// For whom and by whom tokens of published keys must be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audience {
    /// Name of this server in `aud`, if a token has one.
    pub name: String,
    /// Expected `iss`; `None`: any.
    pub issuer: Option<String>,
}

impl Default for Audience {
    fn default() -> Self {
        Self { name: "moim".to_owned(), issuer: None }
    }
}

/// All keys by which tokens are verified.
#[derive(Debug, Clone, Default)]
pub struct KeyRing {
    /// Secrets, by name.
    pub api_keys: Vec<ApiKey>,
    /// Expectations of tokens of published keys.
    pub audience: Audience,
}

impl KeyRing {
    /// Verifies a token at a time. `published` are the public keys, if there are any.
    ///
    /// # Errors
    /// The reason for which it is refused; [`TokenError::UnknownKey`] may be another one with newer
    /// public keys.
    pub fn verify(
        &self,
        now: UnixTime,
        published: Option<&KeySet>,
        token: &str,
    ) -> Result<Token, TokenError> {
        let parts = Parts::of(token)?;
        let claims: Claims = parts.claims()?;
        let issuer = claims.iss.as_deref();
        let api_key = self.api_keys.iter().find(|key| Some(key.name()) == issuer);
        match api_key.and_then(ApiKey::verifying) {
            Some(key) => parts.verify_by(&key)?,
            None => {
                let key = published.and_then(|keys| keys.find(parts.kid()));
                let key = key.ok_or(TokenError::UnknownKey)?;
                parts.verify_by(key)?;
                if self.audience.issuer.as_deref().is_some_and(|wanted| Some(wanted) != issuer) {
                    return Err(TokenError::WrongIssuer);
                }
            }
        }
        // Tokens of an identity provider for its other services have another audience.
        if !claims.aud.is_empty() && !claims.aud.has(&self.audience.name) {
            return Err(TokenError::WrongAudience);
        }
        let expiry = check_times(now, claims.exp, claims.nbf)?;
        Ok(Token::new(claims, expiry, api_key.is_some()))
    }
}

/// Checks `exp`, which must be there, and `nbf`.
pub(crate) fn check_times(
    now: UnixTime,
    expiry: Option<UnixTime>,
    from: Option<UnixTime>,
) -> Result<UnixTime, TokenError> {
    let expiry = expiry.ok_or(TokenError::NoExpiry)?;
    if now > expiry.plus(LEEWAY_SECONDS) {
        return Err(TokenError::Expired { expiry, now });
    }
    match from {
        Some(from) if now.plus(LEEWAY_SECONDS) < from => Err(TokenError::NotYetValid { from, now }),
        _ => Ok(expiry),
    }
}

/// A token taken apart, not verified.
pub(crate) struct Parts<'a> {
    header: Header,
    message: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(crate) fn of(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(TokenError::TooLarge);
        }
        Self::of_any_size(token)
    }

    /// The same for a token whose size the caller has checked.
    pub(crate) fn of_any_size(token: &'a str) -> Result<Self, TokenError> {
        let malformed = TokenError::Malformed("expected three parts between dots");
        let (message, signature) = token.rsplit_once('.').ok_or(malformed.clone())?;
        let (header, payload) = message.split_once('.').ok_or(malformed.clone())?;
        if payload.contains('.') {
            return Err(malformed);
        }
        let header: Header = json(header, "its header is no JSON")?;
        if header.crit.is_some() {
            return Err(TokenError::Malformed("its header has critical extensions"));
        }
        if header.alg.eq_ignore_ascii_case("none") {
            return Err(TokenError::Unsigned);
        }
        Ok(Self { header, message, payload, signature })
    }

    /// The id of the key that is said to have signed it.
    pub(crate) fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    pub(crate) fn claims<T: DeserializeOwned>(&self) -> Result<T, TokenError> {
        json(self.payload, "its claims have an unexpected shape")
    }

    pub(crate) fn verify_by(&self, key: &crate::keys::VerifyingKey) -> Result<(), TokenError> {
        key.verify(&self.header.alg, self.message, self.signature)
    }
}

fn json<T: DeserializeOwned>(part: &str, otherwise: &'static str) -> Result<T, TokenError> {
    let malformed = TokenError::Malformed(otherwise);
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed.clone())?;
    serde_json::from_slice(&bytes).map_err(|_| malformed)
}
