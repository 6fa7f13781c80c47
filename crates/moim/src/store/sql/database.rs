//! The interface of connections.

use super::{
    error::SqlResult,
    value::{Row, Value},
};

/// A connection to a database.
pub(crate) trait Database {
    /// Runs a statement; returns the number of changed rows.
    fn execute(&mut self, sql: &str, values: &[Value]) -> SqlResult<u64>;

    /// Runs a query.
    fn query(&mut self, sql: &str, values: &[Value]) -> SqlResult<Vec<Row>>;

    /// Begins a transaction that writes.
    fn begin(&mut self) -> SqlResult<()>;

    /// Returns space of deleted rows to the system, a piece.
    fn return_space(&mut self) -> SqlResult<()>;
}
