//! Requests as JSON from unauthenticated clients: each parses or is an error, and none panics.
#![no_main]

use libfuzzer_sys::fuzz_target;
use room::{
    Request,
    protocol::{
        ChatRequest, CreateRoom, FileSignalRequest, FileWithdrawRequest, JoinRoom, LeaveRoom,
        ListRooms, MediaState, SignalRequest,
    },
};

fuzz_target!(|text: &str| {
    let _ = serde_json::from_str::<ListRooms>(text);
    let _ = serde_json::from_str::<CreateRoom>(text);
    let _ = serde_json::from_str::<JoinRoom>(text);
    let _ = serde_json::from_str::<LeaveRoom>(text);
    let _ = serde_json::from_str::<MediaState>(text);
    if let Ok(chat) = serde_json::from_str::<ChatRequest>(text) {
        assert!(chat.text.as_str().chars().count() <= room::chat::MAX_CHAT_CHARS);
        if let Some(file) = chat.file {
            assert!(!file.name.as_str().contains(['/', '\\', '\0', '\u{202e}']));
            assert!(u64::from(file.size) <= room::file::MAX_FILE_BYTES);
        }
    }
    if let Ok(signal) = serde_json::from_str::<FileSignalRequest>(text) {
        let _ = Request::try_from(signal);
    }
    let _ = serde_json::from_str::<FileWithdrawRequest>(text);
    if let Ok(signal) = serde_json::from_str::<SignalRequest>(text) {
        let _ = Request::try_from(signal);
    }
});
