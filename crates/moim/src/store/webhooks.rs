//! Receivers of events. Their events on the way are in the outbox.

use super::sql::{Database, SqlResult, values};

/// A receiver of events. Times are milliseconds since 1970.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct StoredWebhook {
    pub(crate) id: i64,
    pub(crate) url: String,
    /// Signs what is sent.
    pub(crate) secret: String,
    /// JSON: events, rooms, the form of the signature.
    pub(crate) settings: String,
    pub(crate) created: i64,
    /// Sent nothing since.
    pub(crate) disabled: Option<i64>,
}

/// Omits the secret.
impl std::fmt::Debug for StoredWebhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoredWebhook")
            .field("id", &self.id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// Writes a webhook, new or changed.
pub(crate) fn set(database: &mut dyn Database, webhook: &StoredWebhook) -> SqlResult<()> {
    let sql = "INSERT INTO webhook (id, url, secret, settings, created, disabled)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)
        ON CONFLICT (id) DO UPDATE SET url = excluded.url, secret = excluded.secret,
            settings = excluded.settings, disabled = excluded.disabled";
    let values = values![
        webhook.id,
        &webhook.url,
        &webhook.secret,
        &webhook.settings,
        webhook.created,
        webhook.disabled,
    ];
    database.execute(sql, values).map(drop)
}

/// Deletes a webhook and its events.
pub(crate) fn remove(database: &mut dyn Database, id: i64) -> SqlResult<()> {
    database.execute("DELETE FROM webhook WHERE id = ?1", values![id]).map(drop)
}

/// All webhooks, in the order of their ids.
pub(crate) fn all(database: &mut dyn Database) -> SqlResult<Vec<StoredWebhook>> {
    let sql = "SELECT id, url, secret, settings, created, disabled FROM webhook ORDER BY id";
    let rows = database.query(sql, &[])?.into_iter();
    rows.map(|mut row| {
        Ok(StoredWebhook {
            id: row.take()?,
            url: row.take()?,
            secret: row.take()?,
            settings: row.take()?,
            created: row.take()?,
            disabled: row.take()?,
        })
    })
    .collect()
}
