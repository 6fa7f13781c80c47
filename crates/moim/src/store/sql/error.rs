//! Failures of statements.

/// A failed statement.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SqlError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A column has another type than the query takes.
    #[error("a column is no {0}")]
    Column(&'static str),
    /// The code of a write has panicked.
    #[error("a write has failed within the server: please report it")]
    Panic,
}

/// The result of a statement.
pub(crate) type SqlResult<T> = Result<T, SqlError>;
