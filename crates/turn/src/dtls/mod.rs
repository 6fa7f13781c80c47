//! The stateless cookie exchange of DTLS (RFC 6347 §4.2.1).
//!
//! A ClientHello costs its sender a round trip from the address it claims before the server stores
//! or computes anything for it. Fragmented hellos are ignored, so no fragment waits for others.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use aws_lc_rs::{constant_time, hmac};

use crate::rate::RateLimit;

/// Length of a cookie.
pub const COOKIE_LEN: usize = 32;
/// Length of a HelloVerifyRequest: record header, handshake header, version, cookie length and
/// cookie.
const REQUEST: usize = RECORD_HEADER + HANDSHAKE_HEADER + 3 + COOKIE_LEN;

const RECORD_HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;
const RANDOM: usize = 32;
/// Seconds for which cookies are the same. A cookie is valid in its period and in the next one.
const PERIOD: u64 = 30;

/// Handshakes per second that one address (of IPv6: one /64) may begin. Each costs a signature.
const HANDSHAKES_PER_SECOND: u32 = 50;
const HANDSHAKES_BURST: u32 = 300;

/// Length of an alert.
const ALERT: usize = RECORD_HEADER + 2;

/// The reason for ending a handshake (RFC 5246 §7.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertDescription {
    /// Client and server share no cipher suite or group.
    HandshakeFailure = 40,
    /// Client and server share no version.
    ProtocolVersion = 70,
}

/// A cookie that a client has returned.
pub type Cookie = [u8; COOKIE_LEN];

/// The response to a datagram of an address without a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HelloResponse {
    /// A first ClientHello: send this HelloVerifyRequest, which is shorter.
    Challenge([u8; REQUEST]),
    /// A ClientHello of a version before DTLS 1.2 (RFC 8996): send this alert.
    Alert([u8; ALERT]),
    /// A ClientHello with a valid cookie: the address is verified and the handshake may begin.
    Verified(Cookie),
    /// Anything else: send nothing.
    Ignored,
}

/// Challenges ClientHellos and verifies returned cookies.
pub struct CookieExchange {
    key: hmac::Key,
    answers: RateLimit,
    handshakes: RateLimit,
}

impl CookieExchange {
    /// A cookie exchange whose cookies are made with `key`, which only this process knows.
    /// `per_second` and `burst` limit the responses to one /24 or /64.
    #[must_use]
    pub fn new(key: [u8; 32], now: Instant, per_second: u32, burst: u32) -> Self {
        Self {
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            answers: RateLimit::new(now, per_second, burst),
            handshakes: RateLimit::new(now, HANDSHAKES_PER_SECOND, HANDSHAKES_BURST),
        }
    }

    /// Handles a datagram; `unix_now` is in seconds since 1970.
    pub fn handle_hello(
        &mut self,
        now: Instant,
        unix_now: u64,
        client: SocketAddr,
        datagram: &[u8],
    ) -> HelloResponse {
        let Some(hello) = Hello::parse(datagram) else { return HelloResponse::Ignored };
        if hello.cookie.is_empty() {
            if hello.message_seq != 0 || !self.answers.admit(now, client.ip(), false) {
                return HelloResponse::Ignored;
            }
            if hello.version == DTLS_1_0 {
                return HelloResponse::Alert(alert_to(&hello, AlertDescription::ProtocolVersion));
            }
            let cookie = self.cookie(unix_now / PERIOD, client, &hello);
            return HelloResponse::Challenge(request(&hello, &cookie));
        }
        let Ok(cookie) = Cookie::try_from(hello.cookie) else { return HelloResponse::Ignored };
        let period = unix_now / PERIOD;
        let ours = [period, period.saturating_sub(1)].into_iter().any(|period| {
            let right = self.cookie(period, client, &hello);
            constant_time::verify_slices_are_equal(&right, &cookie).is_ok()
        });
        // The second ClientHello has message_seq 1 (RFC 6347 §4.2.2).
        if ours && hello.message_seq == 1 && self.handshakes.admit(now, client.ip(), true) {
            HelloResponse::Verified(cookie)
        } else {
            HelloResponse::Ignored
        }
    }

    fn cookie(&self, period: u64, client: SocketAddr, hello: &Hello<'_>) -> Cookie {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&period.to_be_bytes());
        match client.ip() {
            IpAddr::V4(ip) => context.update(&ip.octets()),
            IpAddr::V6(ip) => context.update(&ip.octets()),
        }
        context.update(&client.port().to_be_bytes());
        context.update(hello.random);
        let mut cookie = [0; COOKIE_LEN];
        for (to, byte) in cookie.iter_mut().zip(context.sign().as_ref()) {
            *to = *byte;
        }
        cookie
    }
}

/// Returns whether a datagram is an unencrypted ClientHello.
#[must_use]
pub fn is_client_hello(datagram: &[u8]) -> bool {
    Hello::parse(datagram).is_some()
}

