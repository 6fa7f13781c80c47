//! Pages of lists. A cursor is the key of the last item, opaque to clients.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{body::malformed, problem::Problem};

/// Items of a page.
const DEFAULT_LIMIT: u32 = 100;
const MAX_LIMIT: u32 = 500;

/// Which part of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PageQuery {
    /// The most items to return.
    #[param(minimum = 1, maximum = 500)]
    limit: Option<u32>,
    /// `next` of the page before.
    cursor: Option<String>,
}

/// A part of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Page<T> {
    /// The items.
    pub(super) items: Vec<T>,
    /// Cursor of the next page; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

impl PageQuery {
    /// A query that is a part of another.
    pub(super) fn new(limit: Option<u32>, cursor: Option<String>) -> Self {
        Self { limit, cursor }
    }

    /// The limit and the key after which the page begins.
    pub(super) fn read(&self) -> Result<(usize, Option<String>), Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(malformed(format!("limit: must be between 1 and {MAX_LIMIT}")));
        }
        let after = self.cursor.as_deref().map(|cursor| {
            let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
            let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            text.ok_or_else(|| malformed("cursor: use `next` of the page before"))
        });
        Ok((usize::try_from(limit).unwrap_or_default(), after.transpose()?))
    }
}

impl PageQuery {
    /// The limit and the number after which the page begins.
    pub(super) fn read_number(&self) -> Result<(u32, Option<i64>), Problem> {
        let (limit, after) = self.read()?;
        let after = after.map(|text| text.parse::<i64>()).transpose();
        let after = after.map_err(|_| malformed("cursor: use `next` of the page before"))?;
        Ok((u32::try_from(limit).unwrap_or(MAX_LIMIT), after))
    }
}

impl<T> Page<T> {
    /// A page of rows, of which one more than the limit was read if there are more.
    pub(super) fn of_rows(mut rows: Vec<T>, limit: u32, key: impl Fn(&T) -> i64) -> Self {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let has_more = rows.len() > limit;
        rows.truncate(limit);
        let last = rows.last().map(|row| key(row).to_string()).filter(|_| has_more);
        Self::new(rows, last.as_deref())
    }

    /// The same page with items in another form.
    pub(super) fn map<U>(self, form: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(form).collect(), next: self.next }
    }

    /// A page of items; `last` is the key of the last one if more follow.
    pub(super) fn new(items: Vec<T>, last: Option<&str>) -> Self {
        Self { items, next: last.map(|key| URL_SAFE_NO_PAD.encode(key)) }
    }
}

/// The part of sorted items that a query asks for, and the key of the last one if more follow.
pub(super) fn cut<T>(
    mut items: Vec<T>,
    query: &PageQuery,
    key: impl Fn(&T) -> String,
) -> Result<(Vec<T>, Option<String>), Problem> {
    let (limit, after) = query.read()?;
    if let Some(after) = after {
        items.retain(|item| key(item) > after);
    }
    let has_more = items.len() > limit;
    items.truncate(limit);
    let last = items.last().map(&key).filter(|_| has_more);
    Ok((items, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_each_item_once() {
        let all: Vec<String> = (0..25).map(|n| format!("{n:02}")).collect();
        let mut query = PageQuery { limit: Some(10), cursor: None };
        let mut found = Vec::new();
        loop {
            let (items, last) = cut(all.clone(), &query, Clone::clone).unwrap();
            let page = Page::new(items, last.as_deref());
            found.extend(page.items);
            let Some(next) = page.next else { break };
            query.cursor = Some(next);
        }
        assert_eq!(found, all);
    }

    #[test]
    fn wrong_limits_and_cursors_are_rejected() {
        for (limit, cursor) in [(Some(0), None), (Some(501), None), (None, Some("*"))] {
            let query = PageQuery { limit, cursor: cursor.map(str::to_owned) };
            assert_eq!(query.read().unwrap_err().status, 400);
        }
    }
}
