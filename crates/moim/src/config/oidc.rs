//! Configuration of sign-in at an OpenID provider.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use axum::http::Uri;
use clap::Args;
use serde::Deserialize;

use super::{
    Problems, Secret,
    access::server_url,
    merging::{first_of, one_or_many},
};

/// Scopes that are asked for by default: who it is, its name and its address.
const SCOPES: &str = "openid profile email";
/// Path of a provider's metadata (OpenID Connect Discovery §4).
const METADATA_PATH: &str = "/.well-known/openid-configuration";

/// Options about sign-in, each optional. In the file they stand at the top.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct OidcOptions {
    /// OpenID provider where hosts sign in: its issuer, as its metadata has it. Guests need no
    /// account
    #[arg(long, env = "MOIM_OIDC_ISSUER", value_name = "URL")]
    pub(super) oidc_issuer: Option<String>,

    /// Name of this server at the provider, where https://HOST/auth/callback is its redirect URI
    #[arg(long, env = "MOIM_OIDC_CLIENT_ID", value_name = "ID")]
    pub(super) oidc_client_id: Option<String>,

    /// Secret that the provider made for this server; none for a public client
    #[arg(long, env = "MOIM_OIDC_CLIENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub(super) oidc_client_secret: Option<String>,

    /// File with --oidc-client-secret
    #[arg(long, env = "MOIM_OIDC_CLIENT_SECRET_FILE", value_name = "FILE")]
    pub(super) oidc_client_secret_file: Option<PathBuf>,

    /// Scopes that are asked for [default: openid profile email]
    #[arg(long, env = "MOIM_OIDC_SCOPES", value_name = "SCOPES")]
    pub(super) oidc_scopes: Option<String>,

    /// Only people who have a claim with this value may sign in, such as groups:teachers or
    /// realm_access.roles:host; may be repeated [default: everybody whom the provider knows]
    #[arg(long, env = "MOIM_OIDC_HOST_CLAIM", value_name = "CLAIM:VALUE", value_delimiter = ',')]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) oidc_host_claim: Option<Vec<String>>,

    /// People with a verified e-mail address of this domain may sign in, in addition; may be
    /// repeated
    #[arg(long, env = "MOIM_OIDC_HOST_DOMAIN", value_name = "DOMAIN", value_delimiter = ',')]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) oidc_host_domain: Option<Vec<String>>,
}

/// An OpenID provider, and what this server is to it.
#[derive(Debug, Clone)]
pub(crate) struct OidcConfig {
    /// Its name, to the letter.
    pub(crate) issuer: String,
    /// The place of its metadata.
    pub(crate) metadata: Uri,
    /// Name of this server at it.
    pub(crate) client_id: String,
    /// Proof of this server to it.
    pub(crate) client_secret: Option<Secret>,
    /// Scopes, between spaces.
    pub(crate) scopes: String,
    /// Claims of which one makes a person a host.
    pub(crate) host_claims: Vec<HostClaim>,
    /// Domains of e-mail addresses that do the same, in lower case.
    pub(crate) host_domains: Vec<String>,
}

/// A claim that makes a person a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostClaim {
    /// The claim; dots lead into objects.
    pub(crate) name: String,
    /// Its value, or one of its values.
    pub(crate) value: String,
}

impl OidcOptions {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; oidc_issuer, oidc_client_id, oidc_client_secret,
            oidc_client_secret_file, oidc_scopes, oidc_host_claim, oidc_host_domain)
    }
}

impl OidcConfig {
    /// Resolves the options; mistakes go to `problems`.
    pub(super) fn resolve(options: OidcOptions, problems: &mut Problems) -> Option<Self> {
        let Some(issuer) = options.oidc_issuer else {
            problems.ensure(options.oidc_client_id.is_none(), || {
                "--oidc-client-id needs --oidc-issuer, the provider where hosts sign in".to_owned()
            });
            return None;
        };
        let metadata = problems.take(metadata_url(&issuer));
        problems.ensure(options.oidc_client_id.is_some(), || {
            "--oidc-issuer needs --oidc-client-id, the name of this server at the provider"
                .to_owned()
        });
        let claims = options.oidc_host_claim.unwrap_or_default().into_iter();
        let claims: Vec<_> = claims.map(|text| problems.take(host_claim(&text))).collect();
        let domains = options.oidc_host_domain.unwrap_or_default().into_iter();
        let domains: Vec<_> = domains.map(|text| problems.take(domain(&text))).collect();
        let scopes = options.oidc_scopes.unwrap_or_else(|| SCOPES.to_owned());
        problems.ensure(scopes.split(' ').any(|scope| scope == "openid"), || {
            format!("--oidc-scopes must have openid, as in {SCOPES:?}")
        });
        Some(Self {
            issuer,
            metadata: metadata?,
            client_id: options.oidc_client_id?,
            client_secret: options.oidc_client_secret.and_then(Secret::new),
            scopes,
            host_claims: claims.into_iter().flatten().collect(),
            host_domains: domains.into_iter().flatten().collect(),
        })
    }
}