/// The first ClientHello, reconstructed from the second one by removing its cookie.
///
/// A DTLS library that takes over after the cookie exchange must have seen the first hello.
#[must_use]
pub fn strip_cookie(datagram: &[u8]) -> Option<Vec<u8>> {
    let hello = Hello::parse(datagram)?;
    let body: Vec<u8> = [hello.before, &[0], hello.after].concat();
    let mut first = Vec::with_capacity(datagram.len());
    first.extend_from_slice(datagram.get(..RECORD_HEADER - 2)?);
    first.extend_from_slice(&u16::try_from(HANDSHAKE_HEADER + body.len()).ok()?.to_be_bytes());
    let [_, length @ ..] = u32::try_from(body.len()).ok()?.to_be_bytes();
    first.push(CLIENT_HELLO);
    first.extend_from_slice(&length);
    first.extend_from_slice(&[0; 5]);
    first.extend_from_slice(&length);
    first.extend_from_slice(&body);
    Some(first)
}

/// A fatal alert in response to a ClientHello.
#[must_use]
pub fn fatal_alert(hello: &[u8], description: AlertDescription) -> Option<[u8; ALERT]> {
    Some(alert_to(&Hello::parse(hello)?, description))
}

const ALERT_RECORD: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const HELLO_VERIFY_REQUEST: u8 = 3;
const DTLS_1_0: [u8; 2] = [0xFE, 0xFF];

/// A ClientHello in one record and one fragment, alone in its datagram (RFC 6347 §4.3.2).
struct Hello<'a> {
    /// The record's sequence number, which the response repeats.
    record_seq: &'a [u8],
    message_seq: u16,
    version: [u8; 2],
    random: &'a [u8],
    cookie: &'a [u8],
    /// The body before the cookie's length, and the body after the cookie.
    before: &'a [u8],
    after: &'a [u8],
}

impl<'a> Hello<'a> {
    fn parse(datagram: &'a [u8]) -> Option<Self> {
        let (record, fragment) = datagram.split_first_chunk::<RECORD_HEADER>()?;
        let &[HANDSHAKE, 0xFE, _, 0, 0, _, _, _, _, _, _, high, low] = record else { return None };
        if usize::from(u16::from_be_bytes([high, low])) != fragment.len() {
            return None;
        }
        let (header, body) = fragment.split_first_chunk::<HANDSHAKE_HEADER>()?;
        let &[CLIENT_HELLO, l0, l1, l2, s0, s1, 0, 0, 0, f0, f1, f2] = header else { return None };
        let length = usize::try_from(u32::from_be_bytes([0, l0, l1, l2])).ok()?;
        if [l0, l1, l2] != [f0, f1, f2] || length != body.len() {
            return None;
        }
        let random = body.get(2..2 + RANDOM)?;
        let session = usize::from(*body.get(2 + RANDOM)?);
        let at = 2 + RANDOM + 1 + session;
        let cookie_len = usize::from(*body.get(at)?);
        Some(Self {
            record_seq: record.get(5..11)?,
            message_seq: u16::from_be_bytes([s0, s1]),
            version: *body.first_chunk()?,
            random,
            cookie: body.get(at + 1..at + 1 + cookie_len)?,
            before: body.get(..at)?,
            after: body.get(at + 1 + cookie_len..)?,
        })
    }
}

fn request(hello: &Hello<'_>, cookie: &Cookie) -> [u8; REQUEST] {
    /// Length of the cookie, of the body that it ends, and of the fragment with its header.
    const LENGTH: u8 = 32;
    const BODY: u8 = 3 + LENGTH;
    const FRAGMENT: u8 = 12 + BODY;
    debug_assert_eq!(RECORD_HEADER + usize::from(FRAGMENT), REQUEST);
    let record = [HANDSHAKE].into_iter().chain(DTLS_1_0).chain([0, 0]);
    let record = record.chain(hello.record_seq.iter().copied()).chain([0, FRAGMENT]);
    let header = [HELLO_VERIFY_REQUEST, 0, 0, BODY, 0, 0, 0, 0, 0, 0, 0, BODY];
    let body = DTLS_1_0.into_iter().chain([LENGTH]).chain(cookie.iter().copied());
    let mut request = [0; REQUEST];
    for (to, byte) in request.iter_mut().zip(record.chain(header).chain(body)) {
        *to = byte;
    }
    request
}

fn alert_to(hello: &Hello<'_>, description: AlertDescription) -> [u8; ALERT] {
    const LEVEL: u8 = 2;
    let record = [ALERT_RECORD].into_iter().chain(DTLS_1_0).chain([0, 0]);
    let record =
        record.chain(hello.record_seq.iter().copied()).chain([0, 2, LEVEL, description as u8]);
    let mut alert = [0; ALERT];
    for (to, byte) in alert.iter_mut().zip(record) {
        *to = byte;
    }
    alert
}

#[cfg(test)]
mod tests;
