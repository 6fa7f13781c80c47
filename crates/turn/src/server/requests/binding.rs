//! Binding (RFC 8489 §12) and NAT behavior discovery (RFC 5780).

use std::{net::SocketAddr, time::Instant};

use super::attributes::unknown;
use crate::{
    FiveTuple,
    server::{
        Server, forward::Forward, rejection::Rejection, respond::BindingResponse,
        transaction::Transaction,
    },
    stun::{
        Message,
        attribute::{CHANGE_REQUEST, PADDING, RESPONSE_PORT},
    },
};

/// CHANGE-REQUEST: respond from the alternate address (RFC 5780 §7.2).
const CHANGE_IP: u8 = 0x04;
/// CHANGE-REQUEST: respond from the alternate port.
const CHANGE_PORT: u8 = 0x02;
/// Maximum length of PADDING in a response: an Ethernet packet, and never more than requested.
const MAX_PADDING_LEN: usize = 1500;

impl Server {
    /// Answers a Binding request, which needs no credential.
    pub(in crate::server) fn binding(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Option<Forward<'_>> {
        if !self.admit_unauthenticated(now, from) {
            return None;
        }
        // Behavior discovery is for UDP: a stream or a DTLS session has only one return path.
        let discovery = self.config.discovery.filter(|_| !from.transport.validates_address());
        let other = discovery.and_then(|discovery| discovery.other(from.server));
        let known: &[u16] = match other {
            Some(_) => &[CHANGE_REQUEST, RESPONSE_PORT, PADDING],
            None => &[],
        };
        let transaction = Transaction::from(message);
        let mut unknown = unknown(message, known).peekable();
        if unknown.peek().is_some() {
            return Some(self.reject_unknown(from, transaction, None, unknown));
        }
        let response = BindingResponse { mapped: from.client, other, padding: None };
        let Some(other) = other else {
            return Some(self.binding_success(from, transaction, response));
        };
        match ResponsePath::read(from, message, other) {
            Ok(ResponsePath { to, padding }) => {
                let response = BindingResponse { padding, ..response };
                Some(self.binding_success(&to, transaction, response))
            }
            Err(rejection) => Some(self.challenge(now, from, transaction, rejection)),
        }
    }
}

/// The path of a Binding response and the length of its PADDING (RFC 5780 §6.1).
struct ResponsePath {
    to: FiveTuple,
    padding: Option<usize>,
}

impl ResponsePath {
    fn read(from: &FiveTuple, message: &Message<'_>, other: SocketAddr) -> Result<Self, Rejection> {
        let mut to = *from;
        match message.attribute(CHANGE_REQUEST) {
            None => {}
            Some(&[_, _, _, flags]) => {
                if flags & CHANGE_IP != 0 {
                    to.server.set_ip(other.ip());
                }
                if flags & CHANGE_PORT != 0 {
                    to.server.set_port(other.port());
                }
            }
            Some(_) => return Err(Rejection::BAD_REQUEST),
        }
        let padding = message.attribute(PADDING).map(|padding| padding.len().min(MAX_PADDING_LEN));
        match message.attribute(RESPONSE_PORT) {
            None => {}
            // RFC 5780 §7.5, §7.6: PADDING and RESPONSE-PORT exclude each other.
            Some(_) if padding.is_some() => return Err(Rejection::BAD_REQUEST),
            Some(&[high, low] | &[high, low, _, _]) if (high, low) != (0, 0) => {
                to.client.set_port(u16::from_be_bytes([high, low]));
            }
            Some(_) => return Err(Rejection::BAD_REQUEST),
        }
        Ok(Self { to, padding })
    }
}
