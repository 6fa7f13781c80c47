//! The audit log, as pages and as lines.

use std::sync::Arc;

use axum::{Extension, Json, extract::State};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    audit::Entry,
    body::{Query, malformed},
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::date,
};
use crate::store::audit::{self, AuditRow};

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
    let (limit, after) = query.read()?;
    let before = after.map(|text| text.parse::<i64>());
    let before = before.transpose().map_err(|_| malformed("cursor: use `next` of the page before"));
    let before = before?;
    let rows = parts.audit.store().read(move |database| {
        audit::list(database, before, u32::try_from(limit + 1).unwrap_or(u32::MAX))
    });
    let mut rows = rows.await.map_err(|error| Problem::from_store(&error))?.unwrap_or_default();
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let last = rows.last().map(|row| row.id.to_string()).filter(|_| has_more);
    Ok(Json(Page::new(rows.into_iter().map(Entry::from).collect(), last.as_deref())))
}

impl From<AuditRow> for Entry {
    fn from(row: AuditRow) -> Self {
        let AuditRow { id, at, actor, action, object, address, detail } = row;
        Self { id: id.to_string(), at: date(at), actor, action, object, address, detail }
    }
}
