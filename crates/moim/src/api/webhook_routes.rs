//! Webhooks: list, make, show, change, remove.

use std::sync::Arc;

use axum::{
    Extension, Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    administered::{self, removed},
    body::{Body, Path, Query},
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::date,
};
use crate::webhooks::{EventKind, Form, NewWebhook, RegistryError, ShownWebhook, WebhookChange};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(show, change, remove))
}

/// A webhook, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct Webhook {
    /// Its id.
    id: String,
    /// Where events are sent.
    url: String,
    /// The form of what it is sent.
    form: WebhookForm,
    /// Name of the `--api-key` that signs in LiveKit's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<String>,
    /// Kinds of events that it is sent.
    events: Vec<WebhookEvent>,
    /// False: it is sent nothing, since somebody disabled it or it answered 410.
    enabled: bool,
    /// It is in the server's configuration, and can't be changed here.
    configured: bool,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// Events that wait for it.
    pending: usize,
    /// Why the last attempt failed; absent once one succeeds.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
}

/// A new webhook.
#[derive(Debug, Serialize, ToSchema)]
struct NewSecret {
    /// The webhook.
    #[serde(flatten)]
    webhook: Webhook,
    /// What verifies the signatures. Nothing can show it again. Absent in LiveKit's form.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

/// The form of what a webhook is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum WebhookForm {
    /// By standardwebhooks.com, signed with a secret of its own.
    #[default]
    Standard,
    /// As LiveKit's server sends them, signed with an `--api-key`.
    Livekit,
}

/// A kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
enum WebhookEvent {
    /// A room has opened.
    #[serde(rename = "room.started")]
    RoomStarted,
    /// A room has closed.
    #[serde(rename = "room.finished")]
    RoomFinished,
    /// Somebody has joined.
    #[serde(rename = "participant.joined")]
    ParticipantJoined,
    /// Somebody has left for good.
    #[serde(rename = "participant.left")]
    ParticipantLeft,
}

/// A webhook to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateWebhook {
    /// Where to send events: https://, unless the server allows private addresses.
    #[schema(max_length = 2048)]
    url: String,
    /// The form of what to send.
    #[serde(default)]
    form: WebhookForm,
    /// Name of the `--api-key` that signs in LiveKit's form; absent: the first one.
    api_key: Option<String>,
    /// Kinds of events; absent: all.
    #[schema(min_items = 1)]
    events: Option<Vec<WebhookEvent>>,
}

/// A change of a webhook. What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeWebhook {
    /// Where to send events.
    #[schema(max_length = 2048)]
    url: Option<String>,
    /// Kinds of events.
    #[schema(min_items = 1)]
    events: Option<Vec<WebhookEvent>>,
    /// False: send nothing, and drop what waits.
    enabled: Option<bool>,
}

/// Lists the webhooks, by their ids.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", params(PageQuery),
    responses((status = 200, body = Page<Webhook>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Webhook>>, Problem> {
    administered::list(
        &caller,
        || parts.webhooks.list(),
        &query,
        |shown| shown.webhook.id.to_string(),
    )
}

/// Makes a webhook.
#[utoipa::path(post, path = "/webhooks", tag = "webhooks", request_body = CreateWebhook,
    responses((status = 201, body = NewSecret, headers(("Location" = String)))))]
async fn create(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Body(create): Body<CreateWebhook>,
) -> Result<Response, Problem> {
    caller.may_administer()?;
    let CreateWebhook { url, form, api_key, events } = create;
    let form = match (form, api_key) {
        (WebhookForm::Standard, None) => Form::Standard,
        (WebhookForm::Standard, Some(_)) => {
            return Err(Problem::invalid("api_key: signs in the form livekit alone"));
        }
        (WebhookForm::Livekit, name) => {
            let name = name.or_else(|| parts.access.first_api_key());
            let known = name.filter(|name| parts.access.api_key(name).is_some());
            let text = "api_key: the server has no such --api-key to sign with";
            Form::LiveKit { api_key: known.ok_or_else(|| Problem::invalid(text))? }
        }
    };
    let events = events.map_or_else(|| EventKind::ALL.to_vec(), kinds);
    let webhook = parts.webhooks.create(NewWebhook { url, form, events })?;
    let secret = Some(webhook.secret.clone()).filter(|secret| !secret.is_empty());
    let shown = Webhook::from(ShownWebhook { webhook, pending: 0, failure: None });
    parts.audit.note(&caller, "webhook.create", &shown.id, Some(&shown.url));
    let location = [(header::LOCATION, format!("/api/v1/webhooks/{}", shown.id))];
    let created = NewSecret { webhook: shown, secret };
    Ok((StatusCode::CREATED, location, Json(created)).into_response())
}

