//! Events and acknowledgements as Socket.IO packets, encoded once for all their receivers.

use std::{fmt::Write as _, sync::Arc};

use serde::Serialize;

use super::app::Ack;

/// An event with its payload and, where it has one, its number as second argument.
///
/// ```text
/// 2["participant:left",{"id":"…"},17]
/// ```
pub(crate) fn encode_event(name: &str, payload: &impl Serialize, number: Option<u64>) -> Arc<str> {
    let mut packet = format!("2[{},{}", json(&name), json(payload));
    if let Some(number) = number {
        let _ = write!(packet, ",{number}");
    }
    packet.push(']');
    packet.into()
}

/// An event with its arguments, each JSON already.
///
/// ```text
/// 2["created"]
/// ```
pub(crate) fn encode_raw_event<'a>(
    name: &str,
    args: impl IntoIterator<Item = &'a serde_json::value::RawValue>,
) -> Arc<str> {
    let mut packet = format!("2[{}", json(&name));
    for arg in args {
        packet.push(',');
        packet.push_str(arg.get());
    }
    packet.push(']');
    packet.into()
}

impl Ack {
    /// Answers with one argument.
    ///
    /// ```text
    /// 312[{"ok":true}]
    /// ```
    pub(crate) fn send(self, reply: &impl Serialize) {
        self.socket.emit(format!("3{}[{}]", self.id, json(reply)).into());
    }
}

/// Our own types always serialize; should one ever not, its receiver gets `null`, and we a line.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| {
        tracing::error!(%error, "a message of ours does not serialize");
        "null".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{json, value::RawValue};

    use super::*;
    use crate::socket::app::{Outgoing, Socket, SocketId};

    #[test]
    fn an_event_is_its_name_its_payload_and_its_number() {
        assert_eq!(&*encode_event("a\"b", &json!({"x": 1}), None), r#"2["a\"b",{"x":1}]"#);
        assert_eq!(&*encode_event("e", &json!(null), Some(7)), r#"2["e",null,7]"#);
    }

    #[test]
    fn no_argument_is_not_null() {
        assert_eq!(&*encode_raw_event("created", []), r#"2["created"]"#);
        let arg = RawValue::from_string("{\"b\":1,  \"a\":2}".to_owned()).unwrap();
        assert_eq!(
            &*encode_raw_event("x", [&*arg, &*arg]),
            r#"2["x",{"b":1,  "a":2},{"b":1,  "a":2}]"#
        );
    }

    #[test]
    fn an_acknowledgement_carries_its_id() {
        let (socket, mut outbox) = Socket::new(SocketId("a".into()), Default::default());
        Ack { id: 12, socket }.send(&json!({"ok": true}));
        let sent = outbox.take_now();
        assert!(matches!(&sent[..], [Outgoing::Packet(p)] if &**p == r#"312[{"ok":true}]"#));
    }
}
