//! Malformed input on the port: answered with the protocol's error if it has one, and survived.

mod http;
mod signaling;
pub(crate) mod stun;
mod tls;

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, UdpSocket},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use crate::{
    peer::{Tls, frame, get, rest, socket, tcp, text_frame},
    support::{DEADLINE, Server},
};

/// Concurrent clients, since many rows wait for a timeout.
const THREADS: usize = 8;

/// One case of malformed input.
struct Row {
    name: &'static str,
    said: Input,
    answered: Answered,
}

/// The input and its transport.
enum Input {
    /// Over TCP, then waits.
    Tcp(Vec<u8>),
    /// Over TCP, then half-closes.
    TcpToEnd(Vec<u8>),
    /// Over TCP, then waits for one response.
    TcpOnce(Vec<u8>),
    /// Over TLS, then waits for one response.
    TlsOnce(Vec<u8>),
    /// Over TLS, then waits.
    Tls(Vec<u8>),
    /// In one datagram.
    Udp(Vec<u8>),
    /// Raw frames on a WebSocket that is connected to the namespace.
    Frames(Vec<u8>),
    /// One text message on such a WebSocket.
    Message(String),
}

/// The expected reaction.
enum Answered {
    /// No data: a connection is closed, a datagram dropped.
    Nothing,
    /// An HTTP response with this status.
    Http(u16),
    /// A fatal TLS alert.
    Alert,
    /// A STUN error response with this code.
    Stun(u16),
    /// At most this many bytes, then a close.
    AtMost(usize),
    /// A WebSocket message with this prefix.
    Message(&'static str),
    /// A WebSocket close frame with one of these codes, or a close without one.
    Close(&'static [u16]),
}

fn row(name: &'static str, said: Input, answered: Answered) -> Row {
    Row { name, said, answered }
}

#[test]
fn malformed_input_is_answered_and_survived() {
    let server = Server::start(&["--handshake-timeout", "1", "--idle-timeout", "2"]);
    let rows: Vec<Row> = [http::rows(), tls::rows(), stun::rows(), signaling::rows()]
        .into_iter()
        .flatten()
        .collect();
    assert!(rows.len() >= 50, "{} rows", rows.len());
    let descriptors = server.descriptors();
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Some(row) = rows.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let got = got(&server, &row.said);
                    if !row.answered.fits(&got) {
                        let shown: String =
                            String::from_utf8_lossy(&got).chars().take(200).collect();
                        wrong.lock().unwrap().push(format!("{}: got {shown:?}", row.name));
                    }
                    assert_eq!(get(&server, "/healthz").status, 200, "after {}", row.name);
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    crate::support::within(DEADLINE, "every connection is closed", || {
        (server.descriptors() <= descriptors).then_some(())
    });
    assert!(!server.log().contains("panicked"), "{}", server.log());
    assert!(wrong.is_empty(), "of {} cases:\n{}", rows.len(), wrong.join("\n"));
}

fn got(server: &Server, said: &Input) -> Vec<u8> {
    match said {
        Input::Tcp(bytes) => {
            let mut stream = tcp(server.address());
            // The server may close while we still write.
            let _ = stream.write_all(bytes);
            rest(&mut stream)
        }
        Input::TcpToEnd(bytes) => {
            let mut stream = tcp(server.address());
            let _ = stream.write_all(bytes);
            let _ = stream.shutdown(Shutdown::Write);
            rest(&mut stream)
        }
        Input::TcpOnce(bytes) => once(tcp(server.address()), bytes),
        Input::TlsOnce(bytes) => {
            once(Tls::trusting(server).connect(server.address(), "localhost").unwrap(), bytes)
        }
        Input::Tls(bytes) => {
            let mut stream = Tls::trusting(server).connect(server.address(), "localhost").unwrap();
            let _ = stream.write_all(bytes);
            rest(&mut stream)
        }
        Input::Udp(bytes) => datagram(server.address(), bytes),
        Input::Frames(bytes) => websocket(server, bytes),
        Input::Message(text) => websocket(server, &text_frame(text)),
    }
}

fn once(mut stream: impl Read + Write, bytes: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).unwrap();
    let mut answer = vec![0; 2048];
    let read = stream.read(&mut answer).unwrap();
    answer.truncate(read);
    answer
}

/// The response to a datagram. A Binding request follows, whose response comes first if there is
/// none.
fn datagram(server: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.connect(server).unwrap();
    socket.send(bytes).unwrap();
    socket.send(&stun::probe()).unwrap();
    let mut answer = [0; 2048];
    let read = socket.recv(&mut answer).unwrap();
    if stun::answers_probe(&answer[..read]) { Vec::new() } else { answer[..read].to_vec() }
}

/// The first frame: opcode, then payload.
fn websocket(server: &Server, bytes: &[u8]) -> Vec<u8> {
    let mut stream = socket(tcp(server.address()));
    let _ = stream.write_all(bytes);
    match frame(&mut stream) {
        Ok((opcode, payload)) => [&[opcode], &payload[..]].concat(),
        Err(_) => Vec::new(),
    }
}

impl Answered {
    fn fits(&self, got: &[u8]) -> bool {
        match self {
            Self::Nothing => got.is_empty(),
            Self::Http(status) => got.starts_with(format!("HTTP/1.1 {status} ").as_bytes()),
            Self::Alert => matches!(got, [0x15, 3, _, 0, 2, 2, _]),
            Self::Stun(code) => stun::error_code(got) == Some(*code),
            Self::AtMost(most) => got.len() <= *most,
            Self::Message(start) => got
                .split_first()
                .is_some_and(|(op, text)| *op == 1 && text.starts_with(start.as_bytes())),
            Self::Close(codes) => match got {
                [] => true,
                [8, high, low, ..] => codes.contains(&u16::from_be_bytes([*high, *low])),
                _ => false,
            },
        }
    }
}

/// Reproducible pseudo-random bytes (a linear congruential generator).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u8::try_from(state >> 56).unwrap()
    };
    (0..length).map(|_| next()).collect()
}
