//! HTTP/2 floods and dripping heads: each is cut off, and other clients are served.

use std::{
    io::{self, Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use rustls::{ClientConnection, StreamOwned};

use crate::{
    peer::{Tls, get, tcp},
    support::{DEADLINE, Server},
};

const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

type Stream = StreamOwned<ClientConnection, TcpStream>;

/// `GET / https` for `host` in HPACK (RFC 7541): three indexed fields and a literal.
fn request(host: &str) -> Vec<u8> {
    let length = u8::try_from(host.len()).unwrap();
    [&[0x82, 0x84, 0x87, 0x01, length], host.as_bytes()].concat()
}

/// A frame (RFC 9113 §4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn connect(server: &Server) -> Stream {
    let mut stream =
        Tls::trusting(server).alpn(b"h2").connect(server.address(), "localhost").unwrap();
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    stream
}

/// The next frame: kind and payload.
fn next(stream: &mut Stream) -> io::Result<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head)?;
    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
    stream.read_exact(&mut payload)?;
    Ok((head[3], payload))
}

/// Writes frames until the server closes the connection, which must be before `most` of them.
fn flood(server: &Server, most: u32, mut nth: impl FnMut(u32) -> Vec<u8>) {
    let mut stream = connect(server);
    let started = Instant::now();
    let refused = (0..most).find(|n| stream.write_all(&nth(*n)).is_err());
    // The reset of the connection may discard the server's last frames.
    let ended = refused.is_some()
        || loop {
            match next(&mut stream) {
                Ok((GOAWAY, payload)) => break payload[4..8] != [0; 4],
                Ok(_) => {}
                Err(error) => break error.kind() != io::ErrorKind::WouldBlock,
            }
        };
    assert!(ended && started.elapsed() < DEADLINE, "{refused:?} after {:?}", started.elapsed());
    assert_eq!(get(server, "/healthz").status, 200);
}

#[test]
fn unknown_authority_is_misdirected_over_http2() {
    let server = Server::start(&[]);
    for (host, status) in [("localhost", "200"), ("evil.example", "421")] {
        let mut stream = connect(&server);
        let block = request(host);
        stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).unwrap();
        let (_, block) = std::iter::from_fn(|| next(&mut stream).ok())
            .find(|(kind, _)| *kind == HEADERS)
            .unwrap();
        // The status is the first field: 200 is field 8 of the static table, others are a literal
        // of three digits, in Huffman code where that is shorter.
        let expected: &[&[u8]] = match status {
            "200" => &[b"\x88"],
            // "421": 4 is 011010, 2 is 00010, 1 is 00001.
            _ => &[b"\x48\x82\x68\x41", b"\x48\x03421", b"\x08\x82\x68\x41", b"\x08\x03421"],
        };
        assert!(expected.iter().any(|start| block.starts_with(start)), "{host}: {block:x?}");
    }
}

#[test]
fn http2_rapid_reset_is_cut_off() {
    let server = Server::start(&[]);
    let block = request("localhost");
    flood(&server, 50_000, |n| {
        let id = 2 * n + 1;
        let open = frame(HEADERS, END_STREAM | END_HEADERS, id, &block);
        [open, frame(RST_STREAM, 0, id, &8u32.to_be_bytes())].concat()
    });
}

#[test]
fn endless_head_is_cut_off() {
    let server = Server::start(&[]);
    let block = request("localhost");
    let memory = server.memory();
    flood(&server, 50_000, |n| match n {
        0 => frame(HEADERS, END_STREAM, 1, &block),
        _ => frame(CONTINUATION, 0, 1, b"\x00\x01x\x01y"),
    });
    assert!(server.memory() < memory + 16 * 1024, "{memory} KiB, then {}", server.memory());
}

