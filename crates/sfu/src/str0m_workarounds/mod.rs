//! Everything that str0m 0.25 does not offer, or does in a way that a server can't afford.
//!
//! Each file is one work-around. It can go once str0m has the change in the right-hand column:
//!
//! | file | work-around | upstream change that removes it |
//! |---|---|---|
//! | [`dtls_keys`] | a wrapped DTLS provider leaves SRTP keying material in a `thread_local!` | `Rtc::keying_material()` or an `Event` that carries it |
//! | [`received`] | a wrapped SRTP provider and a header extension note in a `thread_local!` that a packet was authentic, and its `twcc_seq` | an event for every authenticated RTP packet, padding and RTX included; a bounded TWCC register |
//! | [`nominated_path`] | a meaningless RTCP APP packet shows on which path str0m sends | `Rtc::nominated_pair()` |
//! | [`receive_streams`] | streams that an unauthenticated packet moved to its SSRC are moved back | bind an SSRC to a stream after SRTP authentication |
//! | [`send_streams`] | str0m's send streams are removed after each negotiation | an option to negotiate sections without creating `StreamTx` |
//! | [`panics`] | panics are caught and end one link | errors instead of panics on input from the network |
//!
//! `send/rtcp_filter.rs` is related: str0m parses RTCP of all types, so it is given only those it needs.

pub(crate) mod dtls_keys;
pub(crate) mod nominated_path;
pub(crate) mod panics;
pub(crate) mod receive_streams;
pub(crate) mod received;
pub(crate) mod send_streams;
