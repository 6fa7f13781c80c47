//! Passwords of administrators: argon2id (RFC 9106). Unlike the passwords of rooms, these are worth
//! an attack on a stolen disk.

use std::fmt;

use anyhow::anyhow;
use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

/// OWASP's recommendation for argon2id (2024): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Hash of a password. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PasswordHash {
    salt: String,
    hash: String,
    memory_kib: u32,
    passes: u32,
}

impl PasswordHash {
    /// Hashes a password with a new salt. Takes some tens of milliseconds.
    pub(super) fn of(password: &str) -> anyhow::Result<Self> {
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt)?;
        let hash = derive(password, &salt, MEMORY_KIB, PASSES)
            .ok_or_else(|| anyhow!("the password can't be hashed"))?;
        Ok(Self::new(&salt, &hash))
    }

    /// A hash that no password has, which takes as long to compare with.
    pub(super) fn of_nobody() -> anyhow::Result<Self> {
        let (mut salt, mut hash) = ([0; SALT_BYTES], [0; HASH_BYTES]);
        getrandom::fill(&mut salt)?;
        getrandom::fill(&mut hash)?;
        Ok(Self::new(&salt, &hash))
    }

    fn new(salt: &[u8], hash: &[u8]) -> Self {
        let (salt, hash) = (STANDARD.encode(salt), STANDARD.encode(hash));
        Self { salt, hash, memory_kib: MEMORY_KIB, passes: PASSES }
    }

    /// Compares in constant time. A malformed hash matches nothing.
    pub(super) fn is_of(&self, password: &str) -> bool {
        let (Ok(salt), Ok(hash)) = (STANDARD.decode(&self.salt), STANDARD.decode(&self.hash))
        else {
            return false;
        };
        // Whoever can write the file could otherwise have sign-ins take all memory.
        if self.memory_kib > MEMORY_KIB || self.passes > PASSES {
            return false;
        }
        let given = derive(password, &salt, self.memory_kib, self.passes);
        given.is_some_and(|given| given.ct_eq(&hash).into())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

fn derive(password: &str, salt: &[u8], memory_kib: u32, passes: u32) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(memory_kib, passes, LANES, Some(HASH_BYTES)).ok()?;
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hash = [0; HASH_BYTES];
    argon2.hash_password_into(password.as_bytes(), salt, &mut hash).ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_matches_its_password_alone_and_is_salted() {
        let hash = PasswordHash::of("correct horse").unwrap();
        assert!(hash.is_of("correct horse") && !hash.is_of("correct horsf"));
        let again = PasswordHash::of("correct horse").unwrap();
        assert_ne!(hash.hash, again.hash);
        let kept = serde_json::to_string(&hash).unwrap();
        assert!(!kept.contains("horse") && !format!("{hash:?}").contains(&hash.hash));
        let read: PasswordHash = serde_json::from_str(&kept).unwrap();
        assert!(read.is_of("correct horse"));
        assert!(!PasswordHash::of_nobody().unwrap().is_of("correct horse"));
    }

    /// Made with the reference implementation: `printf password | argon2 somesalt123 -id -t 2 -k
    /// 19456 -p 1 -l 32 -r`.
    #[test]
    fn hash_is_argon2id() {
        let hash = derive("password", b"somesalt123", MEMORY_KIB, PASSES).unwrap();
        let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "6b29bdebbfec8d76bf0a8006c6fa872a18519074dc8b10a763961f95a3f10c35");
    }

    #[test]
    fn malformed_and_greedy_hashes_match_nothing() {
        let hash = PasswordHash::of("correct horse").unwrap();
        for other in [
            PasswordHash { salt: "*".to_owned(), ..hash.clone() },
            PasswordHash { hash: String::new(), ..hash.clone() },
            PasswordHash { memory_kib: 4 << 20, ..hash.clone() },
            PasswordHash { memory_kib: 0, ..hash },
        ] {
            assert!(!other.is_of("correct horse"));
        }
    }
}
