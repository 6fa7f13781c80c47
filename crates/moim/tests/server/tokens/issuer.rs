//! Issues tokens as applications and identity providers do.

use std::{
    io::{Read, Write},
    net::TcpListener,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::{KeySize, PublicKeyComponents},
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256,
        RsaKeyPair,
    },
};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use serde_json::{Value, json};

enum Key {
    Secret(Vec<u8>),
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

/// A key that signs tokens.
pub(crate) struct Issuer {
    key: Key,
    kid: Option<&'static str>,
}

impl Issuer {
    pub(crate) fn secret(secret: &str) -> Self {
        Self { key: Key::Secret(secret.into()), kid: None }
    }

    pub(crate) fn rs256(kid: &'static str) -> Self {
        Self { key: Key::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()), kid: Some(kid) }
    }

    pub(crate) fn es256(kid: &'static str) -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { key: Key::Ec(key), kid: Some(kid) }
    }

    pub(crate) fn ed25519(kid: &'static str) -> Self {
        Self { key: Key::Ed(Ed25519KeyPair::generate().unwrap()), kid: Some(kid) }
    }

    pub(crate) fn token(&self, claims: &Value) -> String {
        let alg = match self.key {
            Key::Secret(_) => "HS256",
            Key::Rsa(_) => "RS256",
            Key::Ec(_) => "ES256",
            Key::Ed(_) => "EdDSA",
        };
        self.token_as(&json!({"alg": alg, "typ": "JWT", "kid": self.kid}), claims)
    }

    /// A token with any header.
    pub(crate) fn token_as(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let bytes = message.as_bytes();
        let random = SystemRandom::new();
        let signature = match &self.key {
            Key::Secret(secret) => {
                hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), bytes).as_ref().to_vec()
            }
            Key::Rsa(key) => {
                let mut signed = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &random, bytes, &mut signed).unwrap();
                signed
            }
            Key::Ec(key) => key.sign(&random, bytes).unwrap().as_ref().to_vec(),
            Key::Ed(key) => key.sign(bytes).as_ref().to_vec(),
        };
        format!("{message}.{}", BASE64.encode(signature))
    }

    /// Its public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Secret(_) => panic!("secrets are not published"),
            Key::Rsa(key) => {
                let PublicKeyComponents { n, e } =
                    PublicKeyComponents::<Vec<u8>>::from(key.public_key());
                json!({"kty": "RSA", "n": BASE64.encode(n), "e": BASE64.encode(e)})
            }
            Key::Ec(key) => {
                let point = key.public_key().as_ref();
                let (x, y) = (BASE64.encode(&point[1..33]), BASE64.encode(&point[33..]));
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y})
            }
            Key::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": BASE64.encode(key.public_key())})
            }
        };
        jwk["kid"] = json!(self.kid);
        jwk
    }
}

/// A web server that publishes keys.
pub(crate) struct Publisher {
    port: u16,
    keys: Arc<Mutex<Vec<Value>>>,
    reads: Arc<AtomicUsize>,
}

impl Publisher {
    pub(crate) fn new(issuers: &[&Issuer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let keys = Arc::new(Mutex::new(Vec::new()));
        let reads = Arc::new(AtomicUsize::new(0));
        let (published, count) = (Arc::clone(&keys), Arc::clone(&reads));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    if stream.read_exact(&mut byte).is_err() {
                        break;
                    }
                    head.extend(byte);
                }
                count.fetch_add(1, Ordering::SeqCst);
                let body = json!({"keys": *published.lock().unwrap()}).to_string();
                let length = body.len();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
                let _ = stream.write_all((head + &body).as_bytes());
            }
        });
        let publisher = Self { port, keys, reads };
        publisher.publish(issuers);
        publisher
    }

    pub(crate) fn publish(&self, issuers: &[&Issuer]) {
        *self.keys.lock().unwrap() = issuers.iter().map(|issuer| issuer.jwk()).collect();
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/keys", self.port)
    }

    /// How often the keys were read.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}
