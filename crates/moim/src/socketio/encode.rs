//! Encoding of events as Socket.IO packets, once for all receivers.

use std::{fmt::Write as _, sync::Arc};

use serde::Serialize;

/// Decimal digits of the largest number.
const MAX_DIGITS: usize = 20;

/// Encodes an event with its payload and, if it is numbered, its number as second argument.
///
/// ```text
/// 2["participant:left",{"id":"…"},17]
/// ```
pub(crate) fn encode_event(name: &str, payload: &impl Serialize, number: Option<u64>) -> Arc<str> {
    let (name, payload) = (json(&name), json(payload));
    // Growing the string piece by piece would cost more than all the rest.
    let mut packet = String::with_capacity(name.len() + payload.len() + "2[,,]".len() + MAX_DIGITS);
    packet.push_str("2[");
    packet.push_str(&name);
    packet.push(',');
    packet.push_str(&payload);
    if let Some(number) = number {
        let _ = write!(packet, ",{number}");
    }
    packet.push(']');
    packet.into()
}

/// Encodes an event with arguments that are JSON already.
///
/// ```text
/// 2["created"]
/// ```
pub(crate) fn encode_raw_event<'a>(
    name: &str,
    args: impl IntoIterator<Item = &'a serde_json::value::RawValue, IntoIter: Clone>,
) -> Arc<str> {
    let (name, args) = (json(&name), args.into_iter());
    let length: usize = args.clone().map(|arg| ",".len() + arg.get().len()).sum();
    let mut packet = String::with_capacity("2[]".len() + name.len() + length);
    packet.push_str("2[");
    packet.push_str(&name);
    for arg in args {
        packet.push(',');
        packet.push_str(arg.get());
    }
    packet.push(']');
    packet.into()
}

/// Serializes one of our own types, which never fails. If it did, the receiver would get `null` and
/// the log an error.
pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "serializing an outgoing message failed");
        "null".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;

    #[test]
    fn event_is_name_payload_and_number() {
        assert_eq!(&*encode_event("a\"b", &json!({"x": 1}), None), r#"2["a\"b",{"x":1}]"#);
        assert_eq!(&*encode_event("e", &json!(null), Some(7)), r#"2["e",null,7]"#);
    }

    #[test]
    fn event_without_arguments_has_no_null() {
        assert_eq!(&*encode_raw_event("created", []), r#"2["created"]"#);
        let arg = RawValue::from_string("{\"b\":1,  \"a\":2}".to_owned()).unwrap();
        assert_eq!(
            &*encode_raw_event("x", [&*arg, &*arg]),
            r#"2["x",{"b":1,  "a":2},{"b":1,  "a":2}]"#
        );
    }
}