/// Shows a webhook.
#[utoipa::path(get, path = "/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 200, body = Webhook)))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<Json<Webhook>, Problem> {
    caller.may_administer()?;
    Ok(Json(parts.webhooks.find(number(&id)?)?.into()))
}

/// Changes a webhook.
#[utoipa::path(patch, path = "/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id")),
    request_body = ChangeWebhook,
    responses((status = 200, body = Webhook)))]
async fn change(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    Body(change): Body<ChangeWebhook>,
) -> Result<Json<Webhook>, Problem> {
    caller.may_administer()?;
    let ChangeWebhook { url, events, enabled } = change;
    let change = WebhookChange { url, events: events.map(kinds), enabled };
    let webhook = Webhook::from(parts.webhooks.change(number(&id)?, change).await?);
    parts.audit.note(&caller, "webhook.change", &webhook.id, Some(&webhook.url));
    Ok(Json(webhook))
}

/// Removes a webhook, and drops what waits for it.
#[utoipa::path(delete, path = "/webhooks/{id}", tag = "webhooks",
    params(("id" = String, Path, description = "The webhook's id")),
    responses((status = 204, description = "It is removed")))]
async fn remove(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may_administer()?;
    let webhook = parts.webhooks.remove(number(&id)?).await?;
    Ok(removed(&parts, &caller, "webhook.remove", &id, Some(&webhook.url)))
}

fn kinds(events: Vec<WebhookEvent>) -> Vec<EventKind> {
    let mut kinds: Vec<_> = events.into_iter().map(EventKind::from).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn number(id: &str) -> Result<i64, Problem> {
    id.parse().map_err(|_| RegistryError::NotFound.into())
}

impl From<RegistryError> for Problem {
    fn from(error: RegistryError) -> Self {
        let text = error.to_string();
        match error {
            RegistryError::NotFound => Self::not_found(text),
            RegistryError::NoRandomness => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "no_randomness", text)
            }
            RegistryError::ChangeNotWritten(error) | RegistryError::RemovalNotWritten(error) => {
                Self::not_written(error, text)
            }
            RegistryError::Configured
            | RegistryError::TooMany
            | RegistryError::Url
            | RegistryError::Insecure
            | RegistryError::NoEvents => Self::invalid(text),
        }
    }
}

impl From<WebhookEvent> for EventKind {
    fn from(event: WebhookEvent) -> Self {
        match event {
            WebhookEvent::RoomStarted => Self::RoomStarted,
            WebhookEvent::RoomFinished => Self::RoomFinished,
            WebhookEvent::ParticipantJoined => Self::ParticipantJoined,
            WebhookEvent::ParticipantLeft => Self::ParticipantLeft,
        }
    }
}

impl From<EventKind> for WebhookEvent {
    fn from(kind: EventKind) -> Self {
        match kind {
            EventKind::RoomStarted => Self::RoomStarted,
            EventKind::RoomFinished => Self::RoomFinished,
            EventKind::ParticipantJoined => Self::ParticipantJoined,
            EventKind::ParticipantLeft => Self::ParticipantLeft,
        }
    }
}

impl From<ShownWebhook> for Webhook {
    fn from(shown: ShownWebhook) -> Self {
        let ShownWebhook { webhook, pending, failure } = shown;
        let (form, api_key) = match webhook.form {
            Form::Standard => (WebhookForm::Standard, None),
            Form::LiveKit { api_key } => (WebhookForm::Livekit, Some(api_key)),
        };
        Self {
            id: webhook.id.to_string(),
            url: webhook.url,
            form,
            api_key,
            events: webhook.events.into_iter().map(WebhookEvent::from).collect(),
            enabled: webhook.disabled.is_none(),
            configured: webhook.is_configured,
            created_at: date(webhook.created),
            pending,
            failure,
        }
    }
}
