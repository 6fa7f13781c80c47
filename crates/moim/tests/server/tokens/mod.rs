//! Join tokens, and who may create and list rooms (check R1).
#![allow(clippy::needless_pass_by_value, reason = "claims are written where they are passed")]

mod issuer;
mod joining;
mod policy;

use std::{fs, io::Write, net::TcpStream, os::unix::fs::PermissionsExt, time::SystemTime};

use serde_json::{Value, json};

use crate::{
    peer::{frame, socket, tcp, text_frame, websocket_with},
    secrets::ask,
    support::Server,
};
pub(crate) use issuer::Issuer;

const SECRET: &str = "0123456789abcdef0123456789abcdef";

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A server with the API key `app`, and more flags.
pub(crate) fn server(flags: &[&str]) -> Server {
    let folder = std::sync::Arc::new(tempfile::tempdir().unwrap());
    let keys = folder.path().join("keys");
    fs::write(&keys, format!("app:{SECRET}\n")).unwrap();
    fs::set_permissions(&keys, fs::Permissions::from_mode(0o600)).unwrap();
    let file = keys.to_str().unwrap().to_owned();
    let flags = [&["--api-key-file", file.as_str()], flags].concat();
    Server::start_in(folder, &flags)
}

/// A token of the key `app` for a participant of the room `tea`, with changed claims.
pub(crate) fn token(changes: Value) -> String {
    Issuer::secret(SECRET).token(&claims("app", changes))
}

/// Claims of a participant of the room `tea`, with changes.
fn claims(issuer: &str, changes: Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "sub": "ann", "name": "Ann", "exp": now() + 600,
        "video": {"roomJoin": true, "room": "tea"},
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims
}

fn connect(server: &Server) -> TcpStream {
    socket(tcp(server.address()))
}

/// Joins a room over a new socket; returns the reply and the socket.
fn join(server: &Server, room: &str, more: Value) -> (Value, TcpStream) {
    let mut stream = connect(server);
    let mut payload = json!({"room": room, "name": "Guest"});
    for (name, value) in more.as_object().unwrap() {
        payload[name] = value.clone();
    }
    let reply = ask(&mut stream, "room:join", &payload);
    (reply, stream)
}

/// The code of a refused join.
fn refused(server: &Server, room: &str, token: &str) -> Value {
    join(server, room, json!({"token": token})).0["error"]["code"].clone()
}
