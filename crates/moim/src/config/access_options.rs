//! Options about who may do what, as given.

use std::{collections::BTreeMap, path::PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::{
    Origin,
    merging::{first_of, one_or_many},
    templates::TemplateOptions,
};

/// Options about who may do what, each optional. In the file they stand at the top.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct AccessOptions {
    /// Who may create rooms: everybody, signed-in (whoever has a token that allows it), or api
    /// (applications, with an API key or such a token) [default: everybody]
    #[arg(long, env = "MOIM_CREATE", value_name = "WHO")]
    pub(super) create: Option<CreatorsName>,

    /// Who sees the list of rooms: everybody, signed-in (whoever has a token that
    /// allows it), or nobody (applications alone) [default: everybody]
    #[arg(long, env = "MOIM_LIST", value_name = "WHO")]
    pub(super) list: Option<ListersName>,

    /// Key with which an application signs join tokens (HS256) and uses the API; may be repeated
    #[arg(
        long,
        env = "MOIM_API_KEY",
        value_name = "NAME:SECRET",
        hide_env_values = true,
        value_delimiter = '\n'
    )]
    #[serde(default, deserialize_with = "one_or_many")]
    pub(super) api_key: Option<Vec<String>>,

    /// File with --api-key, one on each line
    #[arg(long, env = "MOIM_API_KEY_FILE", value_name = "FILE")]
    pub(super) api_key_file: Option<PathBuf>,

    /// Origin of another site whose pages may use the API with a key or token; may be repeated
    #[arg(long, env = "MOIM_API_ORIGIN", value_name = "ORIGIN", value_delimiter = ',')]
    pub(super) api_origin: Option<Vec<Origin>>,

    /// Public keys of tokens signed with RS256, ES256 or EdDSA: a JWK set at an https:// URL, or a
    /// file
    #[arg(long, env = "MOIM_JWKS", value_name = "URL|FILE")]
    pub(super) jwks: Option<String>,

    /// Issuer (iss) that tokens of --jwks must have [default: any]
    #[arg(long, env = "MOIM_JWKS_ISSUER", value_name = "ISSUER")]
    pub(super) jwks_issuer: Option<String>,

    /// Name of this server in the audience (aud) of tokens, if they have one [default: moim]
    #[arg(long, env = "MOIM_JWKS_AUDIENCE", value_name = "NAME")]
    pub(super) jwks_audience: Option<String>,

    /// What follows when the last host leaves a room: next (a co-host becomes host, or else who
    /// joined first), keep (the room waits for a host to return), or end [default: next]
    #[arg(long, env = "MOIM_WHEN_HOSTS_LEAVE", value_name = "WHAT")]
    pub(super) when_hosts_leave: Option<HostRuleName>,

    /// Templates by name: `[template.NAME]` in the file.
    #[arg(skip)]
    pub(super) template: Option<BTreeMap<String, TemplateOptions>>,
}

/// Consequences of the last host leaving, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum HostRuleName {
    Next,
    Keep,
    End,
}

/// People who may create rooms, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CreatorsName {
    Everybody,
    SignedIn,
    Api,
}

/// People who see the list of rooms, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ListersName {
    Everybody,
    SignedIn,
    Nobody,
}

impl AccessOptions {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; create, list, api_key, api_key_file, api_origin, jwks, jwks_issuer,
            jwks_audience, when_hosts_leave, template)
    }
}
