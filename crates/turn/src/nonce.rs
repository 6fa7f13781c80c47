//! Stateless nonces (RFC 8489 §9.2): each carries its expiry and a MAC over the expiry and the
//! client's address, behind a cookie that states the server's security features.

use std::net::IpAddr;

use aws_lc_rs::{constant_time, hmac};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};

/// The prefix of nonces that carry security features (RFC 8489 §9.2).
const COOKIE: &[u8; 9] = b"obMatJos2";
const MAC_LEN: usize = 12;
const RAW_LEN: usize = 8 + MAC_LEN;
const PREFIX_LEN: usize = COOKIE.len() + 4;
/// Length of a nonce in characters.
pub(crate) const NONCE_LEN: usize = PREFIX_LEN + 27;

/// The security feature bits after the cookie (RFC 8489 §18.1). The client returns the nonce
/// unchanged, so an attacker can't remove features that the server offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Features {
    /// Clients choose a password algorithm and return the list they were offered.
    pub(crate) password_algorithms: bool,
    /// Clients send USERHASH instead of USERNAME.
    pub(crate) username_anonymity: bool,
}

impl Features {
    fn bits(self) -> [u8; 3] {
        [0, 0, u8::from(self.password_algorithms) | u8::from(self.username_anonymity) << 1]
    }
}

/// Makes and checks nonces with a key that only this process knows.
pub(crate) struct Nonces {
    key: hmac::Key,
    prefix: [u8; PREFIX_LEN],
    /// Lifetime of a nonce in seconds.
    lifetime: u64,
}

impl Nonces {
    pub(crate) fn new(key: &[u8], lifetime: u64, features: Features) -> Self {
        let mut bits = [0; 4];
        let written = STANDARD.encode_slice(features.bits(), &mut bits);
        debug_assert_eq!(written.ok(), Some(bits.len()));
        let mut prefix = [0; PREFIX_LEN];
        fill(&mut prefix, COOKIE.iter().chain(&bits));
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, key), prefix, lifetime }
    }

    /// A nonce for a client address, valid from `unix_now` for the lifetime.
    pub(crate) fn mint(&self, unix_now: u64, client: IpAddr) -> [u8; NONCE_LEN] {
        let mut end = [0; NONCE_LEN - PREFIX_LEN];
        let raw = self.raw(unix_now.saturating_add(self.lifetime), client);
        let written = URL_SAFE_NO_PAD.encode_slice(raw, &mut end);
        debug_assert_eq!(written.ok(), Some(end.len()));
        let mut text = [0; NONCE_LEN];
        fill(&mut text, self.prefix.iter().chain(&end));
        text
    }

    /// Returns whether the nonce is ours, was issued to `client` and has not expired.
    pub(crate) fn verify(&self, unix_now: u64, client: IpAddr, nonce: &[u8]) -> bool {
        let mut raw = [0; RAW_LEN];
        let Some(nonce) = nonce.strip_prefix(&self.prefix) else { return false };
        let Ok(RAW_LEN) = URL_SAFE_NO_PAD.decode_slice(nonce, &mut raw) else { return false };
        let Some((end, _)) = raw.split_first_chunk::<8>() else { return false };
        let end = u64::from_be_bytes(*end);
        end > unix_now
            && constant_time::verify_slices_are_equal(&self.raw(end, client), &raw).is_ok()
    }

    fn raw(&self, end: u64, client: IpAddr) -> [u8; RAW_LEN] {
        let mut context = hmac::Context::with_key(&self.key);
        let end = end.to_be_bytes();
        context.update(&end);
        match client {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        let tag = context.sign();
        let mut raw = [0; RAW_LEN];
        fill(&mut raw, end.iter().chain(tag.as_ref()));
        raw
    }
}

fn fill<'b>(to: &mut [u8], from: impl Iterator<Item = &'b u8>) {
    for (to, byte) in to.iter_mut().zip(from) {
        *to = *byte;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn nonces(key: &[u8]) -> Nonces {
        let features = Features { password_algorithms: true, username_anonymity: false };
        Nonces::new(key, 600, features)
    }

    #[test]
    fn nonce_is_valid_for_its_client_until_expiry() {
        let ours = nonces(b"key");
        let nonce = ours.mint(1000, ip("192.0.2.1"));
        assert!(ours.verify(1599, ip("192.0.2.1"), &nonce));
        assert!(!ours.verify(1600, ip("192.0.2.1"), &nonce));
        assert!(!ours.verify(1599, ip("192.0.2.2"), &nonce));
        assert!(!nonces(b"other").verify(1599, ip("192.0.2.1"), &nonce));
    }

    #[test]
    fn modified_nonce_is_invalid() {
        let nonces = nonces(b"key");
        let nonce = nonces.mint(1000, ip("2001:db8::1"));
        for at in 0..nonce.len() {
            let mut changed = nonce;
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            assert!(!nonces.verify(1000, ip("2001:db8::1"), &changed), "{at}");
        }
        for bad in [&b""[..], b"x", &[b'A'; 500], &[0xFF; NONCE_LEN]] {
            assert!(!nonces.verify(1000, ip("2001:db8::1"), bad));
        }
    }

    /// RFC 8489 appendix B: "AAAC" is username anonymity alone.
    #[test]
    fn nonce_carries_the_security_features() {
        for (password_algorithms, username_anonymity, head) in [
            (false, false, "obMatJos2AAAA"),
            (true, false, "obMatJos2AAAB"),
            (false, true, "obMatJos2AAAC"),
            (true, true, "obMatJos2AAAD"),
        ] {
            let features = Features { password_algorithms, username_anonymity };
            let nonce = Nonces::new(b"key", 600, features).mint(0, ip("192.0.2.1"));
            assert!(nonce.starts_with(head.as_bytes()));
        }
    }
}
