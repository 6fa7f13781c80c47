//! docs/protocol.md covers all events and error codes, and its limits match the code.

use room::{
    MAX_CANDIDATE_BYTES, MAX_MID_BYTES, MAX_POLL_OPTIONS, MAX_POLL_VOTERS, MAX_POLLS,
    MAX_SDP_BYTES, MAX_SFU_SDP_BYTES, MAX_WANTED_TRACKS,
    chat::MAX_CHAT_CHARS,
    file::{MAX_FILE_BYTES, MAX_FILE_NAME_CHARS},
    name::MAX_NAME_CHARS,
    password::MAX_PASSWORD_BYTES,
    poll::MAX_POLL_CHARS,
};

const DOCUMENT: &str = include_str!("../../../docs/protocol.md");
const TYPES: &str = include_str!("../../../web/packages/client/src/protocol.ts");

/// Quoted strings of a text.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

fn after<'a>(text: &'a str, start: &str) -> &'a str {
    text.split_once(start).expect("part of the types").1
}

#[test]
fn every_event_and_error_code_is_documented() {
    let requests = after(TYPES, "export interface Requests");
    let (events, rest) = requests.split_once("export type").expect("types follow");
    let (codes, _) = after(rest, "ErrorCode =").split_once(';').expect("the union ends");
    let names: Vec<&str> = quoted(events).chain(quoted(codes)).collect();
    assert!(names.contains(&"room:join") && names.contains(&"server_full"), "{names:?}");
    for name in names {
        assert!(DOCUMENT.contains(&format!("`{name}`")), "docs/protocol.md lacks `{name}`");
    }
}

#[test]
fn documented_limits_match_the_code() {
    for line in [
        format!("| names of rooms and people | 1 to {MAX_NAME_CHARS} characters"),
        format!("| a chat message | 1 to {MAX_CHAT_CHARS} characters"),
        format!(
            "| a file's name, size | 1 to {MAX_FILE_NAME_CHARS} characters, {} GB |",
            MAX_FILE_BYTES / 1_000_000_000
        ),
        format!("| a poll's question, an option | 1 to {MAX_POLL_CHARS} characters"),
        format!("voters of a poll | {MAX_POLLS}, 2 to {MAX_POLL_OPTIONS}, {MAX_POLL_VOTERS} |"),
        format!("| password | {MAX_PASSWORD_BYTES} bytes"),
        format!("| SDP of a description | {} KiB", MAX_SDP_BYTES / 1024),
        format!("| SDP of a description for `\"sfu\"` | {} KiB", MAX_SFU_SDP_BYTES / 1024),
        format!("a `mid` of 1 to {MAX_MID_BYTES} bytes"),
        format!("| `subscribe` | {MAX_WANTED_TRACKS} tracks"),
        format!("| candidate, all its strings together | {} KiB", MAX_CANDIDATE_BYTES / 1024),
    ] {
        assert!(DOCUMENT.contains(&line), "docs/protocol.md lacks {line}");
    }
}
