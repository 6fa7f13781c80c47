//! The one interface to the databases, and the values that pass it.
//!
//! Statements are written in the SQL that SQLite and PostgreSQL share: `?1` for values, `BIGINT` in
//! casts, `ON CONFLICT`. What differs is in the migrations, and behind this interface.

mod blocking;
mod database;
mod error;
mod postgres;
mod sqlite;
mod value;

pub(crate) use self::{
    database::Database,
    error::{SqlError, SqlResult},
    postgres::Postgres,
    sqlite::Sqlite,
    value::{Row, Value},
};

/// The values of a statement.
macro_rules! values {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::sql::Value::from($value)),*]
    };
}
pub(crate) use values;
