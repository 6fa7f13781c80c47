//! A TURN client that allocates, and exchanges data between two allocations of its own.

use std::{io, net::SocketAddr, time::Instant};

use turn::stun::{
    Class, Key, Message, Method, TransactionId, Writer,
    attribute::{
        DATA, ERROR_CODE, LIFETIME, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME, XOR_PEER_ADDRESS,
        XOR_RELAYED_ADDRESS,
    },
};

use super::{
    udp::{TIMEOUT, is_timeout},
    wire::{Transport, Wire},
};

/// The peer is denied (RFC 8656 §9.2).
const FORBIDDEN: u16 = 403;

/// The user has as many allocations as the operator allows (RFC 8656 §7.2).
const QUOTA_REACHED: u16 = 486;

/// A username with its password.
#[derive(Debug, Clone, Copy)]
pub(super) struct Credential<'a> {
    pub(super) username: &'a str,
    pub(super) password: &'a str,
}

/// The step that failed, in words for a report.
#[derive(Debug)]
pub(super) struct StepError(pub(super) String);

pub(super) struct Client<'a> {
    wire: Wire,
    credential: Credential<'a>,
    realm: String,
    nonce: Vec<u8>,
    transactions: u32,
    salt: [u8; 8],
}

/// A response without the connection.
struct Response(Vec<u8>);

impl Response {
    fn attribute(&self, kind: u16) -> Option<Vec<u8>> {
        Message::parse(&self.0).ok()?.attribute(kind).map(<[u8]>::to_vec)
    }

    fn address(&self, kind: u16) -> Option<SocketAddr> {
        Message::parse(&self.0).ok()?.xor_address(kind)
    }

    fn error(&self) -> Option<u16> {
        let value = self.attribute(ERROR_CODE)?;
        Some(u16::from(*value.get(2)?) * 100 + u16::from(*value.get(3)?))
    }
}

impl<'a> Client<'a> {
    pub(super) fn connect(
        transport: Transport,
        server: SocketAddr,
        credential: Credential<'a>,
    ) -> Result<Self, StepError> {
        let wire = Wire::connect(transport, server).map_err(|error| step("connecting", &error))?;
        let mut salt = [0; 8];
        getrandom::fill(&mut salt).map_err(|error| StepError(error.to_string()))?;
        Ok(Self {
            wire,
            credential,
            realm: String::new(),
            nonce: Vec::new(),
            transactions: 0,
            salt,
        })
    }

    /// Allocates a relayed address for UDP; `None` if the operator allows a user no more.
    pub(super) fn allocate(&mut self) -> Result<Option<SocketAddr>, StepError> {
        let fill = |request: &mut Writer<'_>| {
            request.attribute(REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
            request.attribute(LIFETIME, &60_u32.to_be_bytes());
        };
        let response = self.request("Allocate", Method::ALLOCATE, fill)?;
        match (response.error(), response.address(XOR_RELAYED_ADDRESS)) {
            (Some(QUOTA_REACHED), _) => Ok(None),
            (Some(code), _) => Err(StepError(format!("Allocate is refused with {code}"))),
            (None, Some(relayed)) => Ok(Some(relayed)),
            (None, None) => Err(StepError("Allocate returns no address".to_owned())),
        }
    }

