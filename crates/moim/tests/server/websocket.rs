//! Floods of valid WebSocket frames: they take no memory, and other clients are served.

use std::{io::Write, net::TcpStream, time::Duration};

use crate::{
    peer::{ask, frame, get, socket, tcp, text_frame},
    support::{DEADLINE, Server, within},
};

/// A masked frame (RFC 6455 §5.2) of at most 125 bytes, with a mask of zeros.
fn small_frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let length = 0x80 | u8::try_from(payload.len()).unwrap();
    [&[first, length, 0, 0, 0, 0], payload].concat()
}

/// Sends these bytes again and again, up to `times`, and reads nothing. The server may close the
/// connection.
fn flood(stream: &mut TcpStream, bytes: &[u8], times: usize) {
    stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
    let batch = bytes.repeat(1000);
    let _ = (0..times / 1000).try_for_each(|_| stream.write_all(&batch));
}

/// Sends a request on a second socket, which must be answered.
fn assert_another_is_served(server: &Server) {
    let mut other = socket(tcp(server.address()));
    other.write_all(&text_frame("421[\"room:list\",{}]")).unwrap();
    assert!(frame(&mut other).unwrap().1.starts_with(b"431[{\"ok\""));
}

#[test]
fn floods_of_small_frames_hold_no_memory_and_leave_others_served() {
    const TEXT: u8 = 0x01;
    const CONTINUATION: u8 = 0x00;
    const PING: u8 = 0x89;
    const PONG: u8 = 0x8a;
    let server = Server::start(&[]);
    let memory = server.memory();
    let start = small_frame(TEXT, b"4");
    for (name, before, repeated) in [
        ("pings whose answers are not read", &b""[..], small_frame(PING, &[7; 125])),
        ("pongs", b"", small_frame(PONG, b"")),
        ("fragments of one byte", &start, small_frame(CONTINUATION, b"2")),
        ("empty fragments", &start, small_frame(CONTINUATION, b"")),
        ("unknown events", b"", text_frame("42[\"nothing\"]")),
        ("namespaces", b"", text_frame("40/another,")),
    ] {
        let mut stream = socket(tcp(server.address()));
        stream.write_all(before).unwrap();
        flood(&mut stream, &repeated, 200_000);
        assert_another_is_served(&server);
        // A fragmented message may take its maximum of 1 MB.
        let most = memory + 8 * 1024;
        assert!(server.memory() < most, "{name}: {memory} KiB, then {}", server.memory());
    }
    within(DEADLINE, "memory is returned", || (server.memory() < memory + 4 * 1024).then_some(()));
}

/// A decompressed message could be a thousand times as large as its frame.
#[test]
fn compression_is_not_negotiated() {
    let server = Server::start(&[]);
    let offer = "permessage-deflate; client_max_window_bits, permessage-deflate";
    let headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("Sec-WebSocket-Extensions", offer),
    ];
    let path = "GET /socket.io/?EIO=4&transport=websocket";
    let answer = ask(&mut tcp(server.address()), path, &headers, b"").unwrap();
    assert_eq!(answer.status, 101);
    assert_eq!(answer.header("sec-websocket-extensions"), None);
    assert_eq!(get(&server, "/healthz").status, 200);
}
