//! STUN messages, ChannelData and stream framing of arbitrary bytes.
#![no_main]

use libfuzzer_sys::fuzz_target;
use turn::{
    channel, requested_shard, stream,
    stun::{
        Class, Integrity, Key, Message, Method, PasswordAlgorithm, TransactionId, Writer,
        attribute::{DATA, XOR_PEER_ADDRESS},
    },
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
        for algorithm in [PasswordAlgorithm::Md5, PasswordAlgorithm::Sha256] {
            let key = Key::derive(algorithm, "user", "moim", "password");
            assert!(!message.verify(&key), "a random signature");
        }
    }
    let _ = requested_shard(bytes);
    written(bytes);
});

/// A message that we write around any bytes is read back whole, with a valid signature.
fn written(bytes: &[u8]) {
    let bytes = &bytes[..bytes.len().min(60_000)];
    for (algorithm, integrity) in
        [(PasswordAlgorithm::Md5, Integrity::Sha1), (PasswordAlgorithm::Sha256, Integrity::Sha256)]
    {
        let key = Key::derive(algorithm, "user", "moim", "password");
        let mut out = Vec::new();
        Writer::new(&mut out, Class::Indication, Method::DATA, TransactionId([5; 12]))
            .attribute(DATA, bytes)
            .protect(&key, integrity)
            .fingerprint();
        let message = Message::parse(&out).expect("it is framed right");
        assert!(message.verify(&key) && message.fingerprinted());
        assert_eq!(message.attribute(DATA), Some(bytes));
    }
}
