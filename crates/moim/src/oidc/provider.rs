//! Requests to the provider: its metadata, its keys, and the exchange of a code.

use std::{sync::Arc, time::Duration};

use access::{ExpectedIdToken, IdToken, TokenError};
use anyhow::{Context, bail, ensure};
use axum::http::{HeaderValue, Request, Response, Uri, header};
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use bytes::Bytes;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::{
    attempt::Attempt,
    failure::SignInFailure,
    hosts,
    metadata::{ClientProof, Metadata},
};
use crate::{
    access::{PublishedKeys, now},
    config::{JwksSource, OidcConfig},
    net::http_client::{Bounds, HttpClient},
};

/// Bounds of one request: a person waits for at most three of them.
const BOUNDS: Bounds = Bounds { time: Duration::from_secs(5), bytes: 256 * 1024 };
/// Age from which on metadata are fetched again.
const FRESH: Duration = Duration::from_secs(60 * 60);
/// Age from which on they are of no use, if they can't be fetched again.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);
/// Time after a failure in which no fetch is tried, however many people wish to sign in.
const PAUSE: Duration = Duration::from_secs(5);

/// The `state` of a sign-out.
pub(super) const SIGNED_OUT: &str = "signed-out";

/// A provider, whose metadata and keys are fetched at the first need.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) config: OidcConfig,
    client: HttpClient,
    /// Locked during a fetch: whoever needs the metadata meanwhile waits for the same.
    known: tokio::sync::Mutex<Known>,
    keys: PublishedKeys,
}

#[derive(Debug, Default)]
struct Known {
    metadata: Option<(Instant, Arc<Metadata>)>,
    /// The last failure since.
    failure: Option<(Instant, String)>,
}

/// The token endpoint's answer (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3).
#[derive(Deserialize)]
struct Tokens {
    id_token: String,
    #[serde(default)]
    access_token: Option<String>,
}

/// The same for a refusal (RFC 6749 §5.2).
#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

impl Provider {
    pub(super) fn new(config: OidcConfig) -> Self {
        Self {
            config,
            client: HttpClient::default(),
            known: tokio::sync::Mutex::default(),
            keys: PublishedKeys::new("--oidc-issuer"),
        }
    }

    /// Its metadata, fetched if they are not known or old.
    ///
    /// # Errors
    /// It is away, and was not known before.
    pub(super) async fn metadata(&self) -> Result<Arc<Metadata>, SignInFailure> {
        let mut known = self.known.lock().await;
        if let Some(metadata) = known.younger_than(FRESH) {
            return Ok(metadata);
        }
        if let Some(failure) = known.recent_failure() {
            let old = known.younger_than(STALE);
            return old.ok_or_else(|| SignInFailure::Away(anyhow::Error::msg(failure)));
        }
        match self.fetch().await {
            Ok(metadata) => {
                self.keys.set_source(Some(JwksSource::Url(metadata.keys.clone())));
                let metadata = Arc::new(metadata);
                *known = Known {
                    metadata: Some((Instant::now(), Arc::clone(&metadata))),
                    failure: None,
                };
                Ok(metadata)
            }
            Err(error) => {
                known.failure = Some((Instant::now(), format!("{error:#}")));
                let Some(old) = known.younger_than(STALE) else {
                    return Err(SignInFailure::Away(error));
                };
                tracing::warn!("can't fetch the metadata of --oidc-issuer again: {error:#}");
                Ok(old)
            }
        }
    }

    async fn fetch(&self) -> anyhow::Result<Metadata> {
        let url = &self.config.metadata;
        let response = self.get(url, None).await?;
        let status = response.status();
        ensure!(status.is_success(), "{url} answered {status}");
        Metadata::read(&self.config.issuer, response.body())
    }

    async fn get(&self, url: &Uri, bearer: Option<&str>) -> anyhow::Result<Response<Bytes>> {
        let mut request = Request::get(url.clone()).header(header::ACCEPT, "application/json");
        if let Some(token) = bearer {
            request = request.header(header::AUTHORIZATION, secret(&format!("Bearer {token}"))?);
        }
        self.client.send(request.body(Bytes::new())?, BOUNDS).await
    }

    /// The page of the provider where a person signs in.
    pub(super) fn page(&self, metadata: &Metadata, attempt: &Attempt) -> String {
        let fields = [
            ("response_type", "code"),
            ("client_id", &self.config.client_id),
            ("redirect_uri", &attempt.redirect),
            ("scope", &self.config.scopes),
            ("state", attempt.state()),
            ("nonce", &attempt.nonce),
            ("code_challenge", &attempt.challenge()),
            ("code_challenge_method", "S256"),
        ];
        with_query(&metadata.authorization, &fields)
    }

    /// The page of the provider that signs a person out there (OpenID Connect RP-Initiated Logout
    /// §2), if it has one. Without the ID token it asks the person.
    pub(super) fn sign_out_page(
        &self,
        metadata: &Metadata,
        id_token: Option<&str>,
        back: &str,
    ) -> Option<String> {
        let mut fields = vec![("client_id", self.config.client_id.as_str())];
        fields.extend(id_token.map(|token| ("id_token_hint", token)));
        fields.extend([("post_logout_redirect_uri", back), ("state", SIGNED_OUT)]);
        Some(with_query(metadata.end_session.as_ref()?, &fields))
    }

