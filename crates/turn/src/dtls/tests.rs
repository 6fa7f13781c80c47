#![allow(clippy::disallowed_methods, clippy::cast_possible_truncation)]

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn cookies() -> (CookieExchange, Instant) {
    let now = Instant::now();
    (CookieExchange::new([7; 32], now, 300, 1000), now)
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A ClientHello: version, random, no session, cookie, one cipher suite, null compression.
fn hello(message_seq: u8, cookie: &[u8]) -> Vec<u8> {
    let mut body = vec![0xFE, 0xFD];
    body.extend([9; RANDOM]);
    body.push(0);
    body.push(cookie.len() as u8);
    body.extend(cookie);
    body.extend([0, 2, 0xC0, 0x2B, 1, 0]);
    let mut datagram = vec![22, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, message_seq];
    datagram.extend((12 + body.len() as u16).to_be_bytes());
    datagram.extend([1, 0, 0, body.len() as u8, 0, message_seq, 0, 0, 0, 0, 0, body.len() as u8]);
    datagram.extend(body);
    datagram
}

fn challenged(
    cookies: &mut CookieExchange,
    now: Instant,
    unix: u64,
    client: SocketAddr,
) -> Vec<u8> {
    let HelloResponse::Challenge(request) = cookies.handle_hello(now, unix, client, &hello(0, &[]))
    else {
        panic!("not challenged")
    };
    request[REQUEST - COOKIE_LEN..].to_vec()
}

#[test]
fn challenge_is_shorter_than_the_hello() {
    let (mut cookies, now) = cookies();
    let hello = hello(0, &[]);
    let HelloResponse::Challenge(request) =
        cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &hello)
    else {
        panic!("not challenged")
    };
    assert!(request.len() < hello.len());
    assert_eq!(request[..3], [22, 0xFE, 0xFF]);
    assert_eq!(request[5..11], hello[5..11], "the record number of the hello");
    assert_eq!(request[13], 3);
    assert_eq!(request[25..28], [0xFE, 0xFF, 32]);
}

#[test]
fn cookie_is_valid_only_for_its_address_and_period() {
    let (mut cookies, now) = cookies();
    let client = at("192.0.2.1:5");
    let cookie = challenged(&mut cookies, now, 1000, client);
    let answer = hello(1, &cookie);
    let verified = HelloResponse::Verified(cookie.clone().try_into().unwrap());
    assert_eq!(cookies.handle_hello(now, 1000, client, &answer), verified);
    assert_eq!(cookies.handle_hello(now, 1030, client, &answer), verified);
    assert_eq!(
        cookies.handle_hello(now, 1060, client, &answer),
        HelloResponse::Ignored,
        "too late"
    );
    for elsewhere in ["192.0.2.1:6", "192.0.2.2:5", "[2001:db8::1]:5"] {
        assert_eq!(cookies.handle_hello(now, 1000, at(elsewhere), &answer), HelloResponse::Ignored);
    }
    let mut other = answer.clone();
    other[13 + 12 + 2] ^= 1;
    assert_eq!(
        cookies.handle_hello(now, 1000, client, &other),
        HelloResponse::Ignored,
        "another random"
    );
    assert_eq!(cookies.handle_hello(now, 1000, client, &hello(0, &cookie)), HelloResponse::Ignored);
    assert_eq!(
        cookies.handle_hello(now, 1000, client, &hello(1, &cookie[..31])),
        HelloResponse::Ignored
    );
    assert_eq!(cookies.handle_hello(now, 1000, client, &hello(1, &[])), HelloResponse::Ignored);
}

#[test]
fn dtls_1_0_hello_gets_a_protocol_version_alert() {
    let (mut cookies, now) = cookies();
    let mut old = hello(0, &[]);
    old[13 + 12..13 + 12 + 2].copy_from_slice(&[0xFE, 0xFF]);
    let HelloResponse::Alert(alert) = cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &old)
    else {
        panic!("no alert")
    };
    assert_eq!(alert, [21, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 70]);
}

#[test]
fn cookie_of_another_key_is_ignored() {
    let (mut ours, now) = cookies();
    let cookie = challenged(&mut ours, now, 1000, at("192.0.2.1:5"));
    let mut theirs = CookieExchange::new([8; 32], now, 300, 1000);
    let answer = hello(1, &cookie);
    assert_eq!(theirs.handle_hello(now, 1000, at("192.0.2.1:5"), &answer), HelloResponse::Ignored);
}

/// Other servers reserved memory for the first fragment of a message that claimed 650 kB, before
/// they had verified its sender.
#[test]
fn fragmented_hello_is_ignored() {
    let (mut cookies, now) = cookies();
    let mut piece = hello(0, &[]);
    piece[14..17].copy_from_slice(&[9, 0xEB, 0x10]);
    for len in 0..piece.len() {
        assert_eq!(
            cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &piece[..len]),
            HelloResponse::Ignored
        );
    }
    let whole = hello(0, &[]);
    for len in 0..whole.len() {
        assert_eq!(
            cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &whole[..len]),
            HelloResponse::Ignored
        );
    }
    let mut second = whole.clone();
    second[19 + 2] = 1; // fragment offset 1
    assert_eq!(cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &second), HelloResponse::Ignored);
    let two = [whole.clone(), whole].concat();
    assert_eq!(cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &two), HelloResponse::Ignored);
}

#[test]
fn hello_flood_is_rate_limited_per_network() {
    let (mut cookies, now) = cookies();
    let mut answered = 0;
    for port in 0..10_000u16 {
        let client = SocketAddr::new(at("192.0.2.1:0").ip(), port);
        if cookies.handle_hello(now, 1000, client, &hello(0, &[])) != HelloResponse::Ignored {
            answered += 1;
        }
    }
    assert_eq!(answered, 1000);
    let cookie = {
        let other = at("198.51.100.1:5");
        challenged(&mut cookies, now, 1000, other)
    };
    let answer = hello(1, &cookie);
    let begun = (0..10_000).filter(|_| {
        cookies.handle_hello(now, 1000, at("198.51.100.1:5"), &answer) != HelloResponse::Ignored
    });
    assert_eq!(begun.count(), HANDSHAKES_BURST as usize);
    let later = now + Duration::from_secs(10);
    assert_ne!(
        cookies.handle_hello(later, 1000, at("192.0.2.1:5"), &hello(0, &[])),
        HelloResponse::Ignored
    );
}

#[test]
fn strip_cookie_restores_the_first_hello() {
    assert_eq!(strip_cookie(&hello(1, &[5; 32])).unwrap()[11..], hello(0, &[])[11..]);
}

proptest! {
    #[test]
    fn noise_never_verifies(mut noise: Vec<u8>, flips in 0..3usize, place: prop::sample::Index) {
        let (mut cookies, now) = cookies();
        let is_verified = |greeting| matches!(greeting, HelloResponse::Verified(_));
        prop_assert!(!is_verified(cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &noise)));
        noise = hello(1, &[1; 32]);
        for flip in 0..flips {
            let at = place.index(noise.len());
            noise[at] ^= 1 << flip;
        }
        prop_assert!(!is_verified(cookies.handle_hello(now, 1000, at("192.0.2.1:5"), &noise)));
        let _ = strip_cookie(&noise);
    }
}
