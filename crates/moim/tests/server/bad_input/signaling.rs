//! Malformed WebSocket frames, Engine.IO and Socket.IO packets, and events.

use super::{Answered, Input, Row, noise, row};

pub(super) fn rows() -> Vec<Row> {
    let frames = |name, bytes: &[u8], codes| {
        row(name, Input::Frames(bytes.to_vec()), Answered::Close(codes))
    };
    let message = |name, text: &str, answered| row(name, Input::Message(text.to_owned()), answered);
    let refused = "431[{\"error\":{\"code\":\"invalid\"";
    let deep = format!("421[\"room:join\",{}1{}]", "[".repeat(5000), "]".repeat(5000));
    let long = "x".repeat(5000);
    vec![
        frames("an unmasked frame", &[0x81, 2, b'4', b'0'], &[1002]),
        frames("a reserved bit", &[0xc1, 0x80, 0, 0, 0, 0], &[1002]),
        frames("an unknown opcode", &[0x83, 0x80, 0, 0, 0, 0], &[1002]),
        frames(
            "a frame of 2^63 bytes",
            &[0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[1002, 1009],
        ),
        frames("a frame of 4 GiB", &[0x81, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], &[1009]),
        frames("a ping of 126 bytes", &[0x89, 0xfe, 0, 126, 0, 0, 0, 0], &[1002]),
        frames("text that is none", &[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe], &[1007]),
        frames("a continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0], &[1002]),
        frames("noise for frames", &noise(5, 500), &[1002, 1009]),
        message("an unknown engine packet", "z", Answered::Close(&[1000, 1002, 1008])),
        message("an unknown packet", "49", Answered::Close(&[1000, 1002, 1008])),
        message("an event without an array", "42{}", Answered::Close(&[1000, 1002, 1008])),
        message("an event without a name", "42[]", Answered::Close(&[1000, 1002, 1008])),
        message("an event named by a number", "42[1]", Answered::Close(&[1000, 1002, 1008])),
        message(
            "an event of half a JSON",
            "42[\"room:join\",{",
            Answered::Close(&[1000, 1002, 1008]),
        ),
        message("a million attachments", "451000000-[\"x\"]", Answered::Close(&[1000, 1002, 1008])),
        message(
            "a billion attachments",
            "511000000000-[\"x\"]",
            Answered::Close(&[1000, 1002, 1008]),
        ),
        message("no attachments", "450-[\"x\"]", Answered::Close(&[1000, 1002, 1008])),
        message("JSON 5,000 deep", &deep, Answered::Message(refused)),
        message("another namespace", "40/admin,", Answered::Message("44/admin,")),
        message(
            "an event nobody knows",
            "421[\"room:burn\",{}]",
            Answered::Message("431[{\"error\":{\"code\":\"unknown_event\""),
        ),
        message("a number for a request", "421[\"room:join\",5]", Answered::Message(refused)),
        message("no request", "421[\"room:join\"]", Answered::Message(refused)),
        message("two requests", "421[\"room:join\",{},{}]", Answered::Message(refused)),
        message(
            "a field twice",
            "421[\"room:join\",{\"room\":\"x\",\"room\":\"y\",\"name\":\"z\"}]",
            Answered::Message(refused),
        ),
        message(
            "a number beyond numbers",
            "421[\"room:create\",{\"name\":\"r\",\"capacity\":1e999}]",
            Answered::Message(refused),
        ),
        message(
            "half a surrogate pair",
            "421[\"room:join\",{\"room\":\"\\ud800\",\"name\":\"A\"}]",
            Answered::Message(refused),
        ),
        message(
            "a number for a name",
            "421[\"room:join\",{\"room\":5,\"name\":\"A\"}]",
            Answered::Message(refused),
        ),
        message(
            "an empty name",
            "421[\"room:join\",{\"room\":\"r\",\"name\":\" \"}]",
            Answered::Message(refused),
        ),
        message(
            "a name of 5,000",
            &format!("421[\"room:join\",{{\"room\":\"r\",\"name\":\"{long}\"}}]"),
            Answered::Message(refused),
        ),
        message(
            "a name that turns text around",
            "421[\"room:join\",{\"room\":\"r\",\"name\":\"\\u202egnp\"}]",
            Answered::Message(refused),
        ),
        message(
            "a signal without a room",
            "421[\"signal\",{\"to\":\"x\",\"candidate\":null}]",
            Answered::Message("431[{\"error\""),
        ),
        message(
            "a capacity below nothing",
            "421[\"room:create\",{\"name\":\"r\",\"capacity\":-1}]",
            Answered::Message(refused),
        ),
    ]
}
