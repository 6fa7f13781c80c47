//! Blocking HTTP and WebSocket clients.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpStream},
    time::Duration,
};

use tungstenite::{Message, WebSocket, client::IntoClientRequest};

/// Timeout of expected data.
const PATIENCE: Duration = Duration::from_secs(10);

/// An HTTP response.
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

/// Sends a request's head and the beginning of its body; [`answer`] reads the response.
pub(super) fn begin(address: SocketAddr, request: &str, headers: &str, body: &[u8]) -> TcpStream {
    let mut stream = connect(address);
    let head =
        format!("{request} HTTP/1.1\r\nhost: moim.example\r\nconnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    stream
}

/// Reads a response to its end.
pub(super) fn answer(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    // A server that rejects a body resets the connection after its response.
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

/// Opens a polling session; returns the query of its further requests.
pub(super) fn open_polling(address: SocketAddr) -> String {
    let open = get(address, "EIO=4&transport=polling");
    let handshake: serde_json::Value = serde_json::from_str(&open.body[1..]).unwrap();
    format!("EIO=4&transport=polling&sid={}", handshake["sid"].as_str().unwrap())
}

/// Opens a connected polling session; returns its query.
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
    /// Opens a WebSocket; an error is the status of the rejection.
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

    /// Opens a connected session.
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

    /// Receives the next text except heartbeats.
    pub(super) fn receive(&mut self) -> String {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) if text == "2" => {}
                Message::Text(text) => return text.to_string(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// Receives the close status.
    pub(super) fn closed(&mut self) -> u16 {
        loop {
            match self.0.read() {
                Ok(Message::Close(frame)) => return frame.unwrap().code.into(),
                Ok(_) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// The underlying connection, for invalid data.
    pub(super) fn raw(&mut self) -> &mut TcpStream {
        self.0.get_mut()
    }

    /// Cuts the connection.
    pub(super) fn cut(mut self) {
        self.raw().shutdown(Shutdown::Both).unwrap();
    }
}
