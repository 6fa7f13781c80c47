//! TURN clients over DTLS (RFC 7350): sessions by five-tuple, sans-IO.
//!
//! No state is kept for an address before it is verified: [`turn::dtls::CookieExchange`] answers a
//! first ClientHello statelessly, and a session begins with the ClientHello that returns the
//! cookie.

mod cookie;
mod counters;
mod decrypted;
mod session;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use turn::{
    FiveTuple,
    dtls::{AlertDescription, CookieExchange, HelloResponse, fatal_alert, is_client_hello},
};

use crate::net::tls::CurrentCertificate;
pub(crate) use counters::DtlsCounters;
pub(crate) use decrypted::Decrypted;
use session::{REVIEW_INTERVAL, Session, SessionEnded};

/// The most sessions at once; each takes about ten kilobytes.
const MAX_SESSIONS: usize = 8192;
/// The most unfinished handshakes among them.
const MAX_HANDSHAKES: usize = 1024;
/// Interval at which sessions are checked for timeouts; no handshake needs a finer one.
const TICK: Duration = Duration::from_millis(250);
/// HelloVerifyRequests per second for each client prefix.
const CHALLENGES_PER_SECOND: u32 = 300;
/// HelloVerifyRequests at once for each client prefix.
const CHALLENGE_BURST: u32 = 1000;

/// All DTLS sessions of a shard.
pub(crate) struct DtlsEndpoint {
    cookies: CookieExchange,
    settings: Arc<dimpl::Config>,
    certificate: Arc<CurrentCertificate>,
    sessions: HashMap<FiveTuple, Session>,
    handshakes: usize,
    next_tick: Option<Instant>,
    /// Output buffer for dimpl.
    scratch: Vec<u8>,
    pub(super) counters: DtlsCounters,
}

impl DtlsEndpoint {
    /// An endpoint without sessions, whose cookies are signed with `key`.
    ///
    /// # Errors
    /// The crypto library fails its self-test.
    pub(crate) fn new(
        certificate: Arc<CurrentCertificate>,
        key: [u8; 32],
        now: Instant,
    ) -> Result<Self, dimpl::Error> {
        Ok(Self {
            cookies: CookieExchange::new(key, now, CHALLENGES_PER_SECOND, CHALLENGE_BURST),
            settings: session::settings()?,
            certificate,
            sessions: HashMap::new(),
            handshakes: 0,
            next_tick: None,
            scratch: vec![0; 2 * 1024],
            counters: DtlsCounters::default(),
        })
    }

    /// Handles a datagram. Its messages go into `decrypted`, and datagrams for its sender to
    /// `send`.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        datagram: &[u8],
        decrypted: &mut Decrypted,
        mut send: impl FnMut(&[u8]),
    ) {
        decrypted.clear();
        let mut is_new = false;
        if is_client_hello(datagram) && !self.is_retransmitted_hello(from, datagram) {
            is_new = self.handle_hello(now, unix_now, from, datagram, decrypted, &mut send);
            if !is_new {
                return;
            }
        }
        let Some(session) = self.sessions.get_mut(from) else {
            self.counters.stray += 1;
            return;
        };
        let was_connected = session.is_connected();
        let mut is_answered = false;
        let mut outcome =
            session.handle_datagram(now, datagram, &mut self.scratch, decrypted, |bytes| {
                is_answered = true;
                send(bytes);
            });
        // dimpl drops a ClientHello without a cipher suite in common.
        if is_new && !is_answered {
            self.counters.refused += 1;
            outcome = Err(SessionEnded);
            if let Some(alert) = fatal_alert(datagram, AlertDescription::HandshakeFailure) {
                send(&alert);
            }
        }
        if session.is_connected() && !was_connected {
            self.handshakes -= 1;
            self.counters.connected += 1;
        }
        if outcome.is_err() {
            self.remove(from);
            decrypted.session_ended = true;
        }
    }

    /// Recognises the ClientHello that a session began with, sent again.
    fn is_retransmitted_hello(&self, from: &FiveTuple, hello: &[u8]) -> bool {
        self.sessions.get(from).is_some_and(|session| session.began_with(hello))
    }

    /// Handles the ClientHello of a new client. Returns true if a session begins with it.
    fn handle_hello(
        &mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        hello: &[u8],
        decrypted: &mut Decrypted,
        send: &mut impl FnMut(&[u8]),
    ) -> bool {
        match self.cookies.handle_hello(now, unix_now, from.client, hello) {
            HelloResponse::Challenge(request) => {
                self.counters.challenged += 1;
                send(&request);
                false
            }
            // The client has forgotten its earlier session, if any (RFC 6347 §4.2.8).
            HelloResponse::Verified(cookie) => {
                decrypted.session_ended = self.remove(from);
                let has_room =
                    self.sessions.len() < MAX_SESSIONS && self.handshakes < MAX_HANDSHAKES;
                let begun = has_room.then(|| {
                    let certificate = self.certificate.for_dtls()?;
                    let settings = Arc::clone(&self.settings);
                    Session::begin(now, settings, certificate, cookie, hello, &mut self.scratch)
                });
                let Some(session) = begun.flatten() else {
                    self.counters.refused += 1;
                    return false;
                };
                self.counters.begun += 1;
                self.handshakes += 1;
                self.sessions.insert(*from, session);
                self.next_tick.get_or_insert(now + TICK);
                true
            }
            HelloResponse::Alert(alert) => {
                self.counters.refused += 1;
                send(&alert);
                false
            }
            HelloResponse::Ignored => {
                self.counters.stray += 1;
                false
            }
        }
    }

    /// Encrypts a message for a client. Returns false without a connected session.
    pub(super) fn send(&mut self, to: &FiveTuple, message: &[u8], send: impl FnMut(&[u8])) -> bool {
        let Some(session) = self.sessions.get_mut(to) else { return false };
        session.send(message, &mut self.scratch, send).is_ok()
    }

    /// The time of the next [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next_tick
    }

    /// Retransmits flights, and ends sessions that are due for review and not in use. Returns the
    /// clients whose sessions ended.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        is_in_use: impl Fn(&FiveTuple) -> bool,
        mut send: impl FnMut(&FiveTuple, &[u8]),
    ) -> Vec<FiveTuple> {
        let mut ended = Vec::new();
        if self.next_tick.is_none_or(|tick| tick > now) {
            return ended;
        }
        for (client, session) in &mut self.sessions {
            let send = |bytes: &[u8]| send(client, bytes);
            let is_due = session.review_at <= now;
            let outcome = if is_due && !is_in_use(client) {
                session.close(&mut self.scratch, send);
                Err(SessionEnded)
            } else {
                if is_due {
                    session.review_at = now + REVIEW_INTERVAL;
                }
                session.handle_timeout(now, &mut self.scratch, send)
            };
            if outcome.is_err() {
                ended.push(*client);
            }
        }
        for client in &ended {
            self.remove(client);
        }
        self.next_tick = (!self.sessions.is_empty()).then_some(now + TICK);
        ended
    }

    /// Counts the sessions.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Removes a session; returns true if there was one.
    fn remove(&mut self, client: &FiveTuple) -> bool {
        let Some(session) = self.sessions.remove(client) else { return false };
        self.counters.panicked += u64::from(session.has_panicked());
        if !session.is_connected() {
            self.handshakes -= 1;
        }
        if self.sessions.capacity() > 64 && self.sessions.len() < self.sessions.capacity() / 4 {
            self.sessions.shrink_to(self.sessions.len() * 2);
        }
        true
    }
}
