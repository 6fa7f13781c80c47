//! Administrators: list, invite, remove.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    administered,
    body::{Path, Query},
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::date,
};
use crate::{
    accounts::{self, LINK_LIFE},
    store::ids,
};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(link)).routes(routes!(remove))
}

/// Somebody who may sign in at `/admin`.
#[derive(Debug, Serialize, ToSchema)]
struct Administrator {
    /// The name to sign in with.
    name: String,
    /// When it was made, or its password last set.
    #[schema(format = DateTime)]
    created_at: String,
}

/// A link that makes one administrator, or sets a new password of one.
#[derive(Debug, Serialize, ToSchema)]
struct AdministratorLink {
    /// The link, by the likeliest address of this server.
    url: String,
    /// The same without the address.
    path: String,
    /// When it ends, if nobody opens it before.
    #[schema(format = DateTime)]
    expires_at: String,
}

impl From<accounts::Administrator> for Administrator {
    fn from(administrator: accounts::Administrator) -> Self {
        Self { name: administrator.name, created_at: date(administrator.created) }
    }
}

/// Lists the administrators, by their names.
#[utoipa::path(get, path = "/administrators", tag = "administrators", params(PageQuery),
    responses((status = 200, body = Page<Administrator>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Administrator>>, Problem> {
    administered::list(&caller, || parts.accounts.list(), &query, |one| one.name.clone())
}

/// Makes a link by which one person becomes an administrator. An earlier link ends.
#[utoipa::path(post, path = "/administrators/link", tag = "administrators",
    responses((status = 201, body = AdministratorLink)))]
async fn link(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
) -> Result<(StatusCode, Json<AdministratorLink>), Problem> {
    caller.may_administer()?;
    let secret = parts.accounts.make_link(Instant::now());
    let secret = secret.map_err(|error| Problem::internal(&error))?;
    parts.audit.note(&caller, "admin.link", "", None);
    let path = accounts::link_path(&secret);
    let life = i64::try_from(LINK_LIFE.as_millis()).unwrap_or(i64::MAX);
    let link = AdministratorLink {
        url: format!("{}{path}", parts.origin),
        path,
        expires_at: date(ids::now().saturating_add(life)),
    };
    Ok((StatusCode::CREATED, Json(link)))
}

/// Removes an administrator. Its sessions end.
#[utoipa::path(delete, path = "/administrators/{name}", tag = "administrators",
    params(("name" = String, Path, description = "The administrator's name")),
    responses((status = 204, description = "It is removed")))]
async fn remove(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may_administer()?;
    let is_removed = parts.accounts.remove(&name).await.map_err(|error| {
        tracing::error!("can't delete an administrator: {error:#}");
        let text = "the administrator may do nothing from now on, but may come back with a restart: \
                    remove it again once the store can be written";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "store", text)
    })?;
    if !is_removed {
        return Err(Problem::not_found("no administrator has this name"));
    }
    Ok(administered::removed(&parts, &caller, "admin.remove", &name, None))
}
