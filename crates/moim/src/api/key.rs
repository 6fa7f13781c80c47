//! A key of the API.

use super::caller::Access;

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) id: String,
    /// The operator's name for it.
    pub(crate) name: String,
    pub(crate) access: Access,
    /// SHA-256 of the secret.
    pub(crate) hash: Vec<u8>,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Milliseconds since 1970; `None`: never.
    pub(crate) expires: Option<i64>,
    /// The day of its last use, in milliseconds since 1970.
    pub(crate) used: Option<i64>,
}
