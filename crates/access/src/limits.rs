//! Limits of tokens.

/// Maximum size of a token.
pub const MAX_TOKEN_BYTES: usize = 8 * 1024;
/// Difference of clocks that is forgiven.
pub const LEEWAY_SECONDS: u64 = 60;
