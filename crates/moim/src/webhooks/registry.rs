//! The webhooks of a running server: shared by the task that delivers, the API and the reload.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use aws_lc_rs::digest::{SHA256, digest};
use parking_lot::Mutex;
use tokio::sync::{Notify, oneshot};

use super::{
    core::{Core, Row},
    counts::{DropReason, WebhookCounts},
    event::{EventKind, RoomEvents},
    kept,
    open_rooms::LostRoom,
    webhook::{Form, ShownWebhook, Webhook},
};
use crate::{
    config::{Live, WebhookConfig, WebhookSecret, WebhookUrl},
    store::{Durable, NotWritten, Store, ids},
};

/// Webhooks that may exist.
const MAX_WEBHOOKS: usize = 32;

/// A handle on the webhooks. Clones refer to the same ones.
#[derive(Clone)]
pub(crate) struct Webhooks(pub(super) Arc<Shared>);

pub(super) struct Shared {
    core: Mutex<Core>,
    /// Webhooks that are sent nothing any more, but may still be in the store. At most
    /// [`MAX_WEBHOOKS`] with the others.
    removed: Mutex<BTreeMap<i64, Webhook>>,
    store: Store,
    pub(super) events: RoomEvents,
    pub(super) allows_private: Live<bool>,
    /// Wakes the task that delivers.
    pub(super) changed: Notify,
    /// Whoever waits until all events so far are in the store's queue.
    pub(super) flushes: Mutex<Vec<oneshot::Sender<()>>>,
}

/// A webhook to be made by the API.
#[derive(Debug)]
pub(crate) struct NewWebhook {
    pub(crate) url: String,
    pub(crate) form: Form,
    pub(crate) events: Vec<EventKind>,
}

/// A change by the API. What is absent stays.
#[derive(Debug, Default)]
pub(crate) struct WebhookChange {
    pub(crate) url: Option<String>,
    pub(crate) events: Option<Vec<EventKind>>,
    pub(crate) enabled: Option<bool>,
}

/// Why the API can't make or change a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RegistryError {
    #[error("no webhook has this id")]
    NotFound,
    #[error("the webhook is in the server's configuration: change it there")]
    Configured,
    #[error("there are {MAX_WEBHOOKS} webhooks: remove some first")]
    TooMany,
    #[error("url: must be http:// or https:// with a host, of at most 2048 bytes")]
    Url,
    #[error("url: must be https://; --webhook-private allows http:// and private addresses")]
    Insecure,
    #[error("events: name at least one")]
    NoEvents,
    #[error("the system can't provide random bytes")]
    NoRandomness,
    #[error(
        "the webhook is changed, but may be as before after a restart: change it again once the \
         store can be written"
    )]
    ChangeNotWritten(NotWritten),
    #[error(
        "the webhook is sent nothing from now on, but may come back with a restart: remove it again \
         once the store can be written"
    )]
    RemovalNotWritten(NotWritten),
}

