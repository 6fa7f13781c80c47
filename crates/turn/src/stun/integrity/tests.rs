//! Test vectors of RFC 5769 and RFC 8489 appendix B.

use super::{
    super::{
        Class, Message, Method, ParseMessageError, TransactionId, Writer,
        attribute::{NONCE, PASSWORD_ALGORITHM, REALM, USERHASH, USERNAME, XOR_MAPPED_ADDRESS},
    },
    *,
};

const SHORT_TERM: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";

fn bytes(hex: &str) -> Vec<u8> {
    hex.split_whitespace().map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect()
}

/// RFC 5769 §2.1
fn request() -> Vec<u8> {
    bytes(
        "00 01 00 58 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
         80 22 00 10 53 54 55 4e 20 74 65 73 74 20 63 6c 69 65 6e 74
         00 24 00 04 6e 00 01 ff 80 29 00 08 93 2f f9 b1 51 26 3b 36
         00 06 00 09 65 76 74 6a 3a 68 36 76 59 20 20 20
         00 08 00 14 9a ea a7 0c bf d8 cb 56 78 1e f2 b5 b2 d3 f2 49 c1 b5 71 a2
         80 28 00 04 e5 7a 3b cf",
    )
}

/// RFC 5769 §2.2
fn ipv4_response() -> Vec<u8> {
    bytes(
        "01 01 00 3c 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
         80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
         00 20 00 08 00 01 a1 47 e1 12 a6 43
         00 08 00 14 2b 91 f5 99 fd 9e 90 c3 8c 74 89 f9 2a f9 ba 53 f0 6b e7 d7
         80 28 00 04 c0 7d 4c 96",
    )
}

/// RFC 5769 §2.3
fn ipv6_response() -> Vec<u8> {
    bytes(
        "01 01 00 48 21 12 a4 42 b7 e7 a7 01 bc 34 d6 86 fa 87 df ae
         80 22 00 0b 74 65 73 74 20 76 65 63 74 6f 72 20
         00 20 00 14 00 02 a1 47 01 13 a9 fa a5 d3 f1 79 bc 25 f4 b5 be d2 b9 d9
         00 08 00 14 a3 82 95 4e 4b e6 7b f1 17 84 c9 7c 82 92 c2 75 bf e3 ed 41
         80 28 00 04 c8 fb 0b 4c",
    )
}

/// RFC 5769 §2.4
fn long_term_request() -> Vec<u8> {
    bytes(
        "00 01 00 60 21 12 a4 42 78 ad 34 33 c6 ad 72 c0 29 da 41 2e
         00 06 00 12 e3 83 9e e3 83 88 e3 83 aa e3 83 83 e3 82 af e3 82 b9 00 00
         00 15 00 1c 66 2f 2f 34 39 39 6b 39 35 34 64 36 4f 4c 33 34 6f 4c 39 46 53 54 76 79
         36 34 73 41 00 14 00 0b 65 78 61 6d 70 6c 65 2e 6f 72 67 00
         00 08 00 14 f6 70 24 65 6d d6 4a 3e 02 b8 e0 71 2e 85 c9 a2 8c a8 96 66",
    )
}

/// RFC 8489 appendix B.1, with erratum 6268
fn sha256_request() -> Vec<u8> {
    bytes(
        "00 01 00 90 21 12 a4 42 78 ad 34 33 c6 ad 72 c0 29 da 41 2e
         00 1e 00 20 4a 3c f3 8f ef 69 92 bd a9 52 c6 78 04 17 da 0f
         24 81 94 15 56 9e 60 b2 05 c4 6e 41 40 7f 17 04
         00 15 00 29 6f 62 4d 61 74 4a 6f 73 32 41 41 41 43 66 2f 2f 34 39 39 6b
         39 35 34 64 36 4f 4c 33 34 6f 4c 39 46 53 54 76 79 36 34 73 41 00 00 00
         00 14 00 0b 65 78 61 6d 70 6c 65 2e 6f 72 67 00
         00 1d 00 04 00 02 00 00
         00 1c 00 20 b5 c7 bf 00 5b 6c 52 a2 1c 51 c5 e8 92 f8 19 24
         13 62 96 cb 92 7c 43 14 93 09 27 8c c6 51 8e 65",
    )
}

const MATRIX: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";

/// The computed HMAC of a vector with a short-term password, and the one in the vector.
fn integrity(vector: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let at = vector.windows(4).position(|four| four == [0, 8, 0, 20]).unwrap();
    let made = sign(SHORT_TERM, Integrity::Sha1, &vector[..at], 20);
    (made.as_ref().to_vec(), vector[at + 4..at + 24].to_vec())
}

#[test]
fn short_term_integrity_and_fingerprint_match_rfc_5769() {
    for vector in [request(), ipv4_response(), ipv6_response()] {
        let message = Message::parse(&vector).unwrap();
        assert!(message.fingerprinted());
        assert_eq!(message.integrity(), Some(Integrity::Sha1));
        assert_eq!(message.method(), Method::BINDING);
        let (made, stated) = integrity(&vector);
        assert_eq!(made, stated);
    }
}