fn metadata_url(issuer: &str) -> anyhow::Result<Uri> {
    let url = server_url("oidc-issuer", issuer)?;
    ensure!(
        url.query().is_none() && !issuer.contains('#'),
        "--oidc-issuer {issuer} must have neither ? nor #"
    );
    format!("{}{METADATA_PATH}", issuer.trim_end_matches('/'))
        .parse()
        .with_context(|| format!("--oidc-issuer {issuer:?} is no URL"))
}

fn host_claim(text: &str) -> anyhow::Result<HostClaim> {
    // A claim may be named by a URL.
    let skip = text.find("://").map_or(0, |at| at + 1);
    let at = text.get(skip..).and_then(|rest| rest.find(':')).map(|at| at + skip);
    let (name, value) = at.map(|at| text.split_at(at)).unwrap_or_default();
    let value = value.trim_start_matches(':');
    ensure!(
        !name.is_empty() && !value.is_empty(),
        "--oidc-host-claim {text:?} must be CLAIM:VALUE, such as groups:teachers"
    );
    Ok(HostClaim { name: name.to_owned(), value: value.to_owned() })
}

fn domain(text: &str) -> anyhow::Result<String> {
    let is_domain = text.contains('.') && !text.contains(['@', ' ', '/']);
    ensure!(is_domain, "--oidc-host-domain {text:?} is no domain: write it as school.example");
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(options: OidcOptions) -> (Option<OidcConfig>, Vec<String>) {
        let mut problems = Problems::default();
        let config = OidcConfig::resolve(options, &mut problems);
        (config, problems.iter().map(str::to_owned).collect())
    }

    fn options(issuer: &str) -> OidcOptions {
        OidcOptions {
            oidc_issuer: Some(issuer.to_owned()),
            oidc_client_id: Some("moim".to_owned()),
            ..OidcOptions::default()
        }
    }

    #[test]
    fn metadata_are_below_the_issuer() {
        for issuer in ["https://idp.example/realms/a", "https://idp.example/realms/a/"] {
            let (config, problems) = resolve(options(issuer));
            let config = config.unwrap();
            assert_eq!(
                config.metadata,
                "https://idp.example/realms/a/.well-known/openid-configuration"
            );
            assert_eq!((config.issuer.as_str(), problems.len()), (issuer, 0));
            assert_eq!(config.scopes, "openid profile email");
        }
        assert!(resolve(options("http://127.0.0.1:8080")).0.is_some());
    }

    #[test]
    fn mistakes_are_told_with_their_flags() {
        for issuer in ["http://idp.example", "https://idp.example?a", "idp"] {
            let (config, problems) = resolve(options(issuer));
            assert!(config.is_none() && problems[0].contains("--oidc-issuer"), "{problems:?}");
        }
        let alone = OidcOptions { oidc_issuer: None, ..options("") };
        assert!(resolve(alone).1[0].starts_with("--oidc-client-id needs"));
        let alone = OidcOptions { oidc_client_id: None, ..options("https://idp.example") };
        assert!(resolve(alone).1[0].contains("needs --oidc-client-id"));
        let texts = |texts: &[&str]| Some(texts.iter().map(|&text| text.to_owned()).collect());
        let wrong = OidcOptions {
            oidc_scopes: Some("email".to_owned()),
            oidc_host_claim: texts(&["groups", ":a", "a:"]),
            oidc_host_domain: texts(&["ann@school.example", "school"]),
            ..options("https://idp.example")
        };
        assert_eq!(resolve(wrong).1.len(), 6);
    }

    #[test]
    fn claims_may_be_named_by_urls_and_domains_in_any_case() {
        let claim = |text: &str| host_claim(text).map(|claim| (claim.name, claim.value)).unwrap();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(claim("groups:teachers"), pair("groups", "teachers"));
        assert_eq!(claim("roles:urn:host"), pair("roles", "urn:host"));
        assert_eq!(claim("https://a/roles:host"), pair("https://a/roles", "host"));
        assert_eq!(domain("School.Example").unwrap(), "school.example");
    }
}
