//! What visitors sent to the host about their networks: the newest for a week.

use super::{
    retention::Retention,
    sql::{Database, SqlResult, values},
};

/// Days for which reports are kept.
pub(crate) const DAYS: i64 = 7;
const DAY: i64 = 24 * 60 * 60;
/// The most reports kept: with their bounded size, 2 MiB.
pub(crate) const MAX_REPORTS: u32 = 256;

/// A visitor's report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredVisitorReport {
    /// Rises with time.
    pub(crate) id: i64,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// The host by which the visitor reached the server.
    pub(crate) host: String,
    /// Only if the visitor wished so.
    pub(crate) address: Option<String>,
    /// JSON.
    pub(crate) report: String,
}

/// Adds a report, in place of the oldest where there are too many.
pub(crate) fn add(database: &mut dyn Database, report: &StoredVisitorReport) -> SqlResult<()> {
    let sql = "INSERT INTO visitor_report (id, at, host, address, report)
        VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO NOTHING";
    let address = report.address.as_ref();
    let values = values![report.id, report.at, &report.host, address, &report.report];
    database.execute(sql, values)?;
    let sql = "DELETE FROM visitor_report WHERE id IN
        (SELECT id FROM visitor_report ORDER BY id DESC LIMIT ?1 OFFSET ?2)";
    database.execute(sql, values![MAX_REPORTS, MAX_REPORTS]).map(drop)
}

/// Reports before an id, the newest first; before none, the newest.
pub(crate) fn list(
    database: &mut dyn Database,
    before: Option<i64>,
    limit: u32,
) -> SqlResult<Vec<StoredVisitorReport>> {
    let sql = "SELECT id, at, host, address, report
        FROM visitor_report WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
    let rows = database.query(sql, values![before.unwrap_or(i64::MAX), limit])?;
    rows.into_iter()
        .map(|mut row| {
            Ok(StoredVisitorReport {
                id: row.take()?,
                at: row.take()?,
                host: row.take()?,
                address: row.take()?,
                report: row.take()?,
            })
        })
        .collect()
}

/// Deletes old reports.
pub(super) fn upkeep(database: &mut dyn Database, now: i64, _: Retention) -> SqlResult<bool> {
    let before = (now - DAYS * DAY) * 1000;
    database.execute("DELETE FROM visitor_report WHERE at < ?1", values![before])?;
    Ok(false)
}
