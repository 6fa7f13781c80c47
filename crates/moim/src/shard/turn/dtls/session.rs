//! One client's session.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use turn::dtls::{COOKIE_LEN, Cookie, strip_cookie};

use super::{Heard, cookie};

/// For the whole handshake.
const HANDSHAKE: Duration = Duration::from_secs(15);
/// What a datagram of ours may be during the handshake; all paths carry as much.
const MTU: usize = 1200;

/// How sessions are, all of them.
pub(super) fn settings() -> Result<Arc<Config>, dimpl::Error> {
    let settings = Config::builder()
        .mtu(MTU)
        .handshake_timeout(HANDSHAKE)
        // Clients of TURN prove who they are inside, by their credentials.
        .require_client_certificate(false)
        .with_crypto_provider(cookie::provider());
    Ok(Arc::new(settings.build()?))
}

/// How often a client is asked for its allocation, without which it may not stay, whatever it sends.
pub(super) const REVIEW: Duration = Duration::from_secs(30);

/// The session is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ended;

/// A client that has proven its address.
///
/// A panic of the library ends the session in which it happened, and no other.
pub(super) struct Session {
    /// None once it has panicked.
    dtls: Option<Dtls>,
    state: State,
    cookie: Cookie,
    /// When it is next asked for its allocation.
    pub(super) review_at: Instant,
}

/// State that the library reports while its output is polled.
#[derive(Default)]
struct State {
    connected: bool,
    wake: Option<Instant>,
}

impl Session {
    /// Begins where the exchange of cookies left off, before the hello that brought one back.
    pub(super) fn begin(
        now: Instant,
        settings: Arc<Config>,
        certificate: DtlsCertificate,
        cookie: Cookie,
        hello: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Option<Self> {
        let dtls = contain(|| Dtls::new_12(settings, certificate, now))?;
        let review_at = now + REVIEW;
        let mut session = Self { dtls: Some(dtls), state: State::default(), cookie, review_at };
        // The library has to have seen the first hello, and challenged it as we have.
        let first = strip_cookie(hello)?;
        session
            .guard(|dtls, state| {
                dtls.handle_timeout(now)?;
                dtls.handle_packet(&first)?;
                Ok(state.drain(dtls, scratch, &mut Heard::default(), |_| {}))
            })
            .ok()?;
        Some(session)
    }

    /// Whether this is the hello the session began with, sent again: by the client, which has not
    /// been answered, or by somebody who has seen it and would have the session end.
    pub(super) fn began_with(&self, hello: &[u8]) -> bool {
        hello.windows(COOKIE_LEN).any(|bytes| *bytes == self.cookie)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state.connected
    }

    /// Whether the library has panicked.
    pub(super) fn is_broken(&self) -> bool {
        self.dtls.is_none()
    }

    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        scratch: &mut Vec<u8>,
        heard: &mut Heard,
        send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        let cookie = self.cookie;
        self.guard(|dtls, state| {
            assert!(!crate::faults::is_dtls_panic(datagram), "planted");
            cookie::expecting(cookie, || {
                dtls.handle_timeout(now)?;
                dtls.handle_packet(datagram)
            })?;
            Ok(state.drain(dtls, scratch, heard, send))
        })
    }

    /// Encrypts a message and gives it to `send`. Before the handshake is done nothing is sent.
    pub(super) fn seal(
        &mut self,
        message: &[u8],
        scratch: &mut Vec<u8>,
        send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        if !self.state.connected {
            return Err(Ended);
        }
        self.guard(|dtls, state| {
            dtls.send_application_data(message)?;
            Ok(state.drain(dtls, scratch, &mut Heard::default(), send))
        })
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        scratch: &mut Vec<u8>,
        send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        if self.is_broken() {
            return Err(Ended);
        }
        if self.state.wake.is_none_or(|wake| wake > now) {
            return Ok(());
        }
        self.guard(|dtls, state| {
            dtls.handle_timeout(now)?;
            Ok(state.drain(dtls, scratch, &mut Heard::default(), send))
        })
    }

    /// Tells the client that this is the end.
    pub(super) fn close(&mut self, scratch: &mut Vec<u8>, send: impl FnMut(&[u8])) {
        // The session is over either way.
        let _ = self.guard(|dtls, state| {
            dtls.close()?;
            Ok(state.drain(dtls, scratch, &mut Heard::default(), send))
        });
    }

    /// Calls the library. A session in which it fails or panics is over.
    fn guard(
        &mut self,
        call: impl FnOnce(&mut Dtls, &mut State) -> Result<Result<(), Ended>, dimpl::Error>,
    ) -> Result<(), Ended> {
        let dtls = self.dtls.as_mut().ok_or(Ended)?;
        let state = &mut self.state;
        match contain(|| call(dtls, state)) {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => {
                tracing::debug!(%error, "DTLS session ended");
                Err(Ended)
            }
            None => {
                self.discard();
                Err(Ended)
            }
        }
    }

    /// Drops the library's part, which after a panic may panic again.
    fn discard(&mut self) {
        let dtls = self.dtls.take();
        contain(|| drop(dtls));
    }
}

impl State {
    /// Polls the library until it has no more output.
    fn drain(
        &mut self,
        dtls: &mut Dtls,
        scratch: &mut Vec<u8>,
        heard: &mut Heard,
        mut send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        let mut ended = Ok(());
        loop {
            match dtls.poll_output(scratch) {
                Output::Packet(packet) => send(packet),
                Output::BufferTooSmall { needed } => scratch.resize(needed, 0),
                Output::ApplicationData(message) => heard.push(message),
                Output::Connected => self.connected = true,
                Output::CloseNotify => ended = Err(Ended),
                Output::Timeout(at) => {
                    self.wake = Some(at);
                    return ended;
                }
                // Certificates and keys for media, which we ask nobody for.
                _ => {}
            }
        }
    }
}

/// Calls what may panic; none if it did.
fn contain<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
