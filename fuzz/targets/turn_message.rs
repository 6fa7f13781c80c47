//! STUN messages, ChannelData and stream framing as strangers write them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use turn::{
    channel, stream,
    stun::{Key, Message, attribute::XOR_PEER_ADDRESS},
};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(Some(length)) = stream::frame_length(bytes) {
        assert!(length >= 4, "a frame has a header at least");
    }
    if let Some((_, payload)) = channel::read(bytes) {
        assert!(payload.len() + 4 <= bytes.len(), "a payload lies within its packet");
    }
    if let Ok(message) = Message::parse(bytes) {
        for (kind, value) in message.attributes() {
            assert!(value.len() + 24 <= bytes.len(), "a value lies within its message");
            let _ = message.text(kind);
        }
        let _ = message.xor_address(XOR_PEER_ADDRESS);
        let _ = message.verify(&Key::long_term("user", "moim", "password"));
    }
});
