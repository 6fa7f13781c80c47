//! Clients that block: plain HTTP and WebSocket over a TCP connection.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use tungstenite::{Message, WebSocket, client::IntoClientRequest};

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(10);

/// An HTTP answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) head: String,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

pub(super) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// Sends a request's head and the beginning of its body; the answer is for [`answer`].
pub(super) fn begin(address: SocketAddr, request: &str, headers: &str, body: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    let head =
        format!("{request} HTTP/1.1\r\nhost: moim.example\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

/// Reads an answer to its end.
pub(super) fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A server that refuses a body resets the connection after its answer.
    let _ = stream.read_to_end(&mut bytes);
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}

pub(super) fn http(address: SocketAddr, request: &str, headers: &str, body: &[u8]) -> Answer {
    let length = format!("content-length: {}\r\n{headers}", body.len());
    answer(begin(address, request, &length, body))
}

pub(super) fn get(address: SocketAddr, query: &str) -> Answer {
    http(address, &format!("GET /socket.io/?{query}"), "", b"")
}

pub(super) fn post(address: SocketAddr, query: &str, body: &str) -> Answer {
    http(address, &format!("POST /socket.io/?{query}"), "", body.as_bytes())
}

/// The query of a new session's further requests.
pub(super) fn open_polling(address: SocketAddr) -> String {
    let open = get(address, "EIO=4&transport=polling");
    let handshake: serde_json::Value = serde_json::from_str(&open.body[1..]).unwrap();
    format!("EIO=4&transport=polling&sid={}", handshake["sid"].as_str().unwrap())
}

/// A session that polls and is connected.
pub(super) fn connect_polling(address: SocketAddr) -> String {
    let query = open_polling(address);
    assert_eq!(post(address, &query, "40").body, "ok");
    let connected = get(address, &query).body;
    assert!(connected.starts_with("40{\"sid\":\""), "{connected}");
    if !connected.contains('\x1e') {
        assert_eq!(get(address, &query).body, "42[\"auth\",{}]");
    }
    query
}

/// A WebSocket client.
pub(super) struct Peer(pub(super) WebSocket<TcpStream>);

impl Peer {
    /// Opens a WebSocket with that query; an error is the status it was refused with.
    pub(super) fn open(address: SocketAddr, query: &str) -> Result<Self, u16> {
        Self::open_from(address, query, None)
    }

    pub(super) fn open_from(
        address: SocketAddr,
        query: &str,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        Self::open_at(address, &format!("/socket.io/?{query}"), origin)
    }

    pub(super) fn open_at(
        address: SocketAddr,
        target: &str,
        origin: Option<&str>,
    ) -> Result<Self, u16> {
        let url = format!("ws://{address}{target}");
        let mut request = url.into_client_request().unwrap();
        if let Some(origin) = origin {
            request.headers_mut().insert("origin", origin.parse().unwrap());
        }
        match tungstenite::client::client(request, connect(address)) {
            Ok((websocket, _)) => Ok(Self(websocket)),
            Err(tungstenite::HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// A session past its handshake and CONNECT.
    pub(super) fn connected(address: SocketAddr) -> Self {
        let mut peer = Self::open(address, "EIO=4&transport=websocket").unwrap();
        assert!(peer.receive().starts_with('0'));
        peer.send("40");
        assert!(peer.receive().starts_with("40{\"sid\":\""));
        assert_eq!(peer.receive(), "42[\"auth\",{}]");
        peer
    }

    pub(super) fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next text, heartbeats aside.
    pub(super) fn receive(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) if text == "2" => {}
                Message::Text(text) => return text.to_string(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// The status the server closes with.
    pub(super) fn closed(&mut self) -> u16 {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.unwrap().code.into(),
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The connection beneath, for saying what no client would.
    pub(super) fn raw(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    /// Cuts the connection.
    pub(super) fn cut(mut self) {
        self.raw().shutdown(Shutdown::Both).unwrap();
    }
}
