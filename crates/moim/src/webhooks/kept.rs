//! Webhooks, their events and the open rooms in the store.

use serde::{Deserialize, Serialize};

use super::{
    core::Row,
    event::EventKind,
    open_rooms::KeptRoom,
    webhook::{Form, Webhook},
};
use crate::store::{
    Durable, Importance, Store, meta,
    outbox::{self, StoredEvent},
    sql::{Database, SqlResult},
    webhooks::{self, StoredWebhook},
};

/// The beginning of the names of open rooms among the texts of the store.
const ROOM: &str = "webhooks.room ";

/// Fields of a webhook without a column of their own.
#[derive(Serialize, Deserialize)]
struct Settings {
    form: Form,
    events: Vec<String>,
    #[serde(default)]
    is_configured: bool,
}

/// State kept by an earlier process.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) webhooks: Vec<Webhook>,
    pub(super) events: Vec<StoredEvent>,
    /// Open rooms, as texts.
    pub(super) rooms: Vec<String>,
}

/// Reads all of it. Blocks: for the start of the server.
///
/// # Errors
/// A sentence for the operator, with the remedy.
pub(super) fn load(store: &Store) -> anyhow::Result<Kept> {
    let kept = store.load(|database| {
        let rooms = meta::with_prefix(database, ROOM)?;
        Ok(Kept {
            webhooks: webhooks::all(database)?.into_iter().filter_map(webhook).collect(),
            events: outbox::all(database)?,
            rooms: rooms.into_iter().map(|(_, text)| text).collect(),
        })
    });
    Ok(kept?.unwrap_or_default())
}

/// Queues a row. Never waits. What the store has no place for is delivered, unless the process ends
/// before.
pub(super) fn write(store: &Store, row: Row) {
    store.write(Importance::Record, change(row));
}

/// Queues a row that a crash must not undo once it is answered.
pub(super) fn write_durably(store: &Store, row: Row) -> Durable {
    store.write_durably(change(row))
}

type Change = Box<dyn Fn(&mut dyn Database) -> SqlResult<()> + Send>;

/// The change of the database that a row is.
fn change(row: Row) -> Change {
    match row {
        Row::Events { events, room } => Box::new(move |database| {
            events.iter().try_for_each(|event| outbox::add(database, event))?;
            room.as_ref().map_or(Ok(()), |room| keep_room(database, room))
        }),
        Row::PutOff { id, attempts, due } => {
            Box::new(move |database| outbox::put_off(database, id, attempts, due))
        }
        Row::Removed(id) => Box::new(move |database| outbox::remove(database, id)),
        Row::Webhook(webhook) => {
            let stored = stored(*webhook);
            Box::new(move |database| webhooks::set(database, &stored))
        }
        Row::WebhookRemoved(id) => Box::new(move |database| webhooks::remove(database, id)),
    }
}

fn keep_room(database: &mut dyn Database, (name, text): &KeptRoom) -> SqlResult<()> {
    let name = format!("{ROOM}{name}");
    match text {
        Some(text) => meta::set(database, &name, text),
        None => meta::remove(database, &name),
    }
}

fn stored(webhook: Webhook) -> StoredWebhook {
    let Webhook { id, url, secret, form, events, is_configured, created, disabled } = webhook;
    let events = events.into_iter().map(|kind| kind.name().to_owned()).collect();
    let settings = Settings { form, events, is_configured };
    let settings = serde_json::to_string(&settings).unwrap_or_default();
    StoredWebhook { id, url, secret, settings, created, disabled }
}

/// A webhook of a later version, in another form, is left out.
fn webhook(stored: StoredWebhook) -> Option<Webhook> {
    let StoredWebhook { id, url, secret, settings, created, disabled } = stored;
    let Settings { form, events, is_configured } = serde_json::from_str(&settings).ok()?;
    let events = events.iter().filter_map(|name| EventKind::of_name(name)).collect();
    Some(Webhook { id, url, secret, form, events, is_configured, created, disabled })
}
