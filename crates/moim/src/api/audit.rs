//! The audit log: who did what, to what, when, and from about where.

use serde::Serialize;
use utoipa::ToSchema;

use super::{caller::Caller, shown::date};
use crate::store::{
    Importance, Store,
    audit::{AuditRow, add, cut_address},
    ids,
};

/// Longest text of a row, in characters.
const MAX_CHARS: usize = 300;

/// Writes rows. Never waits.
#[derive(Debug, Clone)]
pub(crate) struct Audit {
    store: Store,
}

/// A row of the audit log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Entry {
    /// Rises with time.
    id: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who: a key, a token, an administrator or the admin socket.
    actor: String,
    /// What.
    action: String,
    /// To what: a room, a participant, a key or a webhook.
    object: String,
    /// From where, cut to /24 or /48; absent on the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Audit {
    pub(crate) fn new(store: Store) -> Self {
        Self { store }
    }

    /// Notes that a caller did something.
    pub(super) fn note(&self, caller: &Caller, action: &str, object: &str, detail: Option<&str>) {
        let cut = |text: &str| text.chars().take(MAX_CHARS).collect::<String>();
        let row = AuditRow {
            id: ids::new_id(),
            at: ids::now(),
            actor: cut(&caller.name),
            action: action.to_owned(),
            object: cut(object),
            address: caller.address.map(cut_address),
            detail: detail.map(cut),
        };
        self.store.write(Importance::Record, move |database| add(database, &row));
    }

    pub(super) fn store(&self) -> &Store {
        &self.store
    }
}

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, at, actor, action, object, address, detail } = row;
        Self { id: id.to_string(), at: date(at), actor, action, object, address, detail }
    }
}
