//! Passwords of locked rooms.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use unicode_normalization::UnicodeNormalization;

/// Maximum size of a password after normalization, in bytes.
pub const MAX_PASSWORD_BYTES: usize = 256;

/// A password exceeds [`MAX_PASSWORD_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a password can have at most {MAX_PASSWORD_BYTES} bytes")]
pub struct PasswordTooLongError;

/// A room's password. `Debug` hides it. An empty password counts as none.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct Password(String);

impl Password {
    /// Normalizes (NFC) the input, so that it is the same from every keyboard.
    pub fn new(typed: &str) -> Result<Self, PasswordTooLongError> {
        // Bounded before normalization, which at most halves the bytes of real text.
        if typed.len() > 4 * MAX_PASSWORD_BYTES {
            return Err(PasswordTooLongError);
        }
        let password: String = typed.nfc().collect();
        if password.len() > MAX_PASSWORD_BYTES {
            Err(PasswordTooLongError)
        } else {
            Ok(Self(password))
        }
    }

    /// Returns whether the password is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Compares in constant time, revealing neither bytes nor length.
    pub fn matches(&self, other: &Self) -> bool {
        let same_bytes = self.padded().ct_eq(&other.padded());
        let same_length = (self.0.len() as u64).ct_eq(&(other.0.len() as u64));
        (same_bytes & same_length).into()
    }

    fn padded(&self) -> [u8; MAX_PASSWORD_BYTES] {
        let mut padded = [0; MAX_PASSWORD_BYTES];
        for (to, from) in padded.iter_mut().zip(self.0.bytes()) {
            *to = from;
        }
        padded
    }
}

impl TryFrom<String> for Password {
    type Error = PasswordTooLongError;
    fn try_from(typed: String) -> Result<Self, PasswordTooLongError> {
        Self::new(&typed)
    }
}

impl From<Password> for String {
    fn from(password: Password) -> Self {
        password.0
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn password_matches_across_unicode_compositions() {
        let typed_on_a_mac =
            Password::new("\u{1106}\u{1169}\u{110b}\u{1175}\u{11b7}").expect("short");
        let password = Password::new("모임").expect("short");
        assert!(password.matches(&typed_on_a_mac));
        for other in ["", "모", "모임\0", "모일", "x"] {
            assert!(!password.matches(&Password::new(other).expect("short")), "{other:?}");
        }
    }

    #[test]
    fn password_is_hidden_in_debug_and_bounded() {
        assert!(!format!("{:?}", Password::new("hunter2").expect("short")).contains("hunter"));
        assert!(Password::new(&"a".repeat(MAX_PASSWORD_BYTES)).is_ok());
        assert_eq!(
            Password::new(&"a".repeat(MAX_PASSWORD_BYTES + 1)).err(),
            Some(PasswordTooLongError)
        );
        assert_eq!(Password::new(&"a".repeat(10 << 20)).err(), Some(PasswordTooLongError));
    }
}
