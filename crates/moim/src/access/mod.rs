//! Access to this server: verification of tokens, and the policy of creating and listing rooms.
//!
//! A token is verified before its request reaches a room. Only the socket that sent it waits.

mod clock;
mod policy;
mod published_keys;

use ::access::{ApiKey, KeyRing, Token, TokenError};

pub(crate) use self::{
    clock::now,
    policy::{PolicyError, token_error},
    published_keys::PublishedKeys,
};
use crate::config::{AccessConfig, Live};

/// Tokens and policy. Shared by signaling and HTTP.
#[derive(Debug)]
pub(crate) struct Access {
    config: Live<Configured>,
    published: PublishedKeys,
}

/// What a reload replaces.
#[derive(Debug)]
struct Configured {
    config: AccessConfig,
    keys: KeyRing,
}

impl Access {
    /// Applies a configuration. Public keys are fetched at the first need.
    pub(crate) fn new(config: AccessConfig) -> Self {
        let published = PublishedKeys::new("--jwks");
        published.set_source(config.jwks.clone());
        Self { config: Live::new(Configured::new(config)), published }
    }

    /// Replaces the configuration.
    pub(crate) fn configure(&self, config: AccessConfig) {
        self.published.set_source(config.jwks.clone());
        self.config.replace(Configured::new(config));
    }

    /// The key of an application, by its name.
    pub(crate) fn api_key(&self, name: &str) -> Option<ApiKey> {
        self.config.load().config.api_keys.iter().find(|key| key.name() == name).cloned()
    }

    /// The name of the first key of an application.
    pub(crate) fn first_api_key(&self) -> Option<String> {
        self.config.load().config.api_keys.first().map(|key| key.name().to_owned())
    }

    /// Returns whether pages of a site may use the API.
    pub(crate) fn is_api_origin(&self, origin: &str) -> bool {
        self.config.load().config.api_origins.iter().any(|known| known.as_str() == origin)
    }

    /// Verifies a token: its signature, its times and for whom it was made. Waits for public keys
    /// if it needs some that are not known yet.
    ///
    /// # Errors
    /// The reason for which the token is refused.
    pub(crate) async fn verify(&self, token: &str) -> Result<Token, TokenError> {
        let verify = |now| {
            let keys = self.published.current(now);
            self.config.load().keys.verify(now, keys.as_deref(), token)
        };
        match verify(now()) {
            Err(TokenError::UnknownKey) if self.published.refresh(now(), true).await => {
                verify(now())
            }
            Err(TokenError::UnknownKey) if self.published.are_missing(now()) => {
                Err(TokenError::KeysUnavailable)
            }
            result => {
                self.published.refresh_in_background(now());
                result
            }
        }
    }
}

impl Configured {
    fn new(config: AccessConfig) -> Self {
        let keys = KeyRing { api_keys: config.api_keys.clone(), audience: config.audience.clone() };
        Self { config, keys }
    }
}
