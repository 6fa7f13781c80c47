//! Random bytes from the system.

use std::io;

/// Returns 32 random bytes, for a key or a seed.
///
/// # Errors
/// The system gives no randomness.
pub(super) fn random_bytes() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
