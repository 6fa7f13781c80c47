//! Options about the store, as given and as used.

use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use super::{Problems, merging::first_of};
use crate::store::PostgresServer;

/// Options about the store, each optional. In the file they stand at the top.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct StoreOptions {
    /// Store of rooms, calls and keys: sqlite, a file in the data folder; none; or a PostgreSQL
    /// database, as postgres://USER@HOST:PORT/DATABASE [default: sqlite]
    #[arg(long, env = "MOIM_STORE", value_name = "KIND|URL")]
    pub(super) store: Option<String>,

    /// Password of the PostgreSQL user
    #[arg(long, env = "MOIM_STORE_PASSWORD", value_name = "SECRET", hide_env_values = true)]
    pub(super) store_password: Option<String>,

    /// File with --store-password
    #[arg(long, env = "MOIM_STORE_PASSWORD_FILE", value_name = "FILE")]
    pub(super) store_password_file: Option<PathBuf>,

    /// Root certificates (PEM) to trust the PostgreSQL server by [default: the system's]
    #[arg(long, env = "MOIM_STORE_ROOT", value_name = "FILE")]
    pub(super) store_root: Option<PathBuf>,
}

/// The store.
#[derive(Debug, Clone)]
pub(crate) enum StoreChoice {
    None,
    /// A file in the data folder.
    Sqlite,
    Postgres(Box<PostgresServer>),
}

impl StoreOptions {
    /// Fills missing options from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        first_of!(self, other; store, store_password, store_password_file, store_root)
    }
}

impl StoreChoice {
    /// Resolves merged options, to which secrets were added.
    pub(super) fn resolve(options: StoreOptions, problems: &mut Problems) -> Self {
        let StoreOptions { store, store_password: password, store_root: root, .. } = options;
        let url = match store.as_deref() {
            Some(url) if is_postgres(url) => url,
            other => {
                problems.ensure(password.is_none() && root.is_none(), || {
                    "--store-password and --store-root are for a PostgreSQL database: name it with \
                     --store, or leave them out"
                        .to_owned()
                });
                return match other {
                    None | Some("sqlite") => Self::Sqlite,
                    Some("none") => Self::None,
                    Some(_) => {
                        problems.add(
                            "--store must be sqlite, none or postgres://USER@HOST:PORT/DATABASE",
                        );
                        Self::None
                    }
                };
            }
        };
        let server = PostgresServer::new(url, password.as_deref(), root);
        problems.take(server).map_or(Self::None, |server| Self::Postgres(Box::new(server)))
    }
}

fn is_postgres(text: &str) -> bool {
    text.starts_with("postgres://") || text.starts_with("postgresql://")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(store: &str, password: Option<&str>) -> Result<StoreChoice, String> {
        let options = StoreOptions {
            store: Some(store.to_owned()),
            store_password: password.map(str::to_owned),
            ..StoreOptions::default()
        };
        let mut problems = Problems::default();
        let choice = StoreChoice::resolve(options, &mut problems);
        match problems.iter().next() {
            Some(problem) => Err(problem.to_owned()),
            None => Ok(choice),
        }
    }

    #[test]
    fn store_is_a_word_or_the_url_of_a_database() {
        assert!(matches!(resolve("sqlite", None), Ok(StoreChoice::Sqlite)));
        assert!(matches!(resolve("none", None), Ok(StoreChoice::None)));
        let database = resolve("postgres://moim@db.example/moim", Some("hunter2"));
        assert!(matches!(database, Ok(StoreChoice::Postgres(_))));
        assert!(!format!("{database:?}").contains("hunter2"));
        for (store, password) in [("mysql", None), ("sqlite", Some("x")), ("postgres://x", None)] {
            assert!(resolve(store, password).is_err(), "{store}");
        }
    }
}
