//! The audit log, as pages and as lines.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    audit::Entry,
    body::Query,
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
};
use crate::store::audit;

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list))
}

/// Lists the audit log, the newest entry first.
#[utoipa::path(get, path = "/audit", tag = "server", params(PageQuery),
    responses((status = 200, body = Page<Entry>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Entry>>, Problem> {
    caller.may_administer()?;
    let (limit, before) = query.read_number()?;
    let rows = parts.audit.store().read(move |database| audit::list(database, before, limit + 1));
    let rows = rows.await.map_err(|error| Problem::from_store(&error))?.unwrap_or_default();
    let page = Page::of_rows(rows, limit, |row| row.id);
    Ok(Json(page.map(Entry::from)))
}
