//! The codec, checked against another one and against random bytes.

use std::net::SocketAddr;

use proptest::prelude::*;
use stun_types::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, MessageIntegrityCredentials,
};
use turn::{
    stream::{MAX_FRAME, frame_length},
    stun::{Class, Key, Message, Method, TransactionId, Writer, attribute},
};

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<std::net::IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

/// Almost a message: a valid header, then anything.
fn almost() -> impl Strategy<Value = Vec<u8>> {
    (
        0..0x4000u16,
        proptest::collection::vec(
            (0..0x40u16, proptest::collection::vec(any::<u8>(), 0..30)),
            0..6,
        ),
        0..8usize,
    )
        .prop_map(|(kind, attributes, cut)| {
            let mut body = Vec::new();
            for (kind, value) in attributes {
                body.extend_from_slice(&kind.to_be_bytes());
                body.extend_from_slice(&u16::try_from(value.len()).unwrap().to_be_bytes());
                body.extend_from_slice(&value);
                body.resize(body.len().next_multiple_of(4), 0);
            }
            body.truncate(body.len().saturating_sub(cut) / 4 * 4);
            let mut message = kind.to_be_bytes().to_vec();
            message.extend_from_slice(&u16::try_from(body.len()).unwrap().to_be_bytes());
            message.extend_from_slice(&[
                0x21, 0x12, 0xA4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
            ]);
            message.extend_from_slice(&body);
            message
        })
}

proptest! {
    #[test]
    fn random_bytes_never_panic_the_parsers(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Message::parse(&bytes);
        let _ = turn::channel::read(&bytes);
        if let Ok(Some(length)) = frame_length(&bytes) {
            prop_assert!((4..=MAX_FRAME).contains(&length));
        }
    }

    #[test]
    fn parsed_message_can_be_read_in_full(bytes in almost()) {
        if let Ok(message) = Message::parse(&bytes) {
            let total: usize = message
                .attributes()
                .map(|(_, value)| 4 + value.len().next_multiple_of(4))
                .sum();
            prop_assert!(20 + total <= bytes.len());
            let _ = message.verify(&Key::long_term("a", "b", "c"));
            for (kind, _) in message.attributes() {
                let _ = (message.text(kind), message.xor_address(kind));
            }
            // The other codec accepts more, never less, except integrity of a wrong length.
            let theirs = stun_types::message::Message::from_bytes(&bytes);
            prop_assert!(theirs.is_ok(), "{:?}", theirs);
        }
    }

    #[test]
    fn other_codec_reads_written_messages(
        address in address(),
        transaction: [u8; 12],
        data in proptest::collection::vec(any::<u8>(), 0..100),
        user in "[a-z0-9:]{1,40}",
    ) {
        let key = Key::long_term(&user, "moim", "password");
        let mut bytes = vec![9; 3];
        Writer::new(&mut bytes, Class::Success, Method::ALLOCATE, TransactionId(transaction))
            .attribute(attribute::DATA, &data)
            .xor_address(attribute::XOR_PEER_ADDRESS, address)
            .error(486, "Allocation Quota Reached")
            .integrity(&key)
            .fingerprint();
        let theirs = stun_types::message::Message::from_bytes(&bytes).unwrap();
        let id = theirs.transaction_id();
        let peer = theirs.attribute::<turn_types::attribute::XorPeerAddress>().unwrap().addr(id);
        prop_assert_eq!(peer, address);
        let read = theirs.attribute::<turn_types::attribute::Data<'_>>().unwrap();
        prop_assert_eq!(read.data(), &data[..]);
        let error = theirs.attribute::<stun_types::attribute::ErrorCode>().unwrap();
        prop_assert_eq!((error.code(), error.reason()), (486, "Allocation Quota Reached"));
        let credentials: MessageIntegrityCredentials =
            LongTermKeyCredentials::new(user, "password".into(), "moim".into()).into();
        let algorithm = theirs.validate_integrity(&credentials).unwrap();
        prop_assert_eq!(algorithm, IntegrityAlgorithm::Sha1);
        // Our own parser reads it too.
        let ours = Message::parse(&bytes).unwrap();
        prop_assert!(ours.verify(&key) && ours.fingerprinted());
        prop_assert_eq!(ours.attribute(attribute::DATA), Some(&data[..]));
        prop_assert_eq!(ours.xor_address(attribute::XOR_PEER_ADDRESS), Some(address));
    }

    /// A stream splits into the same messages however it is segmented.
    #[test]
    fn stream_splits_into_its_messages(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..50), 1..8),
        step in 1..60usize,
    ) {
        let mut stream = Vec::new();
        let mut lengths = Vec::new();
        for (n, payload) in payloads.iter().enumerate() {
            let before = stream.len();
            if n % 2 == 0 {
                stream.extend_from_slice(&[0x40, 0]);
                stream.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
                stream.extend_from_slice(payload);
                stream.resize(stream.len().next_multiple_of(4), 0);
            } else {
                let mut message = Vec::new();
                let id = TransactionId([n.to_le_bytes()[0]; 12]);
                Writer::new(&mut message, Class::Indication, Method::SEND, id)
                    .attribute(attribute::DATA, payload);
                stream.extend_from_slice(&message);
            }
            lengths.push(stream.len() - before);
        }
        let (mut buffer, mut found) = (Vec::new(), Vec::new());
        for chunk in stream.chunks(step) {
            buffer.extend_from_slice(chunk);
            while let Some(length) = frame_length(&buffer).unwrap().filter(|l| *l <= buffer.len()) {
                buffer.drain(..length);
                found.push(length);
            }
        }
        prop_assert_eq!(found, lengths);
        prop_assert!(buffer.is_empty());
    }
}
