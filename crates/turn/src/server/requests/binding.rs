//! Binding (RFC 8489 §12), and what RFC 5780 has it tell of a client's NAT.

use super::super::respond::Bound;
use super::super::{Forward, Server};
use super::{Asked, Refusal, unknown};
use crate::FiveTuple;
use crate::stun::Message;
use crate::stun::attribute::{CHANGE_REQUEST, PADDING, RESPONSE_PORT};
use std::net::SocketAddr;
use std::time::Instant;

/// CHANGE-REQUEST: answer from our other address (RFC 5780 §7.2).
const CHANGE_IP: u8 = 0x04;
/// CHANGE-REQUEST: answer from our other port.
const CHANGE_PORT: u8 = 0x02;
/// The longest PADDING sent: about what fills a packet of Ethernet, and never more than came.
const PADDING_MAX: usize = 1500;

impl Server {
    /// Binding: answered whoever asks.
    pub(in super::super) fn binding(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
    ) -> Option<Forward<'_>> {
        if !self.admit_unproven(now, from) {
            return None;
        }
        // A stream or a session has but one way back, so there is nothing to find out over it.
        let discovery = self.config.discovery.filter(|_| !from.transport.proves_address());
        let other = discovery.and_then(|discovery| discovery.other(from.server));
        let known: &[u16] = match other {
            Some(_) => &[CHANGE_REQUEST, RESPONSE_PORT, PADDING],
            None => &[],
        };
        let asked = Asked::from(message);
        let mut unknown = unknown(message, known).peekable();
        if unknown.peek().is_some() {
            return Some(self.refuse_unknown(from, asked, None, unknown));
        }
        let bound = Bound { mapped: from.client, other, padding: None };
        let Some(other) = other else { return Some(self.bound(from, asked, bound)) };
        match discover(from, message, other) {
            Ok((to, padding)) => Some(self.bound(&to, asked, Bound { padding, ..bound })),
            Err(refusal) => Some(self.challenge(now, from, asked, refusal)),
        }
    }
}

/// The way an answer goes, and how much padding it takes along (RFC 5780 §6.1).
fn discover(
    from: &FiveTuple,
    message: &Message<'_>,
    other: SocketAddr,
) -> Result<(FiveTuple, Option<usize>), Refusal> {
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
        Some(_) => return Err(Refusal::BAD_REQUEST),
    }
    let padding = message.attribute(PADDING).map(|padding| padding.len().min(PADDING_MAX));
    match message.attribute(RESPONSE_PORT) {
        None => {}
        // What is padded goes nowhere but back.
        Some(_) if padding.is_some() => return Err(Refusal::BAD_REQUEST),
        Some(&[high, low] | &[high, low, _, _]) if (high, low) != (0, 0) => {
            to.client.set_port(u16::from_be_bytes([high, low]));
        }
        Some(_) => return Err(Refusal::BAD_REQUEST),
    }
    Ok((to, padding))
}