impl Webhooks {
    /// The webhooks that the store has, and those of the configuration.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(super) fn load(
        store: Store,
        config: &WebhookConfig,
        events: RoomEvents,
    ) -> anyhow::Result<Self> {
        let mut core = Core::new(ids::new_id);
        let kept = kept::load(&store)?;
        core.load(kept.webhooks, kept.events, &kept.rooms);
        let webhooks = Self(Arc::new(Shared {
            core: Mutex::new(core),
            removed: Mutex::default(),
            store,
            events,
            allows_private: Live::default(),
            changed: Notify::new(),
            flushes: Mutex::default(),
        }));
        webhooks.configure(config);
        Ok(webhooks)
    }

    /// Replaces the webhooks of the configuration.
    pub(crate) fn configure(&self, config: &WebhookConfig) {
        self.0.allows_private.replace(config.allows_private);
        let wanted: Vec<Webhook> = config
            .receivers
            .iter()
            .map(|(url, form)| {
                let form = match form {
                    None => Form::Standard,
                    Some(api_key) => Form::LiveKit { api_key: api_key.clone() },
                };
                configured(url, form, config.secret.as_ref())
            })
            .collect();
        self.0.change(|core| {
            let ids: BTreeSet<i64> = wanted.iter().map(|webhook| webhook.id).collect();
            let old = core.webhooks().filter(|one| one.is_configured && !ids.contains(&one.id));
            for id in old.map(|webhook| webhook.id).collect::<Vec<_>>() {
                core.remove_webhook(id);
            }
            for webhook in wanted {
                let known = core.webhook(webhook.id);
                let created = known.map_or(webhook.created, |known| known.created);
                let webhook = Webhook { created, ..webhook };
                // One that answered 410 gets a new chance with each start.
                if known != Some(&webhook) {
                    core.set_webhook(webhook);
                }
            }
        });
    }

    /// Ends the rooms of an earlier process, other than those that go on.
    pub(crate) fn close_lost(&self, alive: &BTreeSet<String>) {
        self.0.change(|core| core.close_lost(ids::now(), alive));
    }

    /// Rooms of an earlier process, other than those that go on.
    pub(crate) fn lost(&self, alive: &BTreeSet<String>) -> Vec<LostRoom> {
        self.0.core.lock().lost(alive)
    }

    /// Ends a room of an earlier process.
    pub(crate) fn close(&self, lost: &LostRoom) {
        self.0.change(|core| core.close(ids::now(), lost));
    }

    /// Another server tells what happens in a room of an earlier process.
    pub(crate) fn move_away(&self, lost: &LostRoom) {
        self.0.change(|core| core.move_away(lost));
    }

    /// True for a room that is open on this server.
    pub(crate) fn is_open(&self, lost: &LostRoom) -> bool {
        self.0.events.open_rooms().contains(&lost.id)
    }

    /// All webhooks, by their ids.
    pub(crate) fn list(&self) -> Vec<ShownWebhook> {
        let core = self.0.core.lock();
        core.webhooks().map(|webhook| core.shown(webhook)).collect()
    }

    /// A webhook by its id.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn find(&self, id: i64) -> Result<ShownWebhook, RegistryError> {
        let core = self.0.core.lock();
        let webhook = core.webhook(id).ok_or(RegistryError::NotFound)?;
        Ok(core.shown(webhook))
    }

    /// Makes a webhook, with a secret of its own in the standard form.
    ///
    /// # Errors
    /// What to correct.
    pub(crate) fn create(&self, new: NewWebhook) -> Result<Webhook, RegistryError> {
        let NewWebhook { url, form, events } = new;
        self.check_url(&url)?;
        check_events(&events)?;
        let secret = match form {
            Form::Standard => {
                let secret = WebhookSecret::generate().ok_or(RegistryError::NoRandomness)?;
                secret.as_str().to_owned()
            }
            Form::LiveKit { .. } => String::new(),
        };
        let webhook = Webhook {
            id: ids::new_id(),
            url,
            secret,
            form,
            events,
            is_configured: false,
            created: ids::now(),
            disabled: None,
        };
        let removed = self.0.removed.lock().len();
        self.0.change(|core| {
            if core.webhooks().count() + removed >= MAX_WEBHOOKS {
                return Err(RegistryError::TooMany);
            }
            core.set_webhook(webhook.clone());
            Ok(webhook)
        })
    }

    /// Changes a webhook. Returns once the change is in the store: a webhook that was disabled must
    /// not be sent events after a crash.
    ///
    /// # Errors
    /// What to correct.
    pub(crate) async fn change(
        &self,
        id: i64,
        change: WebhookChange,
    ) -> Result<ShownWebhook, RegistryError> {
        let WebhookChange { url, events, enabled } = change;
        url.as_ref().map(|url| self.check_url(url)).transpose()?;
        events.as_ref().map(|events| check_events(events)).transpose()?;
        let (changed, writes) = self.0.change_durably(|core| {
            let webhook = core.webhook(id).ok_or(RegistryError::NotFound)?;
            if webhook.is_configured {
                return Err(RegistryError::Configured);
            }
            let mut webhook = webhook.clone();
            webhook.url = url.unwrap_or(webhook.url);
            webhook.events = events.unwrap_or(webhook.events);
            webhook.disabled = match enabled {
                None => webhook.disabled,
                Some(true) => None,
                Some(false) => Some(webhook.disabled.unwrap_or_else(ids::now)),
            };
            core.set_webhook(webhook.clone());
            Ok(core.shown(&webhook))
        });
        let changed = changed?;
        wait(writes).await.map_err(RegistryError::ChangeNotWritten)?;
        Ok(changed)
    }

    /// Removes a webhook and the events that wait for it. Returns once the store has it no more.
    /// Until then, and if that fails, it is sent nothing, and can be removed again.
    ///
    /// # Errors
    /// There is none, it is in the configuration, or it may come back with a restart.
    pub(crate) async fn remove(&self, id: i64) -> Result<Webhook, RegistryError> {
        let (removed, mut writes) = self.0.change_durably(|core| {
            let Some(webhook) = core.webhook(id) else { return Ok(None) };
            if webhook.is_configured {
                return Err(RegistryError::Configured);
            }
            Ok(core.remove_webhook(id))
        });
        let removed = match removed? {
            Some(webhook) => {
                self.0.removed.lock().insert(id, webhook.clone());
                webhook
            }
            None => {
                let again = self.0.removed.lock().get(&id).cloned();
                let again = again.ok_or(RegistryError::NotFound)?;
                writes.push(kept::write_durably(&self.0.store, Row::WebhookRemoved(id)));
                again
            }
        };
        wait(writes).await.map_err(RegistryError::RemovalNotWritten)?;
        self.0.removed.lock().remove(&id);
        Ok(removed)
    }

    /// The counts, for metrics.
    pub(crate) fn counts(&self) -> WebhookCounts {
        let mut counts = self.0.core.lock().counts();
        let dropped = usize::try_from(self.0.events.dropped()).unwrap_or(usize::MAX);
        counts.drop(DropReason::Feed, dropped);
        counts
    }

    /// Waits until all that has happened in rooms so far is in the store's queue: before the
    /// process ends.
    pub(crate) async fn flush(&self) {
        let (done, flushed) = oneshot::channel();
        self.0.flushes.lock().push(done);
        self.0.changed.notify_one();
        let _ = flushed.await;
    }

    fn check_url(&self, text: &str) -> Result<(), RegistryError> {
        let url = WebhookUrl::parse(text).ok_or(RegistryError::Url)?;
        match url.is_secure() || **self.0.allows_private.load() {
            true => Ok(()),
            false => Err(RegistryError::Insecure),
        }
    }
}

