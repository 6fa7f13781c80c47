//! The databases that the suite runs on.

use super::super::{PostgresServer, Retention, Store};
use crate::data::DataFolder;

/// A database that is empty at the start of a test.
pub(crate) enum Engine {
    Sqlite(tempfile::TempDir),
    Postgres(Box<PostgresServer>),
}

impl Engine {
    pub(crate) fn sqlite() -> Option<Self> {
        Some(Self::Sqlite(tempfile::tempdir().unwrap()))
    }

    /// `None` without PostgreSQL.
    #[cfg(unix)]
    pub(crate) fn postgres() -> Option<Self> {
        super::server::postgres_server().map(|server| Self::Postgres(Box::new(server)))
    }

    #[cfg(not(unix))]
    pub(crate) fn postgres() -> Option<Self> {
        None
    }

    /// Opens the store, as often as a server starts.
    pub(crate) fn open(&self) -> Store {
        let retention = Retention { samples_days: 7 };
        match self {
            Self::Sqlite(folder) => {
                Store::open(&DataFolder::open(folder.path()).unwrap(), retention).unwrap()
            }
            Self::Postgres(server) => Store::connect(server, retention).unwrap(),
        }
    }
}

/// Makes tests of functions that take an [`Engine`], one for each engine.
macro_rules! on_both_engines {
    ($($(#[$attribute:meta])* $name:ident;)+) => {
        mod sqlite {
            $(
                #[test]
                $(#[$attribute])*
                fn $name() {
                    super::$name(&$crate::store::tests::Engine::sqlite().unwrap());
                }
            )+
        }

        mod postgres {
            $(
                #[test]
                $(#[$attribute])*
                fn $name() {
                    if let Some(engine) = $crate::store::tests::Engine::postgres() {
                        super::$name(&engine);
                    }
                }
            )+
        }
    };
}
pub(crate) use on_both_engines;
