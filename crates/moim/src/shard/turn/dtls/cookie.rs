//! Has the library take cookies that were made and checked before it was asked.
//!
//! The library makes cookies of its own, with a secret each connection has for itself: a connection
//! would have to be kept for whoever sends a hello. Ours need no connection. So for the time it
//! takes in a hello whose cookie is right, what it computes to compare with is that cookie.

use std::cell::Cell;

use dimpl::{
    CryptoError, HashAlgorithm,
    crypto::{CryptoProvider, HmacProvider, aws_lc_rs::default_provider},
};
use turn::dtls::Cookie;

thread_local! {
    static EXPECTED: Cell<Option<Cookie>> = const { Cell::new(None) };
}

/// Does something during which the library takes this cookie for its own.
pub(super) fn expecting<T>(cookie: Cookie, act: impl FnOnce() -> T) -> T {
    /// Also when `act` panics.
    struct Reset;
    impl Drop for Reset {
        fn drop(&mut self) {
            EXPECTED.set(None);
        }
    }
    EXPECTED.set(Some(cookie));
    let _reset = Reset;
    act()
}

/// The library's own cryptography but for cookies.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider { hmac_provider: &Hmac, ..default_provider() }
}

#[derive(Debug)]
struct Hmac;

impl HmacProvider for Hmac {
    /// Asked for nothing but cookies in DTLS 1.2 (keys are derived with [`Self::hmac`]).
    fn hmac_sha256(&self, key: &[u8], data: &[u8]) -> Result<[u8; 32], CryptoError> {
        if let Some(cookie) = EXPECTED.get() {
            return Ok(cookie);
        }
        let mut out = [0; 32];
        self.hmac(HashAlgorithm::SHA256, key, data, &mut out)?;
        Ok(out)
    }

    fn hmac(
        &self,
        hash: HashAlgorithm,
        key: &[u8],
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, CryptoError> {
        default_provider().hmac_provider.hmac(hash, key, data, out)
    }
}
