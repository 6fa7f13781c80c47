//! Metadata of a provider (OpenID Connect Discovery §3).

use anyhow::{Context, ensure};
use axum::http::Uri;
use serde::Deserialize;

use super::failure::told;
use crate::config::is_safe_url;

/// Client authentication at the token endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientProof {
    /// `client_secret_basic`, the default.
    Basic,
    /// `client_secret_post`.
    Post,
}

/// Metadata of a provider (OpenID Connect Discovery 1.0 §3).
#[derive(Debug, Clone)]
pub(super) struct Metadata {
    /// The authorization endpoint.
    pub(super) authorization: Uri,
    /// The token endpoint.
    pub(super) token: Uri,
    /// Its public keys.
    pub(super) keys: Uri,
    /// More claims of a person.
    pub(super) user_info: Option<Uri>,
    /// Signs people out (OpenID Connect RP-Initiated Logout 1.0).
    pub(super) end_session: Option<Uri>,
    pub(super) proof: ClientProof,
    /// Its answers name it (RFC 9207).
    pub(super) names_itself: bool,
}

#[derive(Deserialize)]
struct Document {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    #[serde(default)]
    userinfo_endpoint: Option<String>,
    #[serde(default)]
    end_session_endpoint: Option<String>,
    #[serde(default)]
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    authorization_response_iss_parameter_supported: bool,
}

impl Metadata {
    /// Reads the document of the provider `issuer`.
    ///
    /// # Errors
    /// It is no such document, is of another provider, or has addresses that others could change
    /// the answers of.
    pub(super) fn read(issuer: &str, document: &[u8]) -> anyhow::Result<Self> {
        let document: Document = serde_json::from_slice(document)
            .context("its metadata are not those of an OpenID provider")?;
        ensure!(
            document.issuer == issuer,
            "it calls itself {:?}: write that as --oidc-issuer",
            told(&document.issuer)
        );
        let methods = document.token_endpoint_auth_methods_supported;
        let has = |name: &str| methods.iter().flatten().any(|method| method == name);
        let is_post = methods.is_some() && !has("client_secret_basic") && has("client_secret_post");
        Ok(Self {
            authorization: endpoint(&document.authorization_endpoint)?,
            token: endpoint(&document.token_endpoint)?,
            keys: endpoint(&document.jwks_uri)?,
            user_info: document.userinfo_endpoint.as_deref().map(endpoint).transpose()?,
            end_session: document.end_session_endpoint.as_deref().map(endpoint).transpose()?,
            proof: if is_post { ClientProof::Post } else { ClientProof::Basic },
            names_itself: document.authorization_response_iss_parameter_supported,
        })
    }
}

fn endpoint(text: &str) -> anyhow::Result<Uri> {
    let url = text.parse().ok().filter(is_safe_url);
    url.with_context(|| format!("its metadata have an unsafe address {:?}", told(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(changes: &Value) -> anyhow::Result<Metadata> {
        let mut document = json!({
            "issuer": "https://idp.example",
            "authorization_endpoint": "https://idp.example/auth?a=b",
            "token_endpoint": "https://idp.example/token",
            "jwks_uri": "https://idp.example/keys",
        });
        for (name, value) in changes.as_object().unwrap() {
            document[name] = value.clone();
        }
        Metadata::read("https://idp.example", document.to_string().as_bytes())
    }

    #[test]
    fn proof_is_in_the_header_unless_the_provider_takes_it_in_the_body_alone() {
        let proof = |methods: Value| {
            read(&json!({"token_endpoint_auth_methods_supported": methods})).unwrap().proof
        };
        assert_eq!(read(&json!({})).unwrap().proof, ClientProof::Basic);
        assert_eq!(proof(json!(["client_secret_post"])), ClientProof::Post);
        let both = json!(["client_secret_post", "client_secret_basic"]);
        assert_eq!(proof(both), ClientProof::Basic);
    }

    #[test]
    fn other_providers_and_unsafe_addresses_are_refused() {
        for (changes, about) in [
            (json!({"issuer": "https://idp.example/"}), "calls itself"),
            (json!({"token_endpoint": "http://idp.example/token"}), "unsafe address"),
            (json!({"jwks_uri": "file:///etc/passwd"}), "unsafe address"),
            (json!({"userinfo_endpoint": "https://"}), "unsafe address"),
            (json!({"end_session_endpoint": "http://idp.example/end"}), "unsafe address"),
            (json!({"authorization_endpoint": 5}), "not those of an OpenID provider"),
        ] {
            let error = format!("{:#}", read(&changes).unwrap_err());
            assert!(error.contains(about), "{error}");
        }
    }
}
