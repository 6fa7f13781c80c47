//! One client's session.

use std::{
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
pub(super) struct Session {
    dtls: Dtls,
    cookie: Cookie,
    connected: bool,
    /// When it is next asked for its allocation.
    pub(super) review_at: Instant,
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
        let mut dtls = Dtls::new_12(settings, certificate, now);
        dtls.handle_timeout(now).ok()?;
        // It has to have seen the first hello, and challenged it as we have.
        dtls.handle_packet(&strip_cookie(hello)?).ok()?;
        let mut session =
            Self { dtls, cookie, connected: false, review_at: now + REVIEW, wake: None };
        session.drain(scratch, &mut Heard::default(), |_| {}).ok()?;
        Some(session)
    }

    /// Whether this is the hello the session began with, sent again: by the client, which has not
    /// been answered, or by somebody who has seen it and would have the session end.
    pub(super) fn began_with(&self, hello: &[u8]) -> bool {
        hello.windows(COOKIE_LEN).any(|bytes| *bytes == self.cookie)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.connected
    }

    pub(super) fn handle_datagram(
        &mut self,
        now: Instant,
        datagram: &[u8],
        scratch: &mut Vec<u8>,
        heard: &mut Heard,
        send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        let taken = cookie::expecting(self.cookie, || {
            self.dtls.handle_timeout(now)?;
            self.dtls.handle_packet(datagram)
        });
        if let Err(error) = taken {
            tracing::debug!(%error, "DTLS session ended");
            return Err(Ended);
        }
        self.drain(scratch, heard, send)
    }

    /// Encrypts a message and gives it to `send`. Before the handshake is done nothing is sent.
    pub(super) fn seal(
        &mut self,
        message: &[u8],
        scratch: &mut Vec<u8>,
        send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        if !self.connected {
            return Err(Ended);
        }
        self.dtls.send_application_data(message).map_err(|_| Ended)?;
        self.drain(scratch, &mut Heard::default(), send)
    }

    pub(super) fn handle_timeout(
        &mut self,
        now: Instant,
        scratch: &mut Vec<u8>,
        send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        if self.wake.is_none_or(|wake| wake > now) {
            return Ok(());
        }
        self.dtls.handle_timeout(now).map_err(|_| Ended)?;
        self.drain(scratch, &mut Heard::default(), send)
    }

    /// Tells the client that this is the end.
    pub(super) fn close(&mut self, scratch: &mut Vec<u8>, send: impl FnMut(&[u8])) {
        if self.dtls.close().is_ok() {
            let _ = self.drain(scratch, &mut Heard::default(), send);
        }
    }

    /// Does what the library wants done, to the last.
    fn drain(
        &mut self,
        scratch: &mut Vec<u8>,
        heard: &mut Heard,
        mut send: impl FnMut(&[u8]),
    ) -> Result<(), Ended> {
        let mut ended = Ok(());
        loop {
            match self.dtls.poll_output(scratch) {
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