    /// Permits a peer; false if the server's policy denies it.
    pub(super) fn permit(&mut self, peer: SocketAddr) -> Result<bool, StepError> {
        let fill = |request: &mut Writer<'_>| {
            request.xor_address(XOR_PEER_ADDRESS, peer);
        };
        let response = self.request("CreatePermission", Method::CREATE_PERMISSION, fill)?;
        match response.error() {
            None => Ok(true),
            Some(FORBIDDEN) => Ok(false),
            Some(code) => Err(StepError(format!("CreatePermission is refused with {code}"))),
        }
    }

    /// Sends data to a peer in a Send indication.
    pub(super) fn send(&mut self, peer: SocketAddr, data: &[u8]) -> Result<(), StepError> {
        let mut message = Vec::new();
        let id = self.next_transaction();
        let mut writer = Writer::new(&mut message, Class::Indication, Method::SEND, id);
        writer.xor_address(XOR_PEER_ADDRESS, peer).attribute(DATA, data);
        self.wire.send(&message).map_err(|error| step("sending", &error))
    }

    /// Waits for data in a Data indication.
    pub(super) fn receive_data(&mut self, expected: &[u8]) -> Result<bool, StepError> {
        let end = Instant::now() + TIMEOUT;
        while Instant::now() < end {
            match self.wire.receive() {
                Ok(bytes) => {
                    let data = Response(bytes).attribute(DATA);
                    if data.as_deref() == Some(expected) {
                        return Ok(true);
                    }
                }
                Err(error) if is_timeout(&error) => return Ok(false),
                Err(error) => return Err(step("receiving", &error)),
            }
        }
        Ok(false)
    }

    /// Ends the allocation.
    pub(super) fn close(mut self) {
        let fill = |request: &mut Writer<'_>| {
            request.attribute(LIFETIME, &[0; 4]);
        };
        // It ends by itself within a minute.
        let _ = self.request("Refresh", Method::REFRESH, fill);
    }

    /// Sends a request, again if it is lost, and again with credentials after a 401 or 438.
    fn request(
        &mut self,
        name: &str,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> Result<Response, StepError> {
        for _ in 0..3 {
            let response = self.exchange(name, method, &fill)?;
            match response.error() {
                Some(401 | 438) => {
                    let nonce = response.attribute(NONCE);
                    if self.nonce == nonce.clone().unwrap_or_default() {
                        return Ok(response);
                    }
                    self.nonce = nonce.unwrap_or_default();
                    let realm = response.attribute(REALM).unwrap_or_default();
                    self.realm = String::from_utf8_lossy(&realm).into_owned();
                }
                _ => return Ok(response),
            }
        }
        Err(StepError(format!("{name} is refused again and again")))
    }

    fn exchange(
        &mut self,
        name: &str,
        method: Method,
        fill: impl Fn(&mut Writer<'_>),
    ) -> Result<Response, StepError> {
        let id = self.next_transaction();
        let mut message = Vec::new();
        let mut writer = Writer::new(&mut message, Class::Request, method, id);
        fill(&mut writer);
        if !self.nonce.is_empty() {
            let Credential { username, password } = self.credential;
            writer.attribute(USERNAME, username.as_bytes());
            writer.attribute(REALM, self.realm.as_bytes());
            writer.attribute(NONCE, &self.nonce);
            writer.integrity(&Key::long_term(username, &self.realm, password));
        }
        let attempts = if self.wire.is_reliable() { 1 } else { 4 };
        for _ in 0..attempts {
            self.wire.send(&message).map_err(|error| step(name, &error))?;
            loop {
                match self.wire.receive() {
                    Ok(bytes) => {
                        let parsed = Message::parse(&bytes);
                        if parsed.is_ok_and(|parsed| parsed.transaction() == id) {
                            return Ok(Response(bytes));
                        }
                    }
                    Err(error) if is_timeout(&error) => break,
                    Err(error) => return Err(step(name, &error)),
                }
            }
        }
        Err(StepError(format!("no answer to {name}")))
    }

    fn next_transaction(&mut self) -> TransactionId {
        self.transactions += 1;
        let mut id = [0; 12];
        let (random, counted) = id.split_at_mut(8);
        random.copy_from_slice(&self.salt);
        counted.copy_from_slice(&self.transactions.to_be_bytes());
        TransactionId(id)
    }
}

fn step(name: &str, error: &io::Error) -> StepError {
    StepError(if is_timeout(error) {
        format!("no answer while {name}")
    } else {
        format!("{name}: {error}")
    })
}
