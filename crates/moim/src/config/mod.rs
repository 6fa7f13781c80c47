//! Configuration: [`Options`] as given (flags, environment, file) are resolved into a
//! [`CheckedConfig`] without side effects; opening its data folder makes it a [`Config`].
//!
//! A flag takes precedence over its environment variable, then the file, then the default.

mod access;
mod access_options;
mod acme;
mod acme_choices;
mod announce;
mod audit;
mod calls;
mod checked;
mod cluster;
mod commands;
#[cfg(unix)]
mod ctl;
#[cfg(unix)]
mod ctl_api;
mod domain;
mod example;
mod file;
mod host;
mod keys;
mod limit_options;
mod limits;
mod listen;
mod live;
mod maintenance;
mod merging;
mod names;
mod oidc;
mod options;
mod origin;
mod ports;
mod problems;
mod proxies;
mod relay;
mod secret;
mod secret_files;
mod sections;
mod size;
mod sources;
mod store;
mod table;
mod templates;
mod values;
mod webhooks;

pub(crate) use access::{AccessConfig, Creators, JwksSource, Listers, is_safe as is_safe_url};
use access_options::AccessOptions;
pub(crate) use acme::Acme;
pub(crate) use acme_choices::ChallengeChoice;
pub(crate) use announce::{Announce, AnnounceChoice, AutoAnnounce};
pub(crate) use audit::AuditOptions;
pub(crate) use calls::{CallsCommand, CallsFormat, CallsLanguage, CallsOptions, ShowOptions};
pub(crate) use checked::{CheckedConfig, Given};
pub(crate) use cluster::ClusterConfig;
use cluster::ClusterOptions;
#[cfg(unix)]
pub(crate) use commands::DoctorOptions;
pub(crate) use commands::{CheckOptions, Command, CommandLine, ConfigCommand};
#[cfg(unix)]
pub(crate) use ctl::{ClusterCommand, CtlCommand, CtlOptions, DrainOptions, ServerOptions};
#[cfg(unix)]
pub(crate) use ctl_api::ApiRequest;
pub(crate) use domain::DomainName;
pub(crate) use example::text as example;
pub(crate) use host::HostName;
pub(crate) use keys::is_limit;
pub(crate) use limits::Limits;
pub(crate) use listen::Listen;
pub(crate) use live::Live;
pub(crate) use maintenance::{BackupOptions, CompletionsOptions, ManOptions, RestoreOptions};
#[cfg(test)]
pub(crate) use oidc::HostClaim;
pub(crate) use oidc::OidcConfig;
use oidc::OidcOptions;
pub(crate) use options::Options;
pub(crate) use origin::Origin;
use ports::PortRange;
pub(crate) use problems::Problems;
pub(crate) use proxies::TrustedProxies;
pub(crate) use relay::Turn;
pub(crate) use secret::Secret;
pub(crate) use sections::command_line;
pub(crate) use size::SizeOptions;
pub(crate) use sources::Sources;
pub(crate) use store::{StoreChoice, StoreOptions};
pub(crate) use templates::RoomTemplate;
pub(crate) use values::{CertificateFiles, Config};
use webhooks::WebhookOptions;
pub(crate) use webhooks::{WebhookConfig, WebhookSecret, WebhookUrl};
