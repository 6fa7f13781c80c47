//! Failures of statements.

use std::{error::Error, io};

use postgres::error::SqlState;

/// A failed statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    #[error("{}", sentence(.0))]
    Postgres(#[from] postgres::Error),
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
        let Self::Postgres(error) = self else { return false };
        let is_io = error.source().is_some_and(<dyn Error>::is::<io::Error>);
        is_io || error.is_closed() || error.code().is_some_and(is_of_connection)
    }
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
fn sentence(error: &postgres::Error) -> String {
    if let Some(error) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", error.message(), error.code().code());
    }
    let causes = std::iter::successors(error.source(), |&cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
