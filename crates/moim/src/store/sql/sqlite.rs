//! SQLite behind the interface.

use rusqlite::{
    Connection, ToSql, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    database::Database,
    error::{SqlError, SqlResult},
    value::{Row, Value},
};

/// A connection to an SQLite database.
#[derive(Debug)]
pub(crate) struct Sqlite(pub(crate) Connection);

impl Database for Sqlite {
    fn execute(&mut self, sql: &str, values: &[Value]) -> SqlResult<u64> {
        let changed = self.0.prepare_cached(sql)?.execute(params_from_iter(values))?;
        Ok(changed as u64)
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> SqlResult<Vec<Row>> {
        let mut statement = self.0.prepare_cached(sql)?;
        let columns = statement.column_count();
        let mut found = statement.query(params_from_iter(values))?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            let values = (0..columns).map(|column| value(row.get_ref(column)?));
            rows.push(Row::new(values.collect::<SqlResult<_>>()?));
        }
        Ok(rows)
    }

    fn begin(&mut self) -> SqlResult<()> {
        self.execute("BEGIN IMMEDIATE", &[]).map(drop)
    }

    fn return_space(&mut self) -> SqlResult<()> {
        Ok(self.0.execute_batch("PRAGMA incremental_vacuum(256)")?)
    }
}

fn value(value: ValueRef<'_>) -> SqlResult<Value> {
    match value {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(value) => Ok(Value::Integer(value)),
        ValueRef::Real(_) => Err(SqlError::Column("whole number")),
        ValueRef::Text(text) => String::from_utf8(text.to_owned())
            .map(Value::Text)
            .map_err(|_| SqlError::Column("text in UTF-8")),
        ValueRef::Blob(bytes) => Ok(Value::Bytes(bytes.to_owned())),
    }
}

impl ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
