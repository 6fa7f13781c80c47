//! Published keys (JWK Sets, RFC 7517).

mod cache;
mod set;

pub use cache::JwksCache;
pub use set::{JwksError, KeySet};
