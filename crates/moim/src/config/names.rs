//! Values that options have names for.

use clap::ValueEnum;
use room::protocol::TopologyChoice;
use serde::Deserialize;

use crate::{log_format::LogFormat, log_privacy::LogAddresses};

/// The form of addresses in the log, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogAddressesName {
    Cut,
    Full,
    None,
}

impl From<LogAddressesName> for LogAddresses {
    fn from(name: LogAddressesName) -> Self {
        match name {
            LogAddressesName::Cut => Self::Cut,
            LogAddressesName::Full => Self::Full,
            LogAddressesName::None => Self::None,
        }
    }
}

/// Form of log lines by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum LogFormatName {
    Auto,
    Text,
    Json,
    Journald,
}

impl LogFormatName {
    pub(super) fn chosen(self) -> Option<LogFormat> {
        match self {
            Self::Auto => None,
            Self::Text => Some(LogFormat::Text),
            Self::Json => Some(LogFormat::Json),
            Self::Journald => Some(LogFormat::Journald),
        }
    }
}

/// A topology by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum TopologyName {
    Auto,
    Mesh,
    Sfu,
}

/// Rooms with or without hosts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum RoomKind {
    Hosted,
    Open,
}

impl From<TopologyName> for TopologyChoice {
    fn from(name: TopologyName) -> Self {
        match name {
            TopologyName::Auto => Self::Auto,
            TopologyName::Mesh => Self::Mesh,
            TopologyName::Sfu => Self::Sfu,
        }
    }
}
