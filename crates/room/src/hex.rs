//! Hashes as hexadecimal digits.

use std::fmt::Write;

/// The digits of a hash, in lower case.
pub(crate) fn encode(hash: &[u8; 32]) -> String {
    hash.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The hash of 64 digits.
pub(crate) fn decode(text: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    let mut digits = text.bytes().map(|digit| char::from(digit).to_digit(16));
    for byte in &mut hash {
        let (high, low) = (digits.next().flatten()?, digits.next().flatten()?);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    digits.next().is_none().then_some(hash)
}
