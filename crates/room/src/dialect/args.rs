//! What the arguments of events are made of.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::name::DisplayName;

/// The most bytes of a name or an id that clients of a dialect give, as JSON. They follow no other
/// rule.
pub const MAX_TEXT_BYTES: usize = 512;

/// A text of bounded length.
pub(super) fn text(arg: &RawValue) -> Option<String> {
    (arg.get().len() <= MAX_TEXT_BYTES).then(|| any_text(arg).map(Cow::into_owned))?
}

/// The argument at that place as a text of bounded length.
pub(super) fn text_at(args: &[Box<RawValue>], index: usize) -> Option<String> {
    text(args.get(index)?)
}

/// The argument as an object.
pub(super) fn object<'a, T: Deserialize<'a>>(arg: &'a RawValue) -> Option<T> {
    // A list would do for serde, field by field.
    arg.get().starts_with('{').then(|| serde_json::from_str(arg.get()).ok())?
}

/// Whether this is that text.
pub(super) fn is(arg: &RawValue, expected: &str) -> bool {
    any_text(arg).is_some_and(|text| text == expected)
}

/// Whether what is said of somebody is short enough to be told everybody.
pub(super) fn is_short(arg: Option<&RawValue>) -> bool {
    arg.is_none_or(|arg| arg.get().len() <= MAX_TEXT_BYTES)
}

/// What people can be shown, if it is a name.
pub(super) fn display_name(arg: Option<&RawValue>) -> Option<DisplayName> {
    DisplayName::new(&text(arg?)?).ok()
}

/// For a field that is there or not: `null` is there.
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
