//! A minimal Socket.IO client over WebSocket (docs/protocol.md).

use std::sync::Arc;

use anyhow::{Context, bail};
use futures_util::{SinkExt as _, StreamExt as _};
use rustls::{ClientConfig, pki_types::ServerName};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};

use crate::{link::JOIN_TIMEOUT, server::ServerUrl};

/// A TCP stream or a TLS stream.
trait Stream: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send {}
impl<S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send> Stream for S {}

/// A connection to the server's default namespace.
pub struct Socket {
    frames: WebSocketStream<Box<dyn Stream>>,
    requests: u64,
}

/// A message from the server.
#[derive(Debug)]
pub enum ServerMessage {
    /// The reply to the request with this number.
    Reply(u64, Result<Value, String>),
    /// An event, its first argument, and its number in the room.
    Event(String, Value, Option<u64>),
}

impl Socket {
    /// Connects to the default namespace.
    ///
    /// # Errors
    /// The connection fails.
    pub async fn connect(
        server: &ServerUrl,
        tls: Option<Arc<ClientConfig>>,
    ) -> anyhow::Result<Self> {
        let stream =
            TcpStream::connect(server.address).await.context("Can't connect to the server")?;
        stream.set_nodelay(true)?;
        let stream: Box<dyn Stream> = match tls {
            None => Box::new(stream),
            Some(tls) => {
                let name = ServerName::try_from(server.host.clone())?;
                Box::new(TlsConnector::from(tls).connect(name, stream).await?)
            }
        };
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", server.authority);
        let (frames, _) =
            client_async(url, stream).await.context("The server accepts no WebSocket")?;
        let mut socket = Self { frames, requests: 0 };
        socket.frames.send(Message::text("40")).await?;
        while !socket.frame().await?.starts_with("40") {}
        Ok(socket)
    }

    /// Sends a request and returns its number.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn request(&mut self, event: &str, payload: &Value) -> anyhow::Result<u64> {
        let number = self.requests;
        self.requests += 1;
        let text = format!("42{number}{}", json!([event, payload]));
        self.frames.send(Message::text(text)).await?;
        Ok(number)
    }

    /// Sends a raw text frame.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn send(&mut self, frame: &str) -> anyhow::Result<()> {
        Ok(self.frames.send(Message::text(frame)).await?)
    }

    /// Sends a request and waits for its reply. Events that arrive before it are dropped.
    ///
    /// # Errors
    /// The server rejects the request, or the connection is closed.
    pub async fn call(&mut self, event: &str, payload: &Value) -> anyhow::Result<Value> {
        let request = self.request(event, payload).await?;
        loop {
            if let ServerMessage::Reply(number, reply) = self.receive().await?
                && number == request
            {
                return reply.map_err(|error| anyhow::anyhow!("{event} was rejected: {error}"));
            }
        }
    }

    /// The next message from the server. Cancel safe.
    ///
    /// # Errors
    /// The connection is closed.
    pub async fn receive(&mut self) -> anyhow::Result<ServerMessage> {
        loop {
            let frame = self.frame().await?;
            if frame == "2" {
                self.frames.send(Message::text("3")).await?;
            } else if let Some(message) = parse(&frame) {
                return Ok(message);
            }
        }
    }

    /// Leaves the room and waits for the reply. Without it the server would treat the closed
    /// connection as broken and keep the participant for a reconnect.
    pub async fn leave(mut self) {
        // Best effort: the server may be gone.
        let _ = timeout(JOIN_TIMEOUT, self.call("room:leave", &json!({}))).await;
        self.close().await;
    }

    /// Disconnects.
    pub async fn close(mut self) {
        // Best effort: the server also notices the closed connection.
        let _ = self.frames.send(Message::text("41")).await;
        let _ = self.frames.close(None).await;
    }

    async fn frame(&mut self) -> anyhow::Result<String> {
        loop {
            match self.frames.next().await.context("The server has closed the connection")?? {
                Message::Text(text) => return Ok(text.to_string()),
                Message::Close(_) => bail!("The server has closed the connection"),
                _ => {}
            }
        }
    }
}

/// A field of an object, or null.
pub fn field<'a>(value: &'a Value, name: &str) -> &'a Value {
    value.get(name).unwrap_or(&Value::Null)
}

/// Parses `42[event, payload, …]` and `43N[reply]`.
fn parse(frame: &str) -> Option<ServerMessage> {
    if let Some(event) = frame.strip_prefix("42") {
        let mut parts: Vec<Value> = serde_json::from_str(event).ok()?;
        let number = parts.get(2).and_then(Value::as_u64);
        let payload = if parts.len() > 1 { parts.swap_remove(1) } else { Value::Null };
        let name = parts.first()?.as_str()?.to_owned();
        return Some(ServerMessage::Event(name, payload, number));
    }
    let reply = frame.strip_prefix("43")?;
    let (number, body) = reply.split_at(reply.find('[')?);
    let mut parts: Vec<Value> = serde_json::from_str(body).ok()?;
    let first = parts.first_mut()?;
    let reply = match first.get_mut("ok") {
        Some(ok) => Ok(ok.take()),
        None => Err(field(field(first, "error"), "message")
            .as_str()
            .unwrap_or("no reason given")
            .to_owned()),
    };
    Some(ServerMessage::Reply(number.parse().ok()?, reply))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_and_replies_are_parsed() {
        let event = parse(r#"42["signal",{"from":"sfu"},7]"#);
        assert!(
            matches!(event, Some(ServerMessage::Event(name, payload, Some(7))) if name == "signal" && payload["from"] == "sfu")
        );
        let reply = parse(r#"4312[{"ok":{"last":3}}]"#);
        assert!(matches!(reply, Some(ServerMessage::Reply(12, Ok(ok))) if ok["last"] == 3));
        let rejection = parse(r#"430[{"error":{"code":"room_full","message":"It is full"}}]"#);
        assert!(
            matches!(rejection, Some(ServerMessage::Reply(0, Err(error))) if error == "It is full")
        );
        for other in ["", "2", "40{}", "42", "42[", "42{}", "42[]", "43", "43[]", "431", "4x"] {
            assert!(parse(other).is_none(), "{other}");
        }
    }
}