#[test]
fn http2_head_is_limited_by_its_decompressed_size() {
    let server = Server::start(&[]);
    let memory = server.memory();
    // A field of 3,000 bytes enters the table, then each repetition takes one byte.
    let answer = |repeats: usize| {
        let mut stream = connect(&server);
        let mut block = request("localhost");
        block.extend([0x40, 0x01, b'x', 0x7f, 0xb9, 0x16]);
        block.extend([b'y'; 3000]);
        block.resize(block.len() + repeats, 0xbe);
        stream.write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &block)).unwrap();
        let is_answer = |kind| matches!(kind, HEADERS | RST_STREAM | GOAWAY);
        std::iter::from_fn(|| next(&mut stream).ok()).find(|(kind, _)| is_answer(*kind))
    };
    let is_served = |answer: Option<(u8, Vec<u8>)>| {
        answer.is_some_and(|(kind, payload)| kind == HEADERS && payload.starts_with(b"\x88"))
    };
    assert!(is_served(answer(2)), "a head within the limit is served");
    assert!(!is_served(answer(12_000)), "36 MB are not");
    assert!(server.memory() < memory + 16 * 1024, "{memory} KiB, then {}", server.memory());
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn http2_pings_and_settings_are_acknowledged_and_hold_no_memory() {
    let server = Server::start(&[]);
    let memory = server.memory();
    for (kind, payload) in [(PING, &[7; 8][..]), (SETTINGS, &[])] {
        let mut stream = connect(&server);
        for _ in 0..100 {
            stream.write_all(&frame(kind, 0, 0, payload).repeat(200)).unwrap();
            let mut acknowledged = 0;
            while acknowledged < 200 {
                let mut head = [0; 9];
                stream.read_exact(&mut head).unwrap();
                let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
                stream.read_exact(&mut vec![0; length as usize]).unwrap();
                acknowledged += u32::from(head[3] == kind && head[4] & ACK != 0);
            }
        }
    }
    assert!(server.memory() < memory + 16 * 1024, "{memory} KiB, then {}", server.memory());
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn unread_http2_ping_answers_hold_bounded_memory() {
    let server = Server::start(&[]);
    let memory = server.memory();
    let mut stream = connect(&server);
    stream.sock.set_write_timeout(Some(Duration::from_secs(2))).unwrap();
    let batch = frame(PING, 0, 0, &[7; 8]).repeat(1000);
    // 170 MB, unless the server stops reading or closes the connection first.
    let stopped = (0..10_000).any(|_| stream.write_all(&batch).is_err());
    assert!(stopped, "the server still reads from a client that reads nothing");
    assert!(server.memory() < memory + 16 * 1024, "{memory} KiB, then {}", server.memory());
    assert_eq!(get(&server, "/healthz").status, 200);
}

#[test]
fn slowly_dripping_head_is_cut_off() {
    let server = Server::start(&["--idle-timeout", "1"]);
    let mut stream = tcp(server.address());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ").unwrap();
    let started = Instant::now();
    while stream.write_all(b"y").is_ok() {
        assert!(started.elapsed() < DEADLINE, "the server still accepts bytes");
        thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(get(&server, "/healthz").status, 200);
}

/// A client that opens no window for the body of a response makes the server wait.
#[test]
fn unread_http2_responses_are_limited_in_number_and_hold_bounded_memory() {
    const CONNECTIONS: usize = 8;
    const REQUESTS: u32 = 100;
    let server = Server::start(&[]);
    let block = request("localhost");
    let memory = server.memory();
    let mut refused = 0;
    let unread: Vec<Stream> = (0..CONNECTIONS)
        .map(|_| {
            let mut stream = connect(&server);
            // SETTINGS_INITIAL_WINDOW_SIZE (RFC 9113 §6.5.2).
            stream.write_all(&frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0])).unwrap();
            while next(&mut stream).unwrap().0 != SETTINGS {}
            stream.write_all(&frame(SETTINGS, ACK, 0, &[])).unwrap();
            let requests =
                (0..REQUESTS).map(|n| frame(HEADERS, END_STREAM | END_HEADERS, 2 * n + 1, &block));
            stream.write_all(&requests.collect::<Vec<_>>().concat()).unwrap();
            let mut answers = 0;
            while answers < REQUESTS {
                match next(&mut stream).unwrap().0 {
                    HEADERS => answers += 1,
                    RST_STREAM => (answers, refused) = (answers + 1, refused + 1),
                    GOAWAY => panic!("the client has broken no rule"),
                    _ => {}
                }
            }
            stream
        })
        .collect();
    let served = CONNECTIONS * REQUESTS as usize - refused;
    assert!((CONNECTIONS..=CONNECTIONS * 64).contains(&served), "{served} are served at once");
    assert!(server.memory() < memory + 16 * 1024, "{memory} KiB, then {}", server.memory());
    assert_eq!(get(&server, "/healthz").status, 200);
    drop(unread);
}
