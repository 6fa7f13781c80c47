//! The audit log: who did what, to what, when, and from about where.

use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Caller;
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
pub(super) struct Entry {
    /// Rises with time.
    pub(super) id: String,
    /// When.
    #[schema(format = DateTime)]
    pub(super) at: String,
    /// Who: a key, a token, an administrator or the admin socket.
    pub(super) actor: String,
    /// What.
    pub(super) action: String,
    /// To what: a room, a participant, a key or a webhook.
    pub(super) object: String,
    /// From where, cut to /24 or /48; absent on the server itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) address: Option<String>,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) detail: Option<String>,
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
