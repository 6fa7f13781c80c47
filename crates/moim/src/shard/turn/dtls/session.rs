//! The DTLS session of one client.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use dimpl::{Config, Dtls, DtlsCertificate, Output};
use turn::dtls::{COOKIE_LEN, Cookie, strip_cookie};

use super::{Decrypted, cookie};

/// Time for the whole handshake.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(15);
/// Size of our datagrams during the handshake, in bytes; every path carries it.
const MTU: usize = 1200;
/// Interval of the checks that a client has an allocation; one without is disconnected.
pub(super) const REVIEW_INTERVAL: Duration = Duration::from_secs(30);

/// The settings of all sessions.
pub(super) fn settings() -> Result<Arc<Config>, dimpl::Error> {
    let settings = Config::builder()
        .mtu(MTU)
        .handshake_timeout(HANDSHAKE_TIMEOUT)
        // TURN clients authenticate with their credentials, inside DTLS.
        .require_client_certificate(false)
        .with_crypto_provider(cookie::provider());
    Ok(Arc::new(settings.build()?))
}

/// The session has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionEnded;

/// The session of a client whose address is verified. A panic of dimpl ends only the session in
/// which it happens.
pub(super) struct Session {
    /// `None` after a panic.
    dtls: Option<Dtls>,
    state: State,
    cookie: Cookie,
    /// Time of the next check that the client has an allocation.
    pub(super) review_at: Instant,
}

/// State that dimpl reports with its output.
#[derive(Default)]
struct State {
    is_connected: bool,
    timeout: Option<Instant>,
}

impl Session {
    /// Begins a session before the ClientHello that returned the cookie.
    pub(super) fn begin(
        now: Instant,
        settings: Arc<Config>,
        certificate: DtlsCertificate,
        cookie: Cookie,
        hello: &[u8],
        scratch: &mut Vec<u8>,
    ) -> Option<Self> {
        let dtls = contain(|| Dtls::new_12(settings, certificate, now))?;
        let review_at = now + REVIEW_INTERVAL;
        let mut session = Self { dtls: Some(dtls), state: State::default(), cookie, review_at };
        // dimpl needs the first ClientHello to send a HelloVerifyRequest, which is discarded: ours
        // was sent statelessly.
        let first = strip_cookie(hello)?;
        session
            .guard(|dtls, state| {
                dtls.handle_timeout(now)?;
                dtls.handle_packet(&first)?;
                Ok(state.drain(dtls, scratch, &mut Decrypted::default(), |_| {}))
            })
            .ok()?;
        Some(session)
    }

    /// Recognises the ClientHello that the session began with. It is a retransmission, or a replay
    /// by an attacker that must not end the session.
    pub(super) fn began_with(&self, hello: &[u8]) -> bool {
        hello.windows(COOKIE_LEN).any(|bytes| *bytes == self.cookie)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.state.is_connected
    }

    pub(super) fn has_panicked(&self) -> bool {
        self.dtls.is_none()
    }

    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        scratch: &mut Vec<u8>,
        decrypted: &mut Decrypted,
        send: impl FnMut(&[u8]),
    ) -> Result<(), SessionEnded> {
        let cookie = self.cookie;
        self.guard(|dtls, state| {
            #[cfg(debug_assertions)]
            assert!(!crate::faults::is_dtls_panic(datagram), "injected fault in a DTLS session");
            cookie::expecting(cookie, || {
                dtls.handle_timeout(now)?;
                dtls.handle_packet(datagram)
            })?;
            Ok(state.drain(dtls, scratch, decrypted, send))
        })
    }

    /// Encrypts a message. Fails before the handshake is complete.
    pub(super) fn send(
        &mut self,
        message: &[u8],
        scratch: &mut Vec<u8>,
        send: impl FnMut(&[u8]),
    ) -> Result<(), SessionEnded> {
        if !self.state.is_connected {
            return Err(SessionEnded);
        }
        self.guard(|dtls, state| {
            dtls.send_application_data(message)?;
            Ok(state.drain(dtls, scratch, &mut Decrypted::default(), send))
        })
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        scratch: &mut Vec<u8>,
        send: impl FnMut(&[u8]),
    ) -> Result<(), SessionEnded> {
        if self.has_panicked() {
            return Err(SessionEnded);
        }
        if self.state.timeout.is_none_or(|timeout| timeout > now) {
            return Ok(());
        }
        self.guard(|dtls, state| {
            dtls.handle_timeout(now)?;
            Ok(state.drain(dtls, scratch, &mut Decrypted::default(), send))
        })
    }

    /// Sends a close_notify alert.
    pub(super) fn close(&mut self, scratch: &mut Vec<u8>, send: impl FnMut(&[u8])) {
        // The session ends in any case.
        let _ = self.guard(|dtls, state| {
            dtls.close()?;
            Ok(state.drain(dtls, scratch, &mut Decrypted::default(), send))
        });
    }

    /// The only access to dimpl. An error or a panic ends the session.
    fn guard(
        &mut self,
        call: impl FnOnce(&mut Dtls, &mut State) -> Result<Result<(), SessionEnded>, dimpl::Error>,
    ) -> Result<(), SessionEnded> {
        let dtls = self.dtls.as_mut().ok_or(SessionEnded)?;
        let state = &mut self.state;
        match contain(|| call(dtls, state)) {
            Some(Ok(outcome)) => outcome,
            Some(Err(error)) => {
                tracing::debug!(%error, "DTLS session ended");
                Err(SessionEnded)
            }
            None => {
                self.discard();
                Err(SessionEnded)
            }
        }
    }

    /// Drops the connection of dimpl, which may panic once more.
    fn discard(&mut self) {
        let dtls = self.dtls.take();
        contain(|| drop(dtls));
    }
}

impl State {
    /// Drains the output of dimpl, up to its next timeout.
    fn drain(
        &mut self,
        dtls: &mut Dtls,
        scratch: &mut Vec<u8>,
        decrypted: &mut Decrypted,
        mut send: impl FnMut(&[u8]),
    ) -> Result<(), SessionEnded> {
        let mut outcome = Ok(());
        loop {
            match dtls.poll_output(scratch) {
                Output::Packet(packet) => send(packet),
                Output::BufferTooSmall { needed } => scratch.resize(needed, 0),
                Output::ApplicationData(message) => decrypted.push(message),
                Output::Connected => self.is_connected = true,
                Output::CloseNotify => outcome = Err(SessionEnded),
                Output::Timeout(at) => {
                    self.timeout = Some(at);
                    return outcome;
                }
                // Client certificates and SRTP keys, which we don't request.
                _ => {}
            }
        }
    }
}

/// Calls into dimpl; returns `None` if it panics.
fn contain<T>(call: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(call)).ok()
}