    /// Exchanges a code for what the provider says of a person: the verified ID token, whose claims
    /// those of the user info complete; and the same as text.
    ///
    /// # Errors
    /// It is away, refuses the code, or its answer is wrong.
    pub(super) async fn exchange(
        &self,
        metadata: &Metadata,
        attempt: &Attempt,
        code: &str,
    ) -> Result<(IdToken, String), SignInFailure> {
        let request = self.token_request(metadata, attempt, code)?;
        let response = self.client.send(request, BOUNDS).await.map_err(SignInFailure::Away)?;
        let status = response.status();
        if !status.is_success() {
            let refusal = serde_json::from_slice::<TokenRefusal>(response.body());
            return Err(match refusal {
                Ok(TokenRefusal { error }) => SignInFailure::refused(&error),
                Err(_) => {
                    SignInFailure::Away(anyhow::anyhow!("{} answered {status}", metadata.token))
                }
            });
        }
        let tokens = serde_json::from_slice::<Tokens>(response.body());
        let tokens = tokens.map_err(|_| SignInFailure::Wrong("it has no ID token".to_owned()))?;
        let mut person = self.verify(attempt, &tokens.id_token).await?;
        person.claims.retain(|_, value| !value.is_null());
        if let (Some(url), Some(token)) = (&metadata.user_info, &tokens.access_token)
            && !hosts::has_all(&self.config, &person.claims)
        {
            let more = self.user_info(url, token, &person.subject).await;
            let mut more = more.map_err(SignInFailure::Away)?;
            hosts::take_email_from_one(&mut person.claims, &mut more);
            // Those of the ID token are signed, and come first.
            for (name, value) in more {
                person.claims.entry(name).or_insert(value);
            }
        }
        Ok((person, tokens.id_token))
    }

    fn token_request(
        &self,
        metadata: &Metadata,
        attempt: &Attempt,
        code: &str,
    ) -> anyhow::Result<Request<Bytes>> {
        let OidcConfig { client_id, client_secret, .. } = &self.config;
        let client_secret = client_secret.as_ref().map(|secret| secret.as_str());
        let mut fields = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", attempt.redirect.as_str()),
            ("code_verifier", attempt.verifier.as_str()),
        ];
        let mut request = Request::post(metadata.token.clone())
            .header(header::ACCEPT, "application/json")
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        match (client_secret, metadata.proof) {
            (Some(proof), ClientProof::Basic) => {
                // Both are encoded before they are joined (RFC 6749 §2.3.1).
                let pair = format!("{}:{}", encoded(client_id), encoded(proof));
                let basic = secret(&format!("Basic {}", BASE64.encode(pair)))?;
                request = request.header(header::AUTHORIZATION, basic);
            }
            (Some(proof), ClientProof::Post) => {
                fields.extend([("client_id", client_id.as_str()), ("client_secret", proof)]);
            }
            (None, _) => fields.push(("client_id", client_id)),
        }
        Ok(request.body(form(&fields).into())?)
    }

    /// Verifies an ID token. An unknown key may be a new one.
    async fn verify(&self, attempt: &Attempt, token: &str) -> Result<IdToken, SignInFailure> {
        let expected = ExpectedIdToken {
            issuer: &self.config.issuer,
            client_id: &self.config.client_id,
            nonce: &attempt.nonce,
        };
        let verify = || {
            let now = now();
            expected.verify(now, self.keys.current(now).as_deref(), token)
        };
        match verify() {
            Err(TokenError::UnknownKey) if self.keys.refresh(now(), true).await => Ok(verify()?),
            Err(TokenError::UnknownKey) if self.keys.current(now()).is_none() => {
                Err(SignInFailure::Away(anyhow::anyhow!("its public keys can't be fetched")))
            }
            verified => Ok(verified?),
        }
    }

    /// Claims that the ID token lacks (OpenID Connect Core §5.3).
    async fn user_info(
        &self,
        url: &Uri,
        token: &str,
        subject: &str,
    ) -> anyhow::Result<Map<String, Value>> {
        let response = self.get(url, Some(token)).await?;
        let status = response.status();
        ensure!(status.is_success(), "{url} answered {status}");
        let claims: Map<String, Value> = serde_json::from_slice(response.body())
            .with_context(|| format!("{url} answered no JSON object"))?;
        // Another person's must not be mixed in.
        if claims.get("sub").and_then(Value::as_str) != Some(subject) {
            bail!("{url} told of another person");
        }
        Ok(claims)
    }
}

impl Known {
    fn younger_than(&self, age: Duration) -> Option<Arc<Metadata>> {
        let (at, metadata) = self.metadata.as_ref()?;
        (at.elapsed() < age).then(|| Arc::clone(metadata))
    }

    fn recent_failure(&self) -> Option<String> {
        let (at, failure) = self.failure.as_ref()?;
        (at.elapsed() < PAUSE).then(|| failure.clone())
    }
}

/// The value of a header that no log shows.
fn secret(text: &str) -> anyhow::Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text).context("a token that is no text")?;
    value.set_sensitive(true);
    Ok(value)
}

/// An address with more fields in its query.
fn with_query(url: &Uri, fields: &[(&str, &str)]) -> String {
    let (url, query) = (url.to_string(), form(fields));
    let separator = if url.contains('?') { '&' } else { '?' };
    format!("{url}{separator}{query}")
}

/// Fields as a form or a query has them.
fn form(fields: &[(&str, &str)]) -> String {
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value)));
    pairs.collect::<Vec<_>>().join("&")
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
