//! The server under test, and participants in its rooms.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::Context;
use load::{ServerUrl, Socket, field};
use rustls::ClientConfig;
use serde_json::{Value, json};
use turn::rest::Credential;

/// The server under test.
#[derive(Clone)]
pub(crate) struct Target {
    server: ServerUrl,
    tls: Option<Arc<ClientConfig>>,
}

/// A participant in a room.
pub(crate) struct Participant {
    pub(crate) socket: Socket,
    pub(crate) id: String,
    /// TURN credential.
    pub(crate) credential: Credential,
}

impl Target {
    pub(crate) fn new(url: &str, ca: Option<&Path>) -> anyhow::Result<Self> {
        let server = ServerUrl::resolve(url)?;
        Ok(Self { tls: server.tls(ca)?, server })
    }

    /// The address that serves HTTP, STUN, TURN and media.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address
    }

    pub(crate) async fn connect(&self) -> anyhow::Result<Socket> {
        Socket::connect(&self.server, self.tls.clone()).await
    }

    pub(crate) async fn join(&self, room: &str, name: &str) -> anyhow::Result<Participant> {
        self.join_with(json!({"room": room, "name": name, "sfu": true})).await
    }

    pub(crate) async fn join_with(&self, request: Value) -> anyhow::Result<Participant> {
        let mut socket = self.connect().await?;
        let reply = socket.call("room:join", &request).await?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let id = text(field(field(&reply, "self"), "id")).context("no id")?;
        let servers = field(&reply, "iceServers").as_array().context("no iceServers")?;
        let credential = servers.iter().find_map(|server| {
            let username = text(field(server, "username"))?;
            Some(Credential { username, password: text(field(server, "credential"))? })
        });
        Ok(Participant { socket, id, credential: credential.context("no credential")? })
    }
}
