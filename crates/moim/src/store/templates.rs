//! Templates: settings of rooms under a name.

use super::sql::{Database, SqlResult, values};

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StoredTemplate {
    pub(crate) name: String,
    /// JSON.
    pub(crate) settings: String,
    /// Milliseconds since 1970.
    pub(crate) changed: i64,
}

/// Writes a template, new or changed.
pub(crate) fn set(database: &mut dyn Database, template: &StoredTemplate) -> SqlResult<()> {
    let sql = "INSERT INTO template (name, settings, changed) VALUES (?1, ?2, ?3)
        ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, changed = excluded.changed";
    database.execute(sql, values![&template.name, &template.settings, template.changed]).map(drop)
}

/// Deletes a template.
pub(crate) fn remove(database: &mut dyn Database, name: &str) -> SqlResult<()> {
    database.execute("DELETE FROM template WHERE name = ?1", values![name]).map(drop)
}

/// All templates, by name.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredTemplate>> {
    let sql = "SELECT name, settings, changed FROM template ORDER BY name";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        let (name, settings) = (row.take()?, row.take()?);
        Ok(StoredTemplate { name, settings, changed: row.take()? })
    })
    .collect()
}
