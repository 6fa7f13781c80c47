//! Failures of statements.

use std::{error::Error, io};

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;

/// A failed statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("{}", sentence(.0))]
    Postgres(#[from] tokio_postgres::Error),
    /// The server is connected and says nothing, or does not complete the connection.
    #[error("it does not answer")]
    Silent,
    #[error("it has closed the connection")]
    Closed,
    /// The system has no resources for a connection.
    #[error("the system has nothing for a connection: {0}")]
    System(io::Error),
    /// A column has another type than the query takes.
    #[error("a column is no {0}")]
    Column(&'static str),
    /// A statement of the transaction has failed, and its failure was not looked at.
    #[error("an earlier statement of the transaction has failed")]
    Aborted,
    /// The code of a write has panicked.
    #[error("a write has failed within the server: please report it")]
    Panic,
}

/// The result of a statement.
pub(crate) type SqlResult<T> = Result<T, SqlError>;

impl SqlError {
    /// Returns whether the connection is of no use any more, and the statement may succeed on
    /// another one.
    pub(crate) fn is_lost(&self) -> bool {
        let error = match self {
            Self::Silent | Self::Closed | Self::System(_) => return true,
            Self::Postgres(error) => error,
            _ => return false,
        };
        let is_io = error.source().is_some_and(<dyn Error>::is::<io::Error>);
        is_io || error.is_closed() || error.code().is_some_and(is_of_connection)
    }

    /// Returns whether the same statement may succeed on the same connection later: it met a lock,
    /// another transaction, an impatient administrator or a lack of resources.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Postgres(error) => error.code().is_some_and(is_of_the_moment),
            Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) => matches!(
                error.code,
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::OutOfMemory
                    | ErrorCode::DiskFull
            ),
            _ => false,
        }
    }

    /// Returns whether the statement may succeed when it is tried again.
    pub(crate) fn may_be_retried(&self) -> bool {
        self.is_lost() || self.is_passing()
    }
}

/// Returns whether a state of PostgreSQL is about other transactions, or about resources.
fn is_of_the_moment(state: &SqlState) -> bool {
    // Deadlocks and failed serializations; a full disk, memory or configured limit.
    ["40", "53"].iter().any(|class| state.code().starts_with(class))
        || [
            SqlState::LOCK_NOT_AVAILABLE,
            SqlState::OBJECT_IN_USE,
            // By `statement_timeout`, or by an administrator.
            SqlState::QUERY_CANCELED,
        ]
        .contains(state)
}

/// Returns whether a state of PostgreSQL concerns the server or the connection, not the statement.
fn is_of_connection(state: &SqlState) -> bool {
    // Connection exceptions, and a server that stops, crashes, starts, or has no place.
    state.code().starts_with("08")
        || [
            SqlState::ADMIN_SHUTDOWN,
            SqlState::CRASH_SHUTDOWN,
            SqlState::CANNOT_CONNECT_NOW,
            SqlState::TOO_MANY_CONNECTIONS,
            // A server that was the primary one.
            SqlState::READ_ONLY_SQL_TRANSACTION,
        ]
        .contains(state)
}

/// The server's own words, or the error with its causes.
fn sentence(error: &tokio_postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", error.message(), error.code().code());
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
