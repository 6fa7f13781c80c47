//! Makes tokens and their keys, also wrong ones.

mod keys;

use aws_lc_rs::{
    encoding::{AsDer, PublicKeyX509Der},
    signature::KeyPair,
};
use serde_json::{Value, json};

use keys::Key;
pub(crate) use keys::Signer;

impl Signer {
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

    pub(crate) fn jwks(&self) -> Value {
        json!({"keys": [self.jwk()]})
    }

    /// The public key as in a PEM file.
    pub(crate) fn public_der(&self) -> Vec<u8> {
        let Key::Rsa(key) = &self.key else { panic!("only for RSA") };
        let der: PublicKeyX509Der<'_> = key.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }
}

/// A token with any header, signed with HMAC and SHA-256 whatever the header says.
pub(crate) fn forged(secret: &[u8], header: &Value, claims: &Value) -> String {
    Signer::secret(secret).token_as(header, claims)
}

/// A token without a signature.
pub(crate) fn unsigned(alg: &str, claims: &Value) -> String {
    let signed = Signer::secret("any").token_as(&json!({"alg": alg}), claims);
    let (message, _) = signed.rsplit_once('.').unwrap();
    format!("{message}.")
}
