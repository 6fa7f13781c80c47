//! The audit log: who did what, where rights of hosts, administrators or keys were used. Rows are
//! added and, after 90 days, deleted; the database refuses to change one.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    retention::Retention,
    sql::{Database, Row, SqlResult, values},
};

/// Days for which rows are kept.
const DAYS: i64 = 90;
const DAY: i64 = 24 * 60 * 60;
/// Rows deleted at once.
const UPKEEP_ROWS: u64 = 5_000;

/// A row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRow {
    /// Rises with time.
    pub(crate) id: i64,
    /// Milliseconds since 1970.
    pub(crate) at: i64,
    /// A key's id, an administrator or a participant.
    pub(crate) actor: String,
    pub(crate) action: String,
    /// The room, key, webhook … that the action was about.
    pub(crate) object: String,
    /// See [`cut_address`].
    pub(crate) address: Option<String>,
    pub(crate) detail: Option<String>,
}

/// An address without what tells one subscriber from another: the /24 or /48.
pub(crate) fn cut_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Adds a row.
pub(crate) fn add(database: &mut dyn Database, row: &AuditRow) -> SqlResult<()> {
    let sql = "INSERT INTO audit (id, at, actor, action, object, address, detail)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (id) DO NOTHING";
    let (address, detail) = (row.address.as_ref(), row.detail.as_ref());
    let values = values![row.id, row.at, &row.actor, &row.action, &row.object, address, detail];
    database.execute(sql, values).map(drop)
}

/// Rows before an id, the newest first; before none, the newest.
pub(crate) fn list(
    database: &mut dyn Database,
    before: Option<i64>,
    limit: u32,
) -> SqlResult<Vec<AuditRow>> {
    let sql = "SELECT id, at, actor, action, object, address, detail
        FROM audit WHERE id < ?1 ORDER BY id DESC LIMIT ?2";
    let rows = database.query(sql, values![before.unwrap_or(i64::MAX), limit])?;
    rows.into_iter().map(row).collect()
}

/// Rows after an id, the oldest first, for an export in pieces.
pub(crate) fn export(
    database: &mut dyn Database,
    after: i64,
    limit: u32,
) -> SqlResult<Vec<AuditRow>> {
    let sql = "SELECT id, at, actor, action, object, address, detail
        FROM audit WHERE id > ?1 ORDER BY id LIMIT ?2";
    database.query(sql, values![after, limit])?.into_iter().map(row).collect()
}

fn row(mut row: Row) -> SqlResult<AuditRow> {
    Ok(AuditRow {
        id: row.take()?,
        at: row.take()?,
        actor: row.take()?,
        action: row.take()?,
        object: row.take()?,
        address: row.take()?,
        detail: row.take()?,
    })
}

/// Deletes old rows, in pieces.
pub(super) fn upkeep(database: &mut dyn Database, now: i64, _: Retention) -> SqlResult<bool> {
    let before = (now - DAYS * DAY) * 1000;
    let deleted = database.execute(
        "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)",
        values![before, UPKEEP_ROWS],
    )?;
    Ok(deleted == UPKEEP_ROWS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_cut() {
        let cut = |text: &str| cut_address(text.parse().unwrap());
        assert_eq!(cut("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(cut("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(cut("2001:db8:1:2:3:4:5:6"), "2001:db8:1::/48");
    }
}
