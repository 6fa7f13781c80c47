//! Clients of a session.

use std::{sync::Arc, time::Instant};

use axum::http::{HeaderMap, header};
use serde_json::value::RawValue;
use socketio::Namespace;

use super::{app::Handshake, origin::is_of_own_page, outbox::Outbox, socket::Socket};
use crate::net::{bearer::bearer, cookie::PERSON, host::Host, tcp::Connection};

/// A client connected to a namespace.
#[derive(Debug)]
pub(super) struct Client<E> {
    pub(super) namespace: Namespace,
    pub(super) events: E,
    pub(super) socket: Socket,
    pub(super) outbox: Outbox,
    /// The server disconnected it.
    pub(super) dismissed: bool,
}

/// Properties of a client from its first request.
#[derive(Debug)]
pub(super) struct Origin {
    pub(super) connection: Connection,
    path: &'static str,
    host: Option<Host>,
    /// Token of an `Authorization: Bearer` header.
    bearer: Option<Arc<str>>,
    /// Secret of a person's session.
    session: Option<Arc<str>>,
    opened: Instant,
}

impl Origin {
    pub(super) fn new(connection: Connection, path: &'static str, host: Option<Host>) -> Self {
        Self { connection, path, host, bearer: None, session: None, opened: Instant::now() }
    }

    /// Takes the token of an `Authorization` header.
    #[must_use]
    pub(super) fn with_bearer(mut self, headers: &HeaderMap) -> Self {
        let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        self.bearer = header.and_then(bearer).map(Arc::from);
        self
    }

    /// Takes the session of a person from a request of this server's own page.
    #[must_use]
    pub(super) fn with_session(mut self, headers: &HeaderMap) -> Self {
        let host = self.host.as_ref().map(Host::to_string);
        if is_of_own_page(headers, host.as_deref(), &self.connection) {
            self.session = PERSON.find(headers, self.connection.secure).map(Arc::from);
        }
        self
    }

    pub(super) fn handshake(&self, namespace: Arc<str>, auth: Option<Box<RawValue>>) -> Handshake {
        Handshake {
            address: self.connection.peer.ip(),
            local: self.connection.local,
            host: self.host.as_ref().map(|host| host.name().to_owned()),
            secure: self.connection.secure,
            open_for: self.opened.elapsed(),
            path: self.path,
            namespace,
            auth,
            bearer: self.bearer.clone(),
            session: self.session.clone(),
            door: None,
        }
    }
}

/// Generates an unguessable id: 128 random bits in base64url.
///
/// # Errors
/// The operating system's random number generator failed.
pub(super) fn generate_id() -> Result<Arc<str>, getrandom::Error> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let mut bits = u128::from_be_bytes(bytes);
    let id: String = (0..22)
        .map(|_| {
            let digit = ALPHABET.get((bits & 63) as usize).copied().unwrap_or(b'-');
            bits >>= 6;
            char::from(digit)
        })
        .collect();
    Ok(id.into())
}
