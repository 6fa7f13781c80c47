//! Makes tokens and their keys, as applications and identity providers do.

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{
        self, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Clone)]
enum Key {
    Secret(Vec<u8>),
    Rsa(Arc<RsaKeyPair>),
    Ec(Arc<EcdsaKeyPair>),
    Ed(Arc<Ed25519KeyPair>),
}

/// A key that signs tokens.
#[derive(Clone)]
pub(crate) struct Signer {
    key: Key,
    kid: Option<String>,
}

impl Signer {
    pub(crate) fn secret(secret: &str) -> Self {
        Self { key: Key::Secret(secret.into()), kid: None }
    }

    pub(crate) fn rs256(kid: &str) -> Self {
        let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
        Self { key: Key::Rsa(Arc::new(key)), kid: Some(kid.to_owned()) }
    }

    pub(crate) fn es256(kid: &str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { key: Key::Ec(Arc::new(key)), kid: Some(kid.to_owned()) }
    }

    pub(crate) fn ed25519(kid: &str) -> Self {
        let key = Ed25519KeyPair::generate().unwrap();
        Self { key: Key::Ed(Arc::new(key)), kid: Some(kid.to_owned()) }
    }

    /// Another key of the same kind and id.
    pub(crate) fn again(&self) -> Self {
        let kid = self.kid.clone().unwrap_or_default();
        match self.key {
            Key::Secret(_) => panic!("secrets are chosen"),
            Key::Rsa(_) => Self::rs256(&kid),
            Key::Ec(_) => Self::es256(&kid),
            Key::Ed(_) => Self::ed25519(&kid),
        }
    }

    pub(crate) fn without_id(mut self) -> Self {
        self.kid = None;
        self
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        let mut header = json!({"alg": self.algorithm(), "typ": "JWT"});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        let message = message(&header, claims);
        let signature = self.sign(message.as_bytes());
        format!("{message}.{}", BASE64.encode(signature))
    }

    pub(crate) fn jwks(&self) -> Value {
        let mut key = match &self.key {
            Key::Secret(_) => panic!("secrets are not published"),
            Key::Rsa(key) => {
                let PublicKeyComponents { n, e } =
                    PublicKeyComponents::<Vec<u8>>::from(key.public_key());
                json!({"kty": "RSA", "n": BASE64.encode(n), "e": BASE64.encode(e)})
            }
            Key::Ec(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (&point[1..33], &point[33..]);
                json!({
                    "kty": "EC", "crv": "P-256", "x": BASE64.encode(x), "y": BASE64.encode(y),
                })
            }
            Key::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(key.public_key())})
            }
        };
        if let Some(kid) = &self.kid {
            key["kid"] = json!(kid);
        }
        json!({"keys": [key]})
    }

    /// The public key as in a PEM file.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let Key::Rsa(key) = &self.key else { panic!("only for RSA") };
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    fn algorithm(&self) -> &'static str {
        match self.key {
            Key::Secret(_) => "HS256",
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
        }
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Secret(secret) => hs256(secret, message),
            Key::Rsa(key) => {
                let mut signed = vec![0; key.public_modulus_len()];
                key.sign(&signature::RSA_PKCS1_SHA256, &random, message, &mut signed).unwrap();
                signed
            }
            Key::Ec(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }
}

/// A token with any header, signed with HMAC and SHA-256 whatever the header says.
pub(crate) fn forged(secret: &[u8], header: &Value, claims: &Value) -> String {
    let message = message(header, claims);
    let signature = BASE64.encode(hs256(secret, message.as_bytes()));
    format!("{message}.{signature}")
}

/// A token without a signature.
pub(crate) fn unsigned(alg: &str, claims: &Value) -> String {
    format!("{}.", message(&json!({"alg": alg}), claims))
}

fn message(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| BASE64.encode(value.to_string());
    format!("{}.{}", part(header), part(claims))
}

fn hs256(secret: &[u8], message: &[u8]) -> Vec<u8> {
    use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
    sign(&Key::new(HMAC_SHA256, secret), message).as_ref().to_vec()
}
