//! The media server's forwarding core, sans-IO: peers, tracks, subscriptions, layers.
//!
//! An [`Sfu`] is one shard: it is told the time, handed datagrams and SDP, and says what to send
//! and what happened. It owns no socket, no clock and no thread. It terminates ICE (lite), DTLS and
//! SRTP for each of its peers and forwards RTP payloads without looking into them further than
//! their codec's payload descriptor.
//!
//! # The contract with whoever drives it
//!
//! 1. Call any `handle_*`, [`Sfu::add_peer`] or [`Sfu::remove_peer`], as many as there are at hand:
//!    a batch of received datagrams gives longer runs to each subscriber.
//! 2. Drain [`Sfu::poll_output`] until it says `None`. Only then is what was forwarded given out, one
//!    run per destination: a [`Transmit`] whose [`segment`](Transmit::segment) is
//!    shorter than its bytes is several datagrams of that size (the last may be shorter), fit for
//!    one GSO send.
//! 3. Call [`Sfu::handle_timeout`] at [`Sfu::poll_timeout`], and drain again.
//!
//! Ids are the caller's: a [`PeerId`] names one participant's link within the whole server, a
//! [`RoomId`] who hears whom. A track is named by the peer that publishes it and its [`Source`].
//!
//! # Signaling
//!
//! * [`Sfu::add_peer`] first; it costs nothing until the peer's first offer.
//! * [`Sfu::handle_publish`] says what the sending sections of the next offer are.
//! * [`Sfu::handle_offer`] is answered by [`Event::Answer`]. We are the impolite side of perfect
//!   negotiation: an offer that crosses ours is [`Refused::Crossed`] and needs no reply, since the
//!   browser rolls its own back. An offer with another DTLS fingerprint starts the link anew.
//! * Our own offers are [`Event::Offer`], each preceded by [`Event::Subscribed`], which lists who is
//!   on which receiving section. The answer goes to [`Sfu::handle_answer`].
//! * Sections are pooled: one that falls free is used again for somebody else, without an offer.
//!   Microphone and camera of one publisher are put on sections of one stream id, so that the
//!   browser keeps lips in sync; screen and its audio likewise.
//! * Candidates of the client need not be told: it reaches us, and we learn its address from an
//!   authenticated STUN check, never from RTP.
//! * [`Sfu::handle_subscribe`] says what a page shows. Of what is not listed audio comes and video at
//!   its smallest; with both sizes zero video is paused.
//! * [`Event::Wanted`] says which of a publisher's encodings anybody is to get, so that its browser
//!   can stop making the others.
//! * [`Event::Interrupted`] says that nothing comes from a peer any more, or something again.
//! * [`Event::Gone`] says that a link has ended (closed by the other side, or silent for too long);
//!   the peer is forgotten and may be added again.
//!
//! # Rooms across shards
//!
//! Tell each shard of a room which others there are ([`Sfu::handle_shards`]) and carry every
//! [`Output::Relay`] to the [`Sfu::handle_relay`] of the shard that it names, in order, over a bounded
//! queue. Peers then get tracks of all shards alike. [`Event::Speakers`] comes on each shard and
//! is complete on each: tell it to that shard's own peers.
//!
//! # Demultiplexing
//!
//! [`Sfu::handle_datagram`] takes what belongs to one of its peers and says whether it did. A STUN
//! check is known by the user name fragment that we gave out, anything else by the address that such
//! a check has proven. [`ufrag_of`] reads that fragment from a datagram and [`shard_of`] tells from
//! it which shard the peer lives on, so that another shard can hand the datagram over; from then on
//! the five-tuple is enough.

mod bwe;
mod config;
mod extensions;
mod ids;
mod link_event;
mod outbox;
mod output;
mod peer;
mod refused;
mod routes;
mod sdp;
mod send;
mod sfu;
mod shard_message;
mod str0m_workarounds;
mod timers;
mod track;
mod ufrag;

pub use config::{Config, Limits};
pub use ids::{PeerId, RoomId, Source, TrackId, Transport};
pub use output::{
    Dropped, Event, GoneReason, Output, Speaker, Subscribed, Transmit, Unavailable, Wish,
};
pub use refused::Refused;
pub use sdp::SdpError;
pub use send::rtcp;
pub use sfu::Sfu;
pub use shard_message::Relay;
pub use track::codec;
pub use ufrag::{shard_of, ufrag_of};
