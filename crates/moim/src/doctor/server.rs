//! The running server, as far as this user may ask it.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::admin::{
    Vitals,
    client::{self, Presence},
};

/// Time for the server to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A server in one of the likely data folders.
#[derive(Debug)]
pub(super) enum Server {
    /// It runs and told its vitals.
    Running {
        /// Its data folder.
        folder: PathBuf,
        vitals: Box<Vitals>,
    },
    /// It may run, but only its own user and root may ask it.
    Forbidden {
        /// Its data folder.
        folder: PathBuf,
    },
    /// None runs.
    Absent,
}

impl Server {
    /// Looks for a server in the given folder, otherwise in the usual ones.
    pub(super) fn find(given: Option<PathBuf>) -> Self {
        let mut forbidden = None;
        for folder in client::folders(given) {
            match client::presence(&folder) {
                Presence::Absent => {}
                Presence::Forbidden => forbidden = forbidden.or(Some(folder)),
                Presence::Answers => {
                    if let Some(vitals) = vitals(&folder) {
                        return Self::Running { folder, vitals: Box::new(vitals) };
                    }
                    // Another version, or one that is stuck.
                    forbidden = forbidden.or(Some(folder));
                }
            }
        }
        forbidden.map_or(Self::Absent, |folder| Self::Forbidden { folder })
    }

    /// Its data folder, if there is a server.
    pub(super) fn folder(&self) -> Option<&Path> {
        match self {
            Self::Running { folder, .. } | Self::Forbidden { folder } => Some(folder),
            Self::Absent => None,
        }
    }

    /// What it says of itself.
    pub(super) fn vitals(&self) -> Option<&Vitals> {
        match self {
            Self::Running { vitals, .. } => Some(vitals),
            Self::Forbidden { .. } | Self::Absent => None,
        }
    }
}

fn vitals(folder: &Path) -> Option<Vitals> {
    let folders = [folder.to_owned()];
    let response = client::request(&folders, "GET", "/vitals", &Value::Null, PATIENCE).ok()?;
    serde_json::from_value(response.body).ok()
}
