//! Join tokens and their keys, sans-IO.
//!
//! A [`Token`] is a JWT with the claims of LiveKit's access tokens, verified by a [`KeyRing`] at a
//! given time; an [`ExpectedIdToken`] verifies what an OpenID provider says of a person. A [`JwksCache`] decides when public keys are fetched. Nothing here has a clock, a
//! socket or a source of randomness.

mod claims;
mod error;
mod id_token;
mod jwks;
mod keys;
mod limits;
mod time;
mod token;
mod verify;

pub use claims::{MoimGrant, Role, Source, VideoGrant};
pub use error::TokenError;
pub use id_token::{ExpectedIdToken, IdToken, MAX_ID_TOKEN_BYTES};
pub use jwks::{JwksCache, JwksError, KeySet};
pub use keys::{ApiKey, ApiKeyError};
pub use limits::{LEEWAY_SECONDS, MAX_TOKEN_BYTES};
pub use time::UnixTime;
pub use token::Token;
pub use verify::{Audience, KeyRing};
