//! Common parts of the routes that list and remove keys, webhooks and invitations.

use axum::{Json, http::StatusCode};

use super::{
    caller::Caller,
    page::{Page, PageQuery, cut},
    parts::Parts,
    problem::Problem,
};

/// A page of things in the order of their keys, as administrators are shown them.
pub(super) fn list<T, Shown: From<T>>(
    caller: &Caller,
    all: impl FnOnce() -> Vec<T>,
    query: &PageQuery,
    key: impl Fn(&T) -> String,
) -> Result<Json<Page<Shown>>, Problem> {
    caller.may_administer()?;
    let mut all = all();
    all.sort_by_cached_key(&key);
    let (found, last) = cut(all, query, key)?;
    Ok(Json(Page::new(found.into_iter().map(Shown::from).collect(), last.as_deref())))
}

/// Notes in the audit log that something is removed, and says so.
pub(super) fn removed(
    parts: &Parts,
    caller: &Caller,
    action: &'static str,
    object: &str,
    detail: Option<&str>,
) -> StatusCode {
    parts.audit.note(caller, action, object, detail);
    StatusCode::NO_CONTENT
}
