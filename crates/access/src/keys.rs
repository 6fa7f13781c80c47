//! Keys, each bound to one algorithm.

use std::{fmt, str::FromStr};

use jsonwebtoken::{
    Algorithm, DecodingKey, crypto,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse},
};

use crate::error::TokenError;

/// Minimum length of a secret: that of the hash (RFC 7518 §3.2).
const MIN_SECRET_BYTES: usize = 32;
/// Maximum length of a key's name.
const MAX_NAME_BYTES: usize = 100;

/// A named secret with which applications sign tokens (HS256). `Debug` hides the secret.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    name: String,
    secret: String,
}

/// The text is no API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ApiKeyError {
    /// It has no colon.
    #[error("an API key is written NAME:SECRET")]
    NoColon,
    /// Its name is unusable.
    #[error(
        "the name of an API key has 1 to {MAX_NAME_BYTES} letters, digits, dashes, dots and \
         underscores"
    )]
    Name,
    /// Its secret can be guessed.
    #[error(
        "the secret of an API key has at least {MIN_SECRET_BYTES} characters: make one with \
         `openssl rand -base64 32`"
    )]
    ShortSecret,
}

impl ApiKey {
    /// Its name, the `iss` of tokens.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its secret.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    pub(crate) fn verifying(&self) -> Option<VerifyingKey> {
        let key = DecodingKey::from_secret(self.secret.as_bytes()).ok()?;
        Some(VerifyingKey { algorithm: Algorithm::HS256, key })
    }
}

impl FromStr for ApiKey {
    type Err = ApiKeyError;
    fn from_str(text: &str) -> Result<Self, ApiKeyError> {
        let (name, secret) = text.split_once(':').ok_or(ApiKeyError::NoColon)?;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        if !(1..=MAX_NAME_BYTES).contains(&name.len()) || !name.bytes().all(is_allowed) {
            return Err(ApiKeyError::Name);
        }
        if secret.len() < MIN_SECRET_BYTES {
            return Err(ApiKeyError::ShortSecret);
        }
        Ok(Self { name: name.to_owned(), secret: secret.to_owned() })
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}:…)", self.name)
    }
}

/// A key and the one algorithm that it is for. A token's header never chooses the algorithm, else
/// a public key would do as a secret (RFC 8725 §3.1).
#[derive(Clone)]
pub(crate) struct VerifyingKey {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// A public key for signatures; `None` if it is for something else, secret, or unsupported.
    pub(crate) fn of_jwk(jwk: &Jwk) -> Option<Self> {
        let common = &jwk.common;
        if common.public_key_use.as_ref().is_some_and(|used| *used != PublicKeyUse::Signature) {
            return None;
        }
        let operations = common.key_operations.as_ref();
        if operations.is_some_and(|operations| !operations.contains(&KeyOperations::Verify)) {
            return None;
        }
        let declared = common.key_algorithm.map(Algorithm::try_from);
        let algorithm = match (&jwk.algorithm, declared) {
            (_, Some(Err(_))) => return None,
            (AlgorithmParameters::RSA(_), Some(Ok(algorithm))) if is_rsa(algorithm) => algorithm,
            (AlgorithmParameters::RSA(_), None) => Algorithm::RS256,
            (AlgorithmParameters::EllipticCurve(ec), declared) => {
                let of_curve = match ec.curve {
                    EllipticCurve::P256 => Algorithm::ES256,
                    EllipticCurve::P384 => Algorithm::ES384,
                    _ => return None,
                };
                declared
                    .is_none_or(|given| given.is_ok_and(|given| given == of_curve))
                    .then_some(of_curve)?
            }
            (AlgorithmParameters::OctetKeyPair(pair), None | Some(Ok(Algorithm::EdDSA)))
                if pair.curve == EllipticCurve::Ed25519 =>
            {
                Algorithm::EdDSA
            }
            // A published secret is none.
            _ => return None,
        };
        Some(Self { algorithm, key: DecodingKey::from_jwk(jwk).ok()? })
    }

    /// Checks the signature of a token whose header names `given`.
    pub(crate) fn verify(
        &self,
        given: &str,
        message: &str,
        signature: &str,
    ) -> Result<(), TokenError> {
        let expected = name(self.algorithm);
        if given != expected {
            let given = given.parse().map_or("another algorithm", name);
            return Err(TokenError::WrongAlgorithm { expected, given });
        }
        match crypto::verify(signature, message.as_bytes(), &self.key, self.algorithm) {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(TokenError::WrongSignature),
        }
    }
}

fn is_rsa(algorithm: Algorithm) -> bool {
    name(algorithm).starts_with("RS") || name(algorithm).starts_with("PS")
}

fn name(algorithm: Algorithm) -> &'static str {
    match algorithm {
        Algorithm::HS256 => "HS256",
        Algorithm::HS384 => "HS384",
        Algorithm::HS512 => "HS512",
        Algorithm::ES256 => "ES256",
        Algorithm::ES384 => "ES384",
        Algorithm::RS256 => "RS256",
        Algorithm::RS384 => "RS384",
        Algorithm::RS512 => "RS512",
        Algorithm::PS256 => "PS256",
        Algorithm::PS384 => "PS384",
        Algorithm::PS512 => "PS512",
        Algorithm::EdDSA => "EdDSA",
        _ => "another algorithm",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_keys_are_parsed_and_hidden() {
        let secret = "0123456789abcdef0123456789abcdef";
        let key: ApiKey = format!("school:{secret}").parse().unwrap();
        assert_eq!((key.name(), key.secret()), ("school", secret));
        assert!(!format!("{key:?}").contains("0123"));
        let error = |text: &str| text.parse::<ApiKey>().unwrap_err();
        assert_eq!(error(secret), ApiKeyError::NoColon);
        assert_eq!(error(&format!(":{secret}")), ApiKeyError::Name);
        assert_eq!(error(&format!("a b:{secret}")), ApiKeyError::Name);
        assert_eq!(error("devkey:secret"), ApiKeyError::ShortSecret);
    }
}
