//! Parsing of event arguments.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::name::DisplayName;

/// Maximum size of a dialect's names and ids as JSON, in bytes. They follow no other rule.
pub const MAX_TEXT_BYTES: usize = 512;

/// Parses a string of bounded length.
pub(super) fn text(arg: &RawValue) -> Option<String> {
    (arg.get().len() <= MAX_TEXT_BYTES).then(|| any_text(arg).map(Cow::into_owned))?
}

/// Parses the argument at `index` as a string of bounded length.
pub(super) fn text_at(args: &[Box<RawValue>], index: usize) -> Option<String> {
    text(args.get(index)?)
}

/// Parses an object.
pub(super) fn object<'a, T: Deserialize<'a>>(arg: &'a RawValue) -> Option<T> {
    // serde would accept an array, field by field.
    arg.get().starts_with('{').then(|| serde_json::from_str(arg.get()).ok())?
}

/// Returns whether the argument is the expected string.
pub(super) fn is(arg: &RawValue, expected: &str) -> bool {
    any_text(arg).is_some_and(|text| text == expected)
}

/// Returns whether a profile field is small enough to broadcast.
pub(super) fn is_short(arg: Option<&RawValue>) -> bool {
    arg.is_none_or(|arg| arg.get().len() <= MAX_TEXT_BYTES)
}

/// Parses a display name, if valid.
pub(super) fn display_name(arg: Option<&RawValue>) -> Option<DisplayName> {
    DisplayName::new(&text(arg?)?).ok()
}

/// Deserializes an optional field in which `null` counts as present.
pub(super) fn present<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

fn any_text(arg: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    arg.get().starts_with('"').then(|| serde_json::from_str(arg.get()).ok())?.map(|Text(text)| text)
}
