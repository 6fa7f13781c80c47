//! Work-around for dimpl, which only accepts cookies of its own connections.
//!
//! dimpl signs cookies with a secret of each connection, so a connection would have to be kept for
//! every ClientHello. Ours are stateless. While dimpl handles a ClientHello with a verified cookie,
//! its HMAC provider returns that cookie, so that the comparison succeeds. An option of dimpl to
//! skip the cookie exchange would make this module unnecessary.

use std::cell::Cell;

use dimpl::{
    CryptoError, HashAlgorithm,
    crypto::{CryptoProvider, HmacProvider, aws_lc_rs::default_provider},
};
use turn::dtls::Cookie;

thread_local! {
    static EXPECTED: Cell<Option<Cookie>> = const { Cell::new(None) };
}

/// Calls `act`, during which dimpl accepts this cookie.
pub(super) fn expecting<T>(cookie: Cookie, act: impl FnOnce() -> T) -> T {
    /// Resets the cookie, also if `act` panics.
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

/// dimpl's own cryptography, except for cookies.
pub(super) fn provider() -> CryptoProvider {
    CryptoProvider { hmac_provider: &Hmac, ..default_provider() }
}

#[derive(Debug)]
struct Hmac;

impl HmacProvider for Hmac {
    /// Called for cookies only, in DTLS 1.2: keys are derived with [`Self::hmac`].
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
