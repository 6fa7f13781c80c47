//! A receiver of events.

use serde::{Deserialize, Serialize};

use super::event::EventKind;

/// The form of what a receiver is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// By standardwebhooks.com, signed with the webhook's own secret.
    Standard,
    /// As LiveKit's server sends them, signed with an `--api-key`.
    #[serde(rename = "livekit")]
    LiveKit {
        /// Name of the key.
        api_key: String,
    },
}

/// A receiver of events.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Webhook {
    pub(crate) id: i64,
    pub(crate) url: String,
    /// Signs what is sent, in the standard form: `whsec_…`.
    pub(crate) secret: String,
    pub(crate) form: Form,
    /// Kinds of events that it receives.
    pub(crate) events: Vec<EventKind>,
    /// It is in the configuration, so the API does not change it.
    pub(crate) is_configured: bool,
    /// Milliseconds since 1970.
    pub(crate) created: i64,
    /// Sent nothing since, in milliseconds since 1970.
    pub(crate) disabled: Option<i64>,
}

/// A webhook as the API shows it.
#[derive(Debug, Clone)]
pub(crate) struct ShownWebhook {
    pub(crate) webhook: Webhook,
    /// Events that wait for it.
    pub(crate) pending: usize,
    /// Why the last attempt failed, until one succeeds.
    pub(crate) failure: Option<String>,
}

impl Webhook {
    pub(super) fn is_enabled(&self) -> bool {
        self.disabled.is_none()
    }

    pub(super) fn receives(&self, kind: EventKind) -> bool {
        self.is_enabled() && self.events.contains(&kind)
    }
}

/// Omits the secret.
impl std::fmt::Debug for Webhook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Webhook")
            .field("id", &self.id)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}