#[test]
fn mapped_addresses_match_rfc_5769() {
    let v4 = ipv4_response();
    let message = Message::parse(&v4).unwrap();
    assert_eq!(message.class(), Class::Success);
    assert_eq!(message.xor_address(XOR_MAPPED_ADDRESS), "192.0.2.1:32853".parse().ok());
    let v6 = ipv6_response();
    let message = Message::parse(&v6).unwrap();
    let expected = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().ok();
    assert_eq!(message.xor_address(XOR_MAPPED_ADDRESS), expected);
}

#[test]
fn long_term_integrity_matches_rfc_5769() {
    let vector = long_term_request();
    let message = Message::parse(&vector).unwrap();
    let username = message.text(USERNAME).unwrap();
    assert_eq!(username, "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}");
    assert_eq!(message.text(NONCE), Some("f//499k954d6OL34oL9FSTvy64sA"));
    assert_eq!(message.text(REALM), Some("example.org"));
    assert!(message.verify(&Key::long_term(username, "example.org", "TheMatrIX")));
    assert!(!message.verify(&Key::long_term(username, "example.org", "TheMatrix")));
}

#[test]
fn sha256_integrity_and_userhash_match_rfc_8489() {
    let vector = sha256_request();
    let message = Message::parse(&vector).unwrap();
    assert_eq!(message.integrity(), Some(Integrity::Sha256));
    assert_eq!(message.attribute(USERHASH), Some(&userhash(MATRIX, "example.org")[..]));
    let key = |password| Key::derive(PasswordAlgorithm::Sha256, MATRIX, "example.org", password);
    assert!(message.verify(&key("TheMatrIX")));
    assert!(!message.verify(&key("TheMatrix")));
    assert!(!message.verify(&Key::long_term(MATRIX, "example.org", "TheMatrIX")));
    let mut made = Vec::new();
    Writer::new(&mut made, Class::Request, Method::BINDING, message.transaction())
        .attribute(USERHASH, &userhash(MATRIX, "example.org"))
        .attribute(NONCE, b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA")
        .attribute(REALM, b"example.org")
        .attribute(PASSWORD_ALGORITHM, &[0, 2, 0, 0])
        .protect(&key("TheMatrIX"), Integrity::Sha256);
    assert_eq!(made, vector);
}

#[test]
fn sha256_hash_may_be_truncated_to_multiples_of_4_from_16() {
    let key = Key::derive(PasswordAlgorithm::Sha256, "user", "realm", "password");
    for length in 0..=40u16 {
        let mut bytes = Vec::new();
        let mut writer =
            Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]));
        writer.attribute(USERNAME, b"user");
        // The length field reaches to the end of the padded attribute.
        let covered = bytes.clone();
        let tag = key.sign(Integrity::Sha256, &covered, length.next_multiple_of(4));
        let value: Vec<u8> = tag.as_ref().iter().copied().chain([0; 8]).collect();
        let mut writer =
            Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]));
        writer.attribute(USERNAME, b"user").attribute(0x001C, &value[..usize::from(length)]);
        let right = Message::parse(&bytes).unwrap().verify(&key);
        assert_eq!(right, [16, 20, 24, 28, 32].contains(&length), "{length}");
    }
}

#[test]
fn stronger_of_two_hashes_is_verified() {
    let key = Key::derive(PasswordAlgorithm::Sha256, "user", "realm", "password");
    let other = Key::derive(PasswordAlgorithm::Sha256, "user", "realm", "guess");
    let message = |first: &Key, second: &Key| {
        let mut bytes = Vec::new();
        Writer::new(&mut bytes, Class::Request, Method::BINDING, TransactionId([9; 12]))
            .attribute(USERNAME, b"user")
            .protect(first, Integrity::Sha1)
            .attribute(REALM, b"not protected by the first, so ignored")
            .protect(second, Integrity::Sha256)
            .fingerprint();
        bytes
    };
    let right = |bytes: &[u8]| Message::parse(bytes).unwrap().verify(&key);
    assert!(right(&message(&key, &key)));
    assert!(right(&message(&other, &key)));
    assert!(!right(&message(&key, &other)));
    let bytes = message(&key, &key);
    assert_eq!(Message::parse(&bytes).unwrap().attribute(REALM), None);
}

#[test]
fn any_bit_flip_breaks_fingerprint_or_framing() {
    let vector = request();
    for bit in 0..vector.len() * 8 {
        let mut changed = vector.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        if let Ok(message) = Message::parse(&changed) {
            // The type of FINGERPRINT itself changed, so there is none to check.
            assert!(!message.fingerprinted(), "bit {bit}");
        }
    }
}

#[test]
fn truncated_message_fails_to_parse() {
    let vector = request();
    for len in 0..vector.len() {
        let expected = if len < 20 { ParseMessageError::Header } else { ParseMessageError::Length };
        assert_eq!(Message::parse(&vector[..len]).unwrap_err(), expected);
    }
}
