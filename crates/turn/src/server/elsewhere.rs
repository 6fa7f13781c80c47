//! Clients whose datagrams come here, while what they have is a sibling's: who has moved to
//! another address (RFC 8016), or asked for a port that a sibling keeps for them.
//!
//! The kernel gives each five-tuple to one shard, whoever has the allocation. A request that names
//! a sibling, by its ticket or token, is passed on to it once its sender has proven who they are;
//! and from then on so is all that five-tuple sends.

use super::{Forward, Server, ToSibling};
use crate::stun::Message;
use crate::ticket::named_by;
use crate::{FiveTuple, Transport};
use foldhash::HashMap;
use std::time::{Duration, Instant};

/// Which sibling has what a five-tuple is about, and until when at the latest.
pub(super) struct Elsewhere {
    by_client: HashMap<FiveTuple, (u8, Instant)>,
    most: usize,
    /// As long as an allocation can be without a request about it.
    lasting: Duration,
}

impl Elsewhere {
    pub(super) fn new(most: usize, lasting: Duration) -> Self {
        Self { by_client: HashMap::default(), most, lasting }
    }

    /// Whose a five-tuple is.
    pub(super) fn of(&self, now: Instant, from: &FiveTuple) -> Option<u8> {
        // Nobody has moved, mostly.
        if self.by_client.is_empty() {
            return None;
        }
        let (sibling, until) = self.by_client.get(from)?;
        (*until > now).then_some(*sibling)
    }

    /// Whether a five-tuple is a sibling's, and stays so: there is a request about what it has.
    pub(super) fn renew(&mut self, now: Instant, from: &FiveTuple) -> bool {
        match self.of(now, from) {
            Some(sibling) => self.put(now, *from, sibling),
            None => false,
        }
    }

    /// A five-tuple is a sibling's, or is still. Whether there was room to say so.
    fn put(&mut self, now: Instant, from: FiveTuple, sibling: u8) -> bool {
        if self.by_client.len() >= self.most && !self.by_client.contains_key(&from) {
            self.by_client.retain(|_, (_, until)| *until > now);
        }
        let room = self.by_client.len() < self.most || self.by_client.contains_key(&from);
        if room {
            self.by_client.insert(from, (sibling, now + self.lasting));
        }
        room
    }

    /// A five-tuple is our own.
    pub(super) fn forget(&mut self, from: &FiveTuple) {
        self.by_client.remove(from);
    }
}

impl Server {
    /// The sibling that a request wants, of a client that has nothing here. (A session of DTLS stays
    /// where it is.)
    pub(super) fn wanted(&self, from: &FiveTuple, message: &Message<'_>) -> Option<u8> {
        let named = named_by(message).filter(|named| self.config.sibling.is_other(*named))?;
        (from.transport != Transport::Dtls && !self.has_allocation(from)).then_some(named)
    }

    /// Hands a sibling the message of a client who has proven who they are, and all that follow. A
    /// stream's driver gives the sibling the whole stream.
    pub(super) fn hand_on<'a>(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        sibling: u8,
        message: &Message<'a>,
    ) -> Option<Forward<'a>> {
        if !from.transport.is_stream() && !self.elsewhere.put(now, *from, sibling) {
            self.counters.dropped_unexpected += 1;
            return None;
        }
        Some(pass(from, sibling, message.as_bytes()))
    }

    /// Hands on what can't be for us; what is for nobody is counted and dropped.
    pub(super) fn pass_on<'a>(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        match self.elsewhere.of(now, from) {
            Some(sibling) => Some(pass(from, sibling, datagram)),
            None => {
                self.counters.dropped_unexpected += 1;
                None
            }
        }
    }
}

fn pass<'a>(from: &FiveTuple, sibling: u8, payload: &'a [u8]) -> Forward<'a> {
    let (source, to) = (from.client, from.server);
    Forward::Sibling(ToSibling { sibling, is_client: true, source, to, payload })
}
