//! Work-arounds for what str0m 0.25 lacks, or does in a way that a server can't afford.
//!
//! Each file holds one, and can go once str0m has the upstream change named here.
//!
//! * [`dtls_keys`]: a wrapped DTLS provider copies the SRTP keying material to a `thread_local!`.
//!   Upstream: `Rtc::keying_material()`, or an `Event` that carries it.
//! * [`received`]: a wrapped SRTP provider and a header extension note in a `thread_local!` that a
//!   packet was authentic, and its `twcc_seq`. Upstream: an event for each authenticated RTP
//!   packet, including padding and RTX, and a bounded TWCC register.
//! * [`nominated_path`]: a meaningless RTCP APP packet reveals the path on which str0m sends.
//!   Upstream: `Rtc::nominated_pair()`.
//! * [`receive_streams`]: streams that a forged packet moved to its SSRC are moved back. Upstream:
//!   bind an SSRC to a stream only after SRTP authentication.
//! * [`send_streams`]: send streams are removed after each negotiation. Upstream: an option to
//!   negotiate sections without a `StreamTx`.
//! * [`panics`]: panics are caught and end one link. Upstream: errors instead of panics on input
//!   from the network.
//!
//! The RTCP filter in `send` is related: str0m parses RTCP of all types, so it is given only the
//! types that it needs.

pub(crate) mod dtls_keys;
pub(crate) mod nominated_path;
pub(crate) mod panics;
pub(crate) mod receive_streams;
pub(crate) mod received;
pub(crate) mod send_streams;
