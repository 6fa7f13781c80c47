//! Packets and polling bodies from unauthenticated clients: decoded or rejected, without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use socketio::{engine, packet::Packet};

fuzz_target!(|text: &str| {
    let _ = Packet::decode(text, 10);
    let _ = engine::packet::Packet::decode_text(text);
    if let Ok(decoded) = engine::packet::Packet::decode_polling(text) {
        let mut encoded = String::new();
        decoded.encode_polling(&mut encoded);
        let again = engine::packet::Packet::decode_polling(&encoded);
        assert_eq!(again.as_ref(), Ok(&decoded), "an encoded packet reads back as itself");
    }
});
