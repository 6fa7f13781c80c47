//! Configuration of who may do what.

use std::{collections::BTreeMap, path::PathBuf};

use access::{ApiKey, Audience};
use anyhow::{Context, ensure};
use axum::http::Uri;
use room::HostRule;

use super::{
    AccessOptions, Origin, Problems,
    access_options::{CreatorsName, HostRuleName, ListersName},
    templates::{self, RoomTemplate},
};

/// Validated configuration of who may do what.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccessConfig {
    /// Who may create rooms.
    pub(crate) creators: Creators,
    /// Who sees the list of rooms.
    pub(crate) listers: Listers,
    /// Keys of applications.
    pub(crate) api_keys: Vec<ApiKey>,
    /// Origins of other sites whose pages may use the API.
    pub(crate) api_origins: Vec<Origin>,
    /// Public keys of tokens.
    pub(crate) jwks: Option<JwksSource>,
    /// For whom and by whom tokens are made.
    pub(crate) audience: Audience,
    /// Consequence of the last host leaving a room; `None`: the default.
    pub(crate) when_hosts_leave: Option<HostRule>,
    /// Templates of rooms.
    pub(crate) templates: BTreeMap<String, RoomTemplate>,
}

/// People who may create rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Creators {
    /// All.
    #[default]
    Everybody,
    /// Those who have signed in, and applications.
    SignedIn,
    /// Applications alone.
    Api,
}

/// People who see the list of rooms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Listers {
    /// All.
    #[default]
    Everybody,
    /// Those who have signed in, and applications.
    SignedIn,
    /// Applications alone.
    Nobody,
}

/// The place of public keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum JwksSource {
    /// At a URL.
    Url(Uri),
    /// In a file.
    File(PathBuf),
}

impl AccessConfig {
    /// Resolves the options; mistakes go to `problems`.
    pub(super) fn resolve(options: AccessOptions, problems: &mut Problems) -> Self {
        let keys = problems.take(api_keys(options.api_key.unwrap_or_default()));
        let creators = options.create.map_or(Creators::Everybody, Creators::from);
        let listers = options.list.map_or(Listers::Everybody, Listers::from);
        let audience = Audience::default();
        Self {
            creators,
            listers,
            api_keys: keys.unwrap_or_default(),
            api_origins: options.api_origin.unwrap_or_default(),
            jwks: options.jwks.and_then(|place| problems.take(JwksSource::parse(place))),
            audience: Audience {
                name: options.jwks_audience.unwrap_or(audience.name),
                issuer: options.jwks_issuer,
            },
            when_hosts_leave: options.when_hosts_leave.map(HostRule::from),
            templates: templates::resolve(options.template.unwrap_or_default(), problems),
        }
    }
}

impl JwksSource {
    fn parse(place: String) -> anyhow::Result<Self> {
        if !place.contains("://") {
            return Ok(Self::File(place.into()));
        }
        Ok(Self::Url(server_url("jwks", &place)?))
    }
}

/// The URL of another server: https://, or http:// on this computer.
pub(super) fn server_url(key: &str, text: &str) -> anyhow::Result<Uri> {
    let url: Uri = text.parse().with_context(|| format!("--{key} {text:?} is no URL"))?;
    ensure!(
        is_safe(&url),
        "--{key} {text} must begin with https://, since whoever changes the answer could sign in as \
         anybody"
    );
    Ok(url)
}

/// Returns whether nobody on the way can change what a URL answers.
pub(crate) fn is_safe(url: &Uri) -> bool {
    let host = url.host().unwrap_or_default();
    let is_here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    let is_safe =
        url.scheme_str() == Some("https") || (url.scheme_str() == Some("http") && is_here);
    is_safe && !host.is_empty()
}

/// Parses NAME:SECRET texts. Errors don't quote the text, which is a secret.
fn api_keys(texts: Vec<String>) -> anyhow::Result<Vec<ApiKey>> {
    let mut keys: Vec<ApiKey> = Vec::new();
    for (number, text) in (1..).zip(texts) {
        let key: ApiKey =
            text.parse().with_context(|| format!("--api-key number {number} is wrong"))?;
        ensure!(
            keys.iter().all(|other| other.name() != key.name()),
            "--api-key {} is there twice: give each key another name",
            key.name()
        );
        keys.push(key);
    }
    Ok(keys)
}

impl From<HostRuleName> for HostRule {
    fn from(name: HostRuleName) -> Self {
        match name {
            HostRuleName::Next => Self::Next,
            HostRuleName::Keep => Self::Keep,
            HostRuleName::End => Self::End,
        }
    }
}

impl From<CreatorsName> for Creators {
    fn from(name: CreatorsName) -> Self {
        match name {
            CreatorsName::Everybody => Self::Everybody,
            CreatorsName::SignedIn => Self::SignedIn,
            CreatorsName::Api => Self::Api,
        }
    }
}

impl From<ListersName> for Listers {
    fn from(name: ListersName) -> Self {
        match name {
            ListersName::Everybody => Self::Everybody,
            ListersName::SignedIn => Self::SignedIn,
            ListersName::Nobody => Self::Nobody,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(options: AccessOptions) -> Result<AccessConfig, Vec<String>> {
        let mut problems = Problems::default();
        let config = AccessConfig::resolve(options, &mut problems);
        match problems.iter().map(str::to_owned).collect::<Vec<_>>() {
            none if none.is_empty() => Ok(config),
            problems => Err(problems),
        }
    }

    #[test]
    fn mistakes_in_keys_do_not_quote_them() {
        for (keys, about) in [
            (vec!["0123456789abcdef0123456789abcdef"], "NAME:SECRET"),
            (vec!["app:hunter2"], "at least 32"),
            (
                vec!["a:0123456789abcdef0123456789abcdef", "a:0123456789abcdef0123456789abcdeX"],
                "twice",
            ),
        ] {
            let api_key = Some(keys.into_iter().map(str::to_owned).collect());
            let told = resolve(AccessOptions { api_key, ..Default::default() }).unwrap_err();
            let told = told.join("\n");
            assert!(told.contains("--api-key") && told.contains(about), "{told}");
            assert!(!told.contains("hunter2") && !told.contains("0123"), "{told}");
        }
    }

    #[test]
    fn public_keys_come_from_a_file_or_over_https() {
        let jwks = |text: &str| {
            resolve(AccessOptions { jwks: Some(text.to_owned()), ..Default::default() })
                .map(|config| config.jwks.unwrap())
        };
        assert!(matches!(jwks("keys.json"), Ok(JwksSource::File(_))));
        assert!(matches!(jwks("https://idp.example/keys"), Ok(JwksSource::Url(_))));
        assert!(matches!(jwks("http://127.0.0.1:8080/keys"), Ok(JwksSource::Url(_))));
        for bad in ["http://idp.example/keys", "ftp://idp.example/keys", "https:///keys"] {
            assert!(jwks(bad).unwrap_err()[0].contains("--jwks"), "{bad}");
        }
    }
}
