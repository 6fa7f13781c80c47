//! Sign-in of people at an OpenID provider: authorization code with PKCE (OpenID Connect Core §3.1,
//! RFC 7636). Guests need none.
//!
//! A sign-in that is under way is in a sealed cookie of its browser, so it costs the server nothing
//! and its answer counts in that browser alone. The provider is reached at the first need: one that
//! is away stops neither the server nor guests.

mod attempt;
mod exchanges;
mod failure;
mod hosts;
mod metadata;
mod people;
mod provider;

use std::sync::Arc;

use room::name::DisplayName;
use serde::Deserialize;

pub(crate) use self::{
    attempt::LIFE_SECONDS as ATTEMPT_SECONDS,
    failure::SignInFailure,
    people::{LIFE_SECONDS as SESSION_SECONDS, People, Person},
};
use self::{
    attempt::{Attempt, Seal},
    exchanges::Exchanges,
    failure::told,
    provider::{Provider, SIGNED_OUT},
};
use crate::{access::now, config::OidcConfig, net::client_prefix::ClientPrefix, store::NotWritten};

/// Path of the redirect URI, to which the provider also returns after a sign-out: many accept there
/// what is registered for sign-ins.
pub(crate) const CALLBACK: &str = "/auth/callback";

/// Sign-in at a provider.
#[derive(Debug)]
pub(crate) struct SignIns {
    provider: Provider,
    seal: Seal,
    people: Arc<People>,
    exchanges: Exchanges,
}

/// A sign-in that has begun.
#[derive(Debug)]
pub(crate) struct Begun {
    /// The provider's page.
    pub(crate) page: String,
    /// The cookie that the browser keeps meanwhile.
    pub(crate) cookie: String,
}

/// A sign-in that has succeeded.
#[derive(Debug)]
pub(crate) struct SignedIn {
    pub(crate) person: Person,
    /// Secret of the new session.
    pub(crate) secret: String,
    /// The path of this page to return to.
    pub(crate) to: String,
}

/// The provider's answer (RFC 6749 §4.1.2, RFC 9207).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

impl Answer {
    /// The provider returns from a sign-out, of which it may say nothing but `state`.
    pub(crate) fn is_of_sign_out(&self) -> bool {
        let is_sign_in = self.code.is_some() || self.error.is_some() || self.iss.is_some();
        !is_sign_in && self.state.as_deref().is_none_or(|state| state == SIGNED_OUT)
    }
}

impl SignIns {
    /// Sign-in of `people` at a provider.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn new(config: OidcConfig, people: Arc<People>) -> anyhow::Result<Self> {
        Ok(Self {
            provider: Provider::new(config),
            seal: Seal::new()?,
            people,
            exchanges: Exchanges::default(),
        })
    }

    /// Begins a sign-in of a browser that reached this server at `origin` and returns `to` a path.
    ///
    /// # Errors
    /// The provider is away.
    pub(crate) async fn begin(&self, origin: &str, to: &str) -> Result<Begun, SignInFailure> {
        let metadata = self.provider.metadata().await?;
        let attempt = Attempt::new(format!("{origin}{CALLBACK}"), to, now())?;
        let page = self.provider.page(&metadata, &attempt);
        Ok(Begun { page, cookie: self.seal.seal(&attempt)? })
    }

    /// Finishes a sign-in of the browser of `client` that has `cookie`.
    ///
    /// # Errors
    /// See [`SignInFailure`].
    pub(crate) async fn finish(
        &self,
        client: ClientPrefix,
        answer: Answer,
        cookie: Option<&str>,
    ) -> Result<SignedIn, SignInFailure> {
        let attempt = cookie.and_then(|cookie| self.seal.open(cookie, now()));
        let state = answer.state.as_deref().unwrap_or_default();
        let attempt = attempt.filter(|attempt| attempt.is_answered_by(state));
        let attempt = attempt.ok_or(SignInFailure::Expired)?;
        let metadata = self.provider.metadata().await?;
        let config = &self.provider.config;
        // An answer of another provider must not reach the token endpoint of this one.
        let is_named = answer.iss.is_some() || !metadata.names_itself;
        if !is_named || answer.iss.as_ref().is_some_and(|iss| *iss != config.issuer) {
            let iss = told(&answer.iss.unwrap_or_default());
            return Err(SignInFailure::Wrong(format!("it is of another issuer, {iss:?}")));
        }
        if let Some(error) = answer.error {
            return Err(SignInFailure::refused(&error));
        }
        let code = answer.code.ok_or_else(|| SignInFailure::Wrong("it has no code".to_owned()))?;
        let _exchange = self.exchanges.begin(client).ok_or(SignInFailure::Busy)?;
        let (found, token) = self.provider.exchange(&metadata, &attempt, &code).await?;
        let name = hosts::name(&found.claims).and_then(|name| DisplayName::new(name).ok());
        let name = name.map_or_else(|| told(&found.subject), |name| name.as_str().to_owned());
        if !hosts::is_host(config, &found.claims) {
            return Err(SignInFailure::NotHost(crate::log_privacy::name(&name)));
        }
        let person = Person::new(&config.issuer, &found.subject, name);
        let secret = self.people.open(person.clone(), Some(token), now())?;
        Ok(SignedIn { person, secret, to: attempt.to })
    }

    /// The person of a session.
    pub(crate) fn person(&self, secret: &str) -> Option<Person> {
        self.people.find(secret)
    }

    /// Signs out. Returns the page of the provider that signs the person out there, too, and leads
    /// back to this server at `origin`; `None` if the provider has none, or is away.
    ///
    /// # Errors
    /// The session is over, but may come back with a restart.
    pub(crate) async fn sign_out(
        &self,
        secret: &str,
        origin: &str,
    ) -> Result<Option<String>, NotWritten> {
        let token = self.people.id_token(secret);
        if !self.people.close(secret).await? {
            return Ok(None);
        }
        let metadata = self.provider.metadata().await.ok();
        let page = metadata.and_then(|metadata| {
            let token = token.as_deref();
            self.provider.sign_out_page(&metadata, token, &format!("{origin}{CALLBACK}"))
        });
        Ok(page)
    }

    /// Ends a session here alone.
    ///
    /// # Errors
    /// It is over, but may come back with a restart.
    pub(crate) async fn end_session(&self, secret: &str) -> Result<(), NotWritten> {
        self.people.close(secret).await.map(drop)
    }
}

/// Looks whether a provider is there and is one, for `moim config check`.
///
/// # Errors
/// It is not.
pub(crate) async fn check(config: &OidcConfig) -> Result<(), SignInFailure> {
    Provider::new(config.clone()).metadata().await.map(drop)
}
