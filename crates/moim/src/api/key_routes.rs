//! Keys: list, make, remove.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    administered::{self, removed},
    body::{Body, Path, Query},
    caller::{Access, Caller},
    key,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::{date, milliseconds},
};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
struct Key {
    /// Its id, which is no secret.
    id: String,
    /// Your name for it.
    name: String,
    /// What it may do.
    access: Access,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it ends; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// The day of its last use; absent: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    used_at: Option<String>,
}

/// A new key.
#[derive(Debug, Serialize, ToSchema)]
struct NewKey {
    /// The key.
    #[serde(flatten)]
    key: Key,
    /// What to send as `Authorization: Bearer …`. Nothing can show it again.
    secret: String,
}

/// A key to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateKey {
    /// Your name for it.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it may do.
    access: Access,
    /// When it ends (RFC 3339); absent: never.
    #[schema(format = DateTime)]
    expires_at: Option<String>,
}

impl From<key::Key> for Key {
    fn from(key: key::Key) -> Self {
        Self {
            id: key.id,
            name: key.name,
            access: key.access,
            created_at: date(key.created),
            expires_at: key.expires.map(date),
            used_at: key.used.map(date),
        }
    }
}

/// Lists the keys, by their ids.
#[utoipa::path(get, path = "/keys", tag = "keys", params(PageQuery),
    responses((status = 200, body = Page<Key>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Key>>, Problem> {
    administered::list(&caller, || parts.keys.list(), &query, |key| key.id.clone())
}

/// Makes a key.
#[utoipa::path(post, path = "/keys", tag = "keys", request_body = CreateKey,
    responses((status = 201, body = NewKey)))]
async fn create(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Body(create): Body<CreateKey>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    caller.may_administer()?;
    let expires = create.expires_at.as_deref();
    let expires = expires.map(|text| milliseconds("expires_at", text)).transpose()?;
    let (key, secret) = parts.keys.create(&create.name, create.access, expires)?;
    parts.audit.note(&caller, "key.create", &key.id, Some(&key.name));
    Ok((StatusCode::CREATED, Json(NewKey { key: key.into(), secret })))
}

/// Removes a key. Requests with it are rejected from now on.
#[utoipa::path(delete, path = "/keys/{id}", tag = "keys",
    params(("id" = String, Path, description = "The key's id")),
    responses((status = 204, description = "It is removed")))]
async fn remove(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may_administer()?;
    let key = parts.keys.remove(&id).await?;
    Ok(removed(&parts, &caller, "key.remove", &key.id, Some(&key.name)))
}
