//! Writes as transactions.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{
    sql::{Database, SqlError, SqlResult},
    write::Change,
};

/// Result of writes.
pub(super) struct Applied {
    /// For each write, whether the database has refused it. It is undone then.
    pub(super) refused: Vec<bool>,
    /// The last reason.
    pub(super) error: Option<SqlError>,
}

/// Runs statements in a transaction, which is undone if they fail.
pub(super) fn transact<T>(
    database: &mut dyn Database,
    statements: impl FnOnce(&mut dyn Database) -> SqlResult<T>,
) -> SqlResult<T> {
    database.begin()?;
    let done = statements(database)
        .and_then(|done| database.execute("COMMIT", &[]).map(|_| done))
        .inspect_err(|error| {
            // A connection that is lost takes its transaction along; asking it again would only
            // wait for another time limit.
            if !error.is_lost() {
                // Fails if the database has undone it by itself.
                let _ = database.execute("ROLLBACK", &[]);
            }
        })?;
    Ok(done)
}

/// Applies changes in one transaction. If one fails, all are applied again with a savepoint for
/// each, which costs two statements more, so that it is undone alone.
pub(super) fn apply(database: &mut dyn Database, changes: &[&Change]) -> SqlResult<Applied> {
    if changes.is_empty() {
        return Ok(Applied { refused: Vec::new(), error: None });
    }
    let at_once = transact(database, |database| {
        changes.iter().try_for_each(|change| guarded(change, database))
    });
    match at_once {
        Ok(()) => Ok(Applied { refused: vec![false; changes.len()], error: None }),
        Err(error) if error.may_be_retried() || changes.len() == 1 => Err(error),
        Err(_) => transact(database, |database| apply_each(database, changes)),
    }
}

fn apply_each(database: &mut dyn Database, changes: &[&Change]) -> SqlResult<Applied> {
    let mut applied = Applied { refused: Vec::with_capacity(changes.len()), error: None };
    for change in changes {
        database.execute("SAVEPOINT one", &[])?;
        let done = guarded(change, database)
            .and_then(|()| database.execute("RELEASE SAVEPOINT one", &[]).map(drop));
        applied.refused.push(done.is_err());
        match done {
            Ok(()) => {}
            Err(error) if error.may_be_retried() => return Err(error),
            Err(error) => {
                database.execute("ROLLBACK TO SAVEPOINT one", &[])?;
                database.execute("RELEASE SAVEPOINT one", &[])?;
                applied.error = Some(error);
            }
        }
    }
    Ok(applied)
}

/// Applies a change. A panic is its failure alone.
fn guarded(change: &Change, database: &mut dyn Database) -> SqlResult<()> {
    catch_unwind(AssertUnwindSafe(|| change(database))).unwrap_or(Err(SqlError::Panic))
}
