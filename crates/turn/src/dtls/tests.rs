#![allow(clippy::disallowed_methods, clippy::cast_possible_truncation)]

use super::*;
use proptest::prelude::*;
use std::time::Duration;

fn door() -> (Door, Instant) {
    let now = Instant::now();
    (Door::new([7; 32], now, 300, 1000), now)
}

fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// A hello as a client writes it: version, random, no session, cookie, one cipher suite, null
/// compression.
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

fn challenged(door: &mut Door, now: Instant, unix: u64, client: SocketAddr) -> Vec<u8> {
    let Greeting::Challenge(request) = door.greet(now, unix, client, &hello(0, &[])) else {
        panic!("not challenged")
    };
    request[REQUEST - COOKIE..].to_vec()
}

#[test]
fn a_first_hello_is_challenged_with_less_than_it_sent() {
    let (mut door, now) = door();
    let hello = hello(0, &[]);
    let Greeting::Challenge(request) = door.greet(now, 1000, at("192.0.2.1:5"), &hello) else {
        panic!("not challenged")
    };
    assert!(request.len() < hello.len());
    assert_eq!(request[..3], [22, 0xFE, 0xFF]);
    assert_eq!(request[5..11], hello[5..11], "the record number of the hello");
    assert_eq!(request[13], 3);
    assert_eq!(request[25..28], [0xFE, 0xFF, 32]);
}

#[test]
fn only_who_sends_the_cookie_back_from_its_address_in_time_is_proven() {
    let (mut door, now) = door();
    let client = at("192.0.2.1:5");
    let cookie = challenged(&mut door, now, 1000, client);
    let answer = hello(1, &cookie);
    let proven = Greeting::Proven(cookie.clone().try_into().unwrap());
    assert_eq!(door.greet(now, 1000, client, &answer), proven);
    assert_eq!(door.greet(now, 1030, client, &answer), proven);
    assert_eq!(door.greet(now, 1060, client, &answer), Greeting::Ignored, "too late");
    for elsewhere in ["192.0.2.1:6", "192.0.2.2:5", "[2001:db8::1]:5"] {
        assert_eq!(door.greet(now, 1000, at(elsewhere), &answer), Greeting::Ignored);
    }
    let mut other = answer.clone();
    other[13 + 12 + 2] ^= 1;
    assert_eq!(door.greet(now, 1000, client, &other), Greeting::Ignored, "another random");
    assert_eq!(door.greet(now, 1000, client, &hello(0, &cookie)), Greeting::Ignored);
    assert_eq!(door.greet(now, 1000, client, &hello(1, &cookie[..31])), Greeting::Ignored);
    assert_eq!(door.greet(now, 1000, client, &hello(1, &[])), Greeting::Ignored);
}

#[test]
fn a_version_of_old_is_told_so_and_nothing_is_begun() {
    let (mut door, now) = door();
    let mut old = hello(0, &[]);
    old[13 + 12..13 + 12 + 2].copy_from_slice(&[0xFE, 0xFF]);
    let Greeting::TooOld(alert) = door.greet(now, 1000, at("192.0.2.1:5"), &old) else {
        panic!("not told")
    };
    assert_eq!(alert, [21, 0xFE, 0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 70]);
}

#[test]
fn another_process_does_not_know_our_cookies() {
    let (mut ours, now) = door();
    let cookie = challenged(&mut ours, now, 1000, at("192.0.2.1:5"));
    let mut theirs = Door::new([8; 32], now, 300, 1000);
    let answer = hello(1, &cookie);
    assert_eq!(theirs.greet(now, 1000, at("192.0.2.1:5"), &answer), Greeting::Ignored);
}

/// The first bytes of a handshake message said to be 650 kB long held memory elsewhere, before its
/// sender had proven anything.
#[test]
fn a_piece_of_a_hello_is_nothing_to_us() {
    let (mut door, now) = door();
    let mut piece = hello(0, &[]);
    piece[14..17].copy_from_slice(&[9, 0xEB, 0x10]);
    for len in 0..piece.len() {
        assert_eq!(door.greet(now, 1000, at("192.0.2.1:5"), &piece[..len]), Greeting::Ignored);
    }
    let whole = hello(0, &[]);
    for len in 0..whole.len() {
        assert_eq!(door.greet(now, 1000, at("192.0.2.1:5"), &whole[..len]), Greeting::Ignored);
    }
    let mut second = whole.clone();
    second[19 + 2] = 1; // begins at its second byte
    assert_eq!(door.greet(now, 1000, at("192.0.2.1:5"), &second), Greeting::Ignored);
    let two = [whole.clone(), whole].concat();
    assert_eq!(door.greet(now, 1000, at("192.0.2.1:5"), &two), Greeting::Ignored);
}

#[test]
fn a_flood_is_answered_no_more_than_its_network_may_have() {
    let (mut door, now) = door();
    let mut answered = 0;
    for port in 0..10_000u16 {
        let client = SocketAddr::new(at("192.0.2.1:0").ip(), port);
        if door.greet(now, 1000, client, &hello(0, &[])) != Greeting::Ignored {
            answered += 1;
        }
    }
    assert_eq!(answered, 1000);
    let cookie = {
        let other = at("198.51.100.1:5");
        challenged(&mut door, now, 1000, other)
    };
    let answer = hello(1, &cookie);
    let begun = (0..10_000)
        .filter(|_| door.greet(now, 1000, at("198.51.100.1:5"), &answer) != Greeting::Ignored);
    assert_eq!(begun.count(), HANDSHAKES_BURST as usize);
    let later = now + Duration::from_secs(10);
    assert_ne!(door.greet(later, 1000, at("192.0.2.1:5"), &hello(0, &[])), Greeting::Ignored);
}

#[test]
fn a_hello_without_its_cookie_is_the_first_one() {
    assert_eq!(without_cookie(&hello(1, &[5; 32])).unwrap()[11..], hello(0, &[])[11..]);
}

proptest! {
    #[test]
    fn noise_is_never_proven(mut noise: Vec<u8>, flips in 0..3usize, place: prop::sample::Index) {
        let (mut door, now) = door();
        let is_proven = |greeting| matches!(greeting, Greeting::Proven(_));
        prop_assert!(!is_proven(door.greet(now, 1000, at("192.0.2.1:5"), &noise)));
        noise = hello(1, &[1; 32]);
        for flip in 0..flips {
            let at = place.index(noise.len());
            noise[at] ^= 1 << flip;
        }
        prop_assert!(!is_proven(door.greet(now, 1000, at("192.0.2.1:5"), &noise)));
        let _ = without_cookie(&noise);
    }
}
