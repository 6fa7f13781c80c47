//! The value and source of each option, as a table for the operator.

use std::fmt::Write;

use super::{keys, sources::Sources};

/// Widest column that later columns are aligned to.
const MAX_WIDTH: usize = 40;

/// One line for each option: key, value, and in parentheses the source. Secrets are never shown.
pub(super) fn text(sources: &Sources) -> String {
    let rows: Vec<[String; 3]> = keys::all()
        .into_iter()
        .map(|key| {
            let name = match key.table {
                Some(table) => format!("{table}.{}", key.name),
                None => key.name.clone(),
            };
            match sources.get(&key.name) {
                Some(setting) if key.is_secret => {
                    [name, "…".to_owned(), setting.source.to_string()]
                }
                Some(setting) => [name, setting.text.clone(), setting.source.to_string()],
                None => [name, key.default.unwrap_or_else(|| "-".to_owned()), "default".to_owned()],
            }
        })
        .collect();
    let width = |column: usize| {
        let widths = rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count());
        widths.filter(|width| *width <= MAX_WIDTH).max().unwrap_or(0)
    };
    let (first, second) = (width(0), width(1));
    let mut text = String::new();
    for [name, value, source] in &rows {
        let _ = writeln!(text, "{name:first$}  {value:second$}  ({source})");
    }
    text
}