impl Shared {
    /// With those below, the only access that changes the core: what has changed is queued for the store in the same
    /// order, and the task that delivers looks for work.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Core) -> T) -> T {
        let result = self.change_quietly(change);
        self.changed.notify_one();
        result
    }

    /// The same for what a crash must not undo once it is answered.
    fn change_durably<T>(&self, change: impl FnOnce(&mut Core) -> T) -> (T, Vec<Durable>) {
        let mut writes = Vec::new();
        let write = |store: &Store, row| writes.push(kept::write_durably(store, row));
        let result = self.change_and_write(change, write);
        self.changed.notify_one();
        (result, writes)
    }

    /// The same for the task that delivers, which needs no waking.
    pub(super) fn change_quietly<T>(&self, change: impl FnOnce(&mut Core) -> T) -> T {
        self.change_and_write(change, kept::write)
    }

    fn change_and_write<T>(
        &self,
        change: impl FnOnce(&mut Core) -> T,
        mut write: impl FnMut(&Store, Row),
    ) -> T {
        let mut core = self.core.lock();
        let result = change(&mut core);
        while let Some(row) = core.poll_row() {
            write(&self.store, row);
        }
        result
    }
}

/// Waits for all of these.
async fn wait(writes: Vec<Durable>) -> Result<(), NotWritten> {
    for write in writes {
        write.wait().await?;
    }
    Ok(())
}

fn check_events(events: &[EventKind]) -> Result<(), RegistryError> {
    if events.is_empty() { Err(RegistryError::NoEvents) } else { Ok(()) }
}

/// A webhook of the configuration: the same one after each start.
fn configured(url: &WebhookUrl, form: Form, secret: Option<&WebhookSecret>) -> Webhook {
    let text = format!("{form:?} {}", url.as_str());
    let hash = digest(&SHA256, text.as_bytes());
    let bytes = hash.as_ref().first_chunk().copied().unwrap_or_default();
    Webhook {
        // Apart from those that the API makes, which rise from zero.
        id: i64::from_be_bytes(bytes) | i64::MIN,
        url: url.as_str().to_owned(),
        secret: match form {
            Form::Standard => secret.map(|secret| secret.as_str().to_owned()).unwrap_or_default(),
            Form::LiveKit { .. } => String::new(),
        },
        form,
        events: EventKind::ALL.to_vec(),
        is_configured: true,
        created: ids::now(),
        disabled: None,
    }
}
