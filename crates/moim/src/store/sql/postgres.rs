//! PostgreSQL behind the interface.

use std::{collections::HashMap, error::Error, time::Duration};

use bytes::BytesMut;
use tokio_postgres::{
    Client, Config, Socket, Statement,
    tls::MakeTlsConnect,
    types::{IsNull, ToSql, Type, to_sql_checked},
};

use super::{
    blocking::Blocking,
    database::Database,
    error::{SqlError, SqlResult},
    value::{Row, Value},
};

/// Time in which a connection must answer to be of use.
const VALID_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for a statement, longer than the server's own limits of one: a server that is gone or stuck
/// observes none.
const STATEMENT_TIMEOUT: Duration = Duration::from_secs(90);

/// Prepared statements that are kept, more than there are.
const MAX_STATEMENTS: usize = 256;

/// A connection to a PostgreSQL database. Must not be used within a task.
pub(crate) struct Postgres {
    client: Blocking,
    /// Prepared statements by their texts.
    statements: HashMap<String, Statement>,
    /// A statement of the transaction has failed. PostgreSQL then takes COMMIT for ROLLBACK, and
    /// calls that success.
    is_aborted: bool,
}

impl Postgres {
    /// Connects, and fails if that takes longer than the limit.
    pub(in crate::store) fn connect<T>(config: &Config, tls: T, limit: Duration) -> SqlResult<Self>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let client = Blocking::connect(config, tls, limit)?;
        Ok(Self { client, statements: HashMap::new(), is_aborted: false })
    }

    /// Returns whether the server still answers.
    pub(in crate::store) fn is_valid(&mut self) -> bool {
        self.client.run(Some(VALID_TIMEOUT), async |client| client.simple_query("").await).is_ok()
    }

    /// Runs statements without values, as a migration has them, for as long as they take.
    pub(in crate::store) fn run(&mut self, statements: &str) -> SqlResult<()> {
        self.client.run(None, async |client| client.batch_execute(statements).await)
    }

    /// Runs statements without values that take no time, as at the start of a session.
    pub(in crate::store) fn run_at_once(&mut self, statements: &str) -> SqlResult<()> {
        let run = async |client: &Client| client.batch_execute(statements).await;
        self.client.run(Some(STATEMENT_TIMEOUT), run)
    }

    fn prepared(&mut self, sql: &str) -> SqlResult<Statement> {
        if let Some(known) = self.statements.get(sql) {
            return Ok(known.clone());
        }
        let text = numbered(sql);
        let prepare = async |client: &Client| client.prepare(&text).await;
        let statement = self.client.run(Some(STATEMENT_TIMEOUT), prepare)?;
        if self.statements.len() >= MAX_STATEMENTS {
            self.statements.clear();
        }
        self.statements.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }

    fn try_execute(&mut self, sql: &str, values: &[Value]) -> SqlResult<u64> {
        let statement = self.prepared(sql)?;
        let parameters = parameters(values);
        let execute = async |client: &Client| client.execute(&statement, &parameters).await;
        self.client.run(Some(STATEMENT_TIMEOUT), execute)
    }

    fn try_query(&mut self, sql: &str, values: &[Value]) -> SqlResult<Vec<Row>> {
        let statement = self.prepared(sql)?;
        let parameters = parameters(values);
        let query = async |client: &Client| client.query(&statement, &parameters).await;
        let rows = self.client.run(Some(STATEMENT_TIMEOUT), query)?.into_iter();
        rows.map(|row| (0..row.len()).map(|column| value(&row, column)).collect())
            .map(|values: SqlResult<_>| values.map(Row::new))
            .collect()
    }
}

impl Database for Postgres {
    fn execute(&mut self, sql: &str, values: &[Value]) -> SqlResult<u64> {
        if sql == "COMMIT" && self.is_aborted {
            return Err(SqlError::Aborted);
        }
        let done = self.try_execute(sql, values);
        self.is_aborted = done.is_err() || self.is_aborted && !sql.starts_with("ROLLBACK");
        done
    }

    fn query(&mut self, sql: &str, values: &[Value]) -> SqlResult<Vec<Row>> {
        self.try_query(sql, values).inspect_err(|_| self.is_aborted = true)
    }

    fn begin(&mut self) -> SqlResult<()> {
        self.is_aborted = false;
        self.execute("BEGIN", &[]).map(drop)
    }

    /// The server does that by itself (autovacuum).
    fn return_space(&mut self) -> SqlResult<()> {
        Ok(())
    }
}

fn parameters(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| value as _).collect()
}

/// A statement with `$1` in place of `?1`.
fn numbered(sql: &str) -> String {
    let mut is_text = false;
    let letter = |letter| {
        is_text ^= letter == '\'';
        if letter == '?' && !is_text { '$' } else { letter }
    };
    sql.chars().map(letter).collect()
}

fn value(row: &tokio_postgres::Row, column: usize) -> SqlResult<Value> {
    let kind = row.columns().get(column).map(tokio_postgres::Column::type_);
    let value = match kind {
        Some(&Type::INT8) => row.try_get::<_, Option<i64>>(column)?.map(Value::Integer),
        Some(&Type::INT4) => {
            row.try_get::<_, Option<i32>>(column)?.map(|value| Value::Integer(value.into()))
        }
        Some(&Type::TEXT | &Type::VARCHAR | &Type::NAME) => {
            row.try_get::<_, Option<String>>(column)?.map(Value::Text)
        }
        Some(&Type::BYTEA) => row.try_get::<_, Option<Vec<u8>>>(column)?.map(Value::Bytes),
        _ => return Err(SqlError::Column("whole number, text or blob")),
    };
    Ok(value.unwrap_or(Value::Null))
}

impl ToSql for Value {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) if *kind == Type::INT4 => i32::try_from(*value)?.to_sql(kind, out),
            Self::Integer(value) => value.to_sql_checked(kind, out),
            // PostgreSQL's texts have no NUL.
            Self::Text(text) if text.contains('\0') => {
                text.replace('\0', "\u{fffd}").to_sql_checked(kind, out)
            }
            Self::Text(text) => text.to_sql_checked(kind, out),
            Self::Bytes(bytes) => bytes.to_sql_checked(kind, out),
        }
    }

    /// Each value says for itself.
    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_values_are_renamed_outside_of_texts() {
        assert_eq!(numbered("SELECT ?1, '?2' || ?10"), "SELECT $1, '?2' || $10");
    }
}
