//! Sealing of values: the engine, and those who read its memory, learn nothing of rooms.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
};

const SALT: &[u8] = b"moim cluster engine";

/// The secret from which keys of values come.
pub(crate) struct Seal {
    root: Prk,
}

/// A value can't be sealed, for want of randomness, or was not sealed with this secret for its
/// place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SealError;

impl Seal {
    pub(crate) fn new(secret: &[u8; 32]) -> Self {
        Self { root: Salt::new(HKDF_SHA256, SALT).extract(secret) }
    }

    /// 32 bytes that belong to `purpose`.
    fn derive(&self, purpose: &str) -> Result<[u8; 32], SealError> {
        let mut bytes = [0; 32];
        let info = [purpose.as_bytes()];
        let derived = self.root.expand(&info, HKDF_SHA256).map_err(|_| SealError)?;
        derived.fill(&mut bytes).map_err(|_| SealError)?;
        Ok(bytes)
    }

    /// A key for few values, since each has a random nonce of 96 bits.
    fn key(&self, purpose: &str) -> Result<RandomizedNonceKey, SealError> {
        RandomizedNonceKey::new(&AES_256_GCM, &self.derive(purpose)?).map_err(|_| SealError)
    }

    /// Text by which the secret is recognized, and which tells nothing of it.
    pub(crate) fn fingerprint(&self) -> Result<String, SealError> {
        let bytes = self.derive("fingerprint")?;
        Ok(bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Seals a value for its place.
    pub(crate) fn seal(
        &self,
        purpose: &str,
        place: &str,
        value: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut sealed = value.to_vec();
        let place = Aad::from(place.as_bytes());
        let nonce = self.key(purpose)?.seal_in_place_append_tag(place, &mut sealed);
        let nonce = nonce.map_err(|_| SealError)?;
        sealed.splice(0..0, nonce.as_ref().iter().copied());
        Ok(sealed)
    }

    /// Opens a value that was sealed for this place.
    pub(crate) fn open(
        &self,
        purpose: &str,
        place: &str,
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let (nonce, value) = sealed.split_at_checked(NONCE_LEN).ok_or(SealError)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| SealError)?;
        let mut value = value.to_vec();
        let place = Aad::from(place.as_bytes());
        let opened = self.key(purpose)?.open_in_place(nonce, place, &mut value);
        Ok(opened.map_err(|_| SealError)?.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_open_only_with_their_secret_at_their_place() {
        let (seal, other) = (Seal::new(&[1; 32]), Seal::new(&[2; 32]));
        let sealed = seal.seal("room", "5-1", b"hello").unwrap();
        assert!(!sealed.windows(5).any(|window| window == b"hello"));
        assert_eq!(seal.open("room", "5-1", &sealed), Ok(b"hello".to_vec()));
        assert_eq!(other.open("room", "5-1", &sealed), Err(SealError));
        assert_eq!(seal.open("room", "5-2", &sealed), Err(SealError));
        assert_eq!(seal.open("card", "5-1", &sealed), Err(SealError));
        assert_eq!(seal.open("room", "5-1", &sealed[..10]), Err(SealError));
        assert_eq!(seal.open("room", "5-1", &[]), Err(SealError));
        assert_ne!(seal.seal("room", "5-1", b"hello").unwrap(), sealed);
    }

    #[test]
    fn fingerprints_tell_secrets_apart() {
        let [a, b, c] = [[1; 32], [1; 32], [2; 32]].map(|secret| Seal::new(&secret).fingerprint());
        assert_eq!(a, b);
        assert_ne!(a, c);
    }
}
