//! Keys that come from the cluster's key.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};

use crate::config::Secret;

/// 32 bytes for one purpose, which tell nothing of those for another.
pub(super) fn derive(key: &Secret, purpose: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    let root = Salt::new(HKDF_SHA256, b"moim cluster").extract(key.as_bytes());
    let info = [purpose.as_bytes()];
    let derived = root.expand(&info, HKDF_SHA256).and_then(|derived| derived.fill(&mut bytes));
    debug_assert!(derived.is_ok(), "32 bytes are less than HKDF's limit");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_by_cluster_and_purpose() {
        let [first, second] = ["one", "two"].map(|text| Secret::new(text.to_owned()).unwrap());
        assert_eq!(derive(&first, "engine"), derive(&first, "engine"));
        assert_ne!(derive(&first, "engine"), derive(&first, "other"));
        assert_ne!(derive(&first, "engine"), derive(&second, "engine"));
        assert_ne!(derive(&first, "engine"), [0; 32]);
    }
}
