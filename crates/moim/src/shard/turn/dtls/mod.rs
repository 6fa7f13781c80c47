//! TURN clients over DTLS (RFC 7350): sessions by five-tuple, sans-IO.
//!
//! Nothing is kept for an address before it is proven: [`turn::dtls::CookieExchange`] answers first hellos,
//! and a session begins with the hello that brings its cookie back.

mod cookie;
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
use session::{Ended, REVIEW, Session};

/// Sessions at once; one takes some ten kilobytes.
const SESSIONS: usize = 8192;
/// Of these, handshakes that are not done.
const HANDSHAKES: usize = 1024;
/// How often sessions are looked through for what is due: no handshake needs it finer.
const TICK: Duration = Duration::from_millis(250);

/// All sessions of a shard.
pub(crate) struct Endpoint {
    cookies: CookieExchange,
    settings: Arc<dimpl::Config>,
    certificate: Arc<CurrentCertificate>,
    sessions: HashMap<FiveTuple, Session>,
    handshakes: usize,
    next_tick: Option<Instant>,
    /// What dimpl writes into.
    scratch: Vec<u8>,
    pub(super) tally: Tally,
}

/// What has happened, for whoever watches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// First hellos answered.
    pub(crate) challenged: u64,
    /// Handshakes begun by who proved its address.
    pub(crate) begun: u64,
    /// Handshakes done.
    pub(crate) connected: u64,
    /// Not begun, as there were too many, or given up, as there is no version or cipher for both.
    pub(crate) refused: u64,
    /// Sessions lost to a panic of the library.
    pub(crate) panicked: u64,
    /// Datagrams of nobody known.
    pub(crate) stray: u64,
}

/// What came of a datagram.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// Messages of the client, one behind the other.
    plain: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
    /// What was before this datagram is over, and the client's allocation with it.
    pub(super) ended: bool,
}

impl Heard {
    fn clear(&mut self) {
        self.plain.clear();
        self.ends.clear();
        self.ended = false;
    }

    fn push(&mut self, message: &[u8]) {
        self.plain.extend_from_slice(message);
        self.ends.push(self.plain.len());
    }

    /// The messages, in order.
    pub(super) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.plain.get(start..*end))
    }
}

impl Endpoint {
    /// An endpoint without sessions, whose cookies are made with `key`.
    ///
    /// # Errors
    /// The crypto library does not do what it should.
    pub(crate) fn new(
        certificate: Arc<CurrentCertificate>,
        key: [u8; 32],
        now: Instant,
    ) -> Result<Self, dimpl::Error> {
        Ok(Self {
            cookies: CookieExchange::new(key, now, 300, 1000),
            settings: session::settings()?,
            certificate,
            sessions: HashMap::new(),
            handshakes: 0,
            next_tick: None,
            scratch: vec![0; 2 * 1024],
            tally: Tally::default(),
        })
    }

