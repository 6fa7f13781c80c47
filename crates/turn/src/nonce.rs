//! Nonces that need no memory: each carries its end and a MAC over that and the client's address
//! (RFC 8489 §9.2, "stateless").

use aws_lc_rs::{constant_time, hmac};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::net::IpAddr;

const MAC: usize = 12;
const RAW: usize = 8 + MAC;
/// Characters of a nonce.
pub(crate) const TEXT: usize = 27;

/// Makes and checks nonces with a key that only this process knows.
pub(crate) struct Nonces {
    key: hmac::Key,
    /// Seconds a nonce lives.
    lifetime: u64,
}

impl Nonces {
    pub(crate) fn new(key: &[u8], lifetime: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), lifetime }
    }

    /// A nonce for a client at `client`, good from `unix_now` for the lifetime.
    pub(crate) fn mint(&self, unix_now: u64, client: IpAddr) -> [u8; TEXT] {
        let mut text = [0; TEXT];
        let raw = self.raw(unix_now.saturating_add(self.lifetime), client);
        let written = URL_SAFE_NO_PAD.encode_slice(raw, &mut text);
        debug_assert_eq!(written.ok(), Some(TEXT));
        text
    }

    /// Whether the nonce is ours, was given to `client` and has not ended.
    pub(crate) fn verify(&self, unix_now: u64, client: IpAddr, nonce: &[u8]) -> bool {
        let mut raw = [0; RAW];
        let Ok(RAW) = URL_SAFE_NO_PAD.decode_slice(nonce, &mut raw) else { return false };
        let Some((end, _)) = raw.split_first_chunk::<8>() else { return false };
        let end = u64::from_be_bytes(*end);
        end > unix_now
            && constant_time::verify_slices_are_equal(&self.raw(end, client), &raw).is_ok()
    }

    fn raw(&self, end: u64, client: IpAddr) -> [u8; RAW] {
        let mut context = hmac::Context::with_key(&self.key);
        let end = end.to_be_bytes();
        context.update(&end);
        match client {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        let tag = context.sign();
        let mut raw = [0; RAW];
        for (to, byte) in raw.iter_mut().zip(end.iter().chain(tag.as_ref())) {
            *to = *byte;
        }
        raw
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_holds_for_its_client_until_its_end() {
        let nonces = Nonces::new(b"key", 600);
        let nonce = nonces.mint(1000, ip("192.0.2.1"));
        assert!(nonces.verify(1599, ip("192.0.2.1"), &nonce));
        assert!(!nonces.verify(1600, ip("192.0.2.1"), &nonce));
        assert!(!nonces.verify(1599, ip("192.0.2.2"), &nonce));
        assert!(!Nonces::new(b"other", 600).verify(1599, ip("192.0.2.1"), &nonce));
    }

    #[test]
    fn a_nonce_changed_anywhere_is_not_ours() {
        let nonces = Nonces::new(b"key", 600);
        let nonce = nonces.mint(1000, ip("2001:db8::1"));
        for at in 0..nonce.len() {
            let mut changed = nonce;
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!nonces.verify(1000, ip("2001:db8::1"), &changed), "{at}");
        }
        for bad in [&b""[..], b"x", &[b'A'; 500], &[0xFF; TEXT]] {
            assert!(!nonces.verify(1000, ip("2001:db8::1"), bad));
        }
    }
}