    /// Takes in a datagram. What it says is put into `heard`; what is to be sent back to its sender
    /// is given to `send`.
    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        datagram: &[u8],
        heard: &mut Heard,
        mut send: impl FnMut(&[u8]),
    ) {
        heard.clear();
        let mut is_new = false;
        if is_client_hello(datagram) && !self.is_begun_with(from, datagram) {
            is_new = self.greet(now, unix_now, from, datagram, heard, &mut send);
            if !is_new {
                return;
            }
        }
        let Some(session) = self.sessions.get_mut(from) else {
            self.tally.stray += 1;
            return;
        };
        let was_connected = session.is_connected();
        let mut answered = false;
        let mut outcome =
            session.handle_datagram(now, datagram, &mut self.scratch, heard, |bytes| {
                answered = true;
                send(bytes);
            });
        // The library drops a hello that offers nothing it knows.
        if is_new && !answered {
            self.tally.refused += 1;
            outcome = Err(Ended);
            if let Some(alert) = fatal_alert(datagram, AlertDescription::HandshakeFailure) {
                send(&alert);
            }
        }
        if session.is_connected() && !was_connected {
            self.handshakes -= 1;
            self.tally.connected += 1;
        }
        if outcome.is_err() {
            self.forget(from);
            heard.ended = true;
        }
    }

    /// Whether this is the hello that somebody's session began with, sent again.
    fn is_begun_with(&self, from: &FiveTuple, hello: &[u8]) -> bool {
        self.sessions.get(from).is_some_and(|session| session.began_with(hello))
    }

    /// A hello of somebody new, who is challenged, or whose session begins. Whether it does.
    fn greet(
        &mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        hello: &[u8],
        heard: &mut Heard,
        send: &mut impl FnMut(&[u8]),
    ) -> bool {
        match self.cookies.handle_hello(now, unix_now, from.client, hello) {
            HelloResponse::Challenge(request) => {
                self.tally.challenged += 1;
                send(&request);
                false
            }
            // The client has forgotten the session it had, if any (RFC 6347 §4.2.8).
            HelloResponse::Verified(cookie) => {
                heard.ended = self.forget(from);
                let is_room = self.sessions.len() < SESSIONS && self.handshakes < HANDSHAKES;
                let begun = is_room.then(|| {
                    let certificate = self.certificate.for_dtls()?;
                    let settings = Arc::clone(&self.settings);
                    Session::begin(now, settings, certificate, cookie, hello, &mut self.scratch)
                });
                let Some(session) = begun.flatten() else {
                    self.tally.refused += 1;
                    return false;
                };
                self.tally.begun += 1;
                self.handshakes += 1;
                self.sessions.insert(*from, session);
                self.next_tick.get_or_insert(now + TICK);
                true
            }
            HelloResponse::Alert(alert) => {
                self.tally.refused += 1;
                send(&alert);
                false
            }
            HelloResponse::Ignored => {
                self.tally.stray += 1;
                false
            }
        }
    }

    /// Sends a message to a client; whether there is a session to send it by.
    pub(super) fn seal(&mut self, to: &FiveTuple, message: &[u8], send: impl FnMut(&[u8])) -> bool {
        let Some(session) = self.sessions.get_mut(to) else { return false };
        session.seal(message, &mut self.scratch, send).is_ok()
    }

    /// When [`Self::handle_timeout`] is next wanted.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.next_tick
    }

    /// Sends again what was not answered, and ends sessions that are not new any more unless they
    /// `stay`.
    /// Gives whom it ended.
    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        stays: impl Fn(&FiveTuple) -> bool,
        mut send: impl FnMut(&FiveTuple, &[u8]),
    ) -> Vec<FiveTuple> {
        let mut ended = Vec::new();
        if self.next_tick.is_none_or(|tick| tick > now) {
            return ended;
        }
        for (client, session) in &mut self.sessions {
            let send = |bytes: &[u8]| send(client, bytes);
            let is_due = session.review_at <= now;
            let outcome = if is_due && !stays(client) {
                session.close(&mut self.scratch, send);
                Err(Ended)
            } else {
                if is_due {
                    session.review_at = now + REVIEW;
                }
                session.handle_timeout(now, &mut self.scratch, send)
            };
            if outcome.is_err() {
                ended.push(*client);
            }
        }
        for client in &ended {
            self.forget(client);
        }
        self.next_tick = (!self.sessions.is_empty()).then_some(now + TICK);
        ended
    }

    /// How many sessions there are.
    pub(super) fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Ends a session at once; whether there was one.
    fn forget(&mut self, client: &FiveTuple) -> bool {
        let Some(session) = self.sessions.remove(client) else { return false };
        self.tally.panicked += u64::from(session.is_broken());
        if !session.is_connected() {
            self.handshakes -= 1;
        }
        if self.sessions.capacity() > 64 && self.sessions.len() < self.sessions.capacity() / 4 {
            self.sessions.shrink_to(self.sessions.len() * 2);
        }
        true
    }
}
