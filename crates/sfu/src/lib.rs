//! Sans-IO forwarding core of the media server: peers, tracks, subscriptions and layers.
//!
//! An [`Sfu`] is one shard. It is given the time, datagrams and SDP, and returns datagrams to send
//! and events. It owns no socket, no clock and no thread. It terminates ICE (lite), DTLS and SRTP
//! for each of its peers and forwards RTP payloads. Of a payload it parses only the codec's
//! descriptor.
//!
//! # Contract
//!
//! 1. Call any `handle_*` method, [`Sfu::add_peer`] or [`Sfu::remove_peer`]. Handle all input that
//!    is available before draining: larger batches make longer runs to each subscriber.
//! 2. Drain [`Sfu::poll_output`] until it returns `None`. Forwarded media is returned last, one run
//!    per destination. A [`Transmit`] with a [`segment`](Transmit::segment) shorter than its bytes
//!    is a run of datagrams of that size, of which the last may be shorter. It fits one GSO send.
//! 3. Call [`Sfu::handle_timeout`] at [`Sfu::poll_timeout`], then drain again.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use sfu::{Config, Output, PeerId, RoomId, Sfu, Transport};
//! use std::{net::UdpSocket, time::{Duration, Instant}};
//!
//! let socket = UdpSocket::bind("192.0.2.1:3478")?;
//! let local = socket.local_addr()?;
//! let mut config = Config::new(0, rand::random());
//! config.candidates.push((Transport::Udp, local));
//! let mut sfu = Sfu::new(config, Instant::now());
//! sfu.add_peer(Instant::now(), RoomId(1), PeerId(1))?;
//!
//! let mut buffer = [0; 1500];
//! loop {
//!     while let Some(output) = sfu.poll_output() {
//!         match output {
//!             Output::Transmit(run) => {
//!                 for datagram in run.datagrams() {
//!                     socket.send_to(datagram, run.to)?;
//!                 }
//!             }
//!             Output::Event(event) => println!("signaling sends {event:?}"),
//!             Output::ShardMessage(_) => unreachable!("a single shard has no siblings"),
//!         }
//!     }
//!     let pause = sfu.poll_timeout().map(|at| at.saturating_duration_since(Instant::now()));
//!     socket.set_read_timeout(pause.map(|pause| pause.max(Duration::from_millis(1))))?;
//!     if let Ok((length, from)) = socket.recv_from(&mut buffer) {
//!         sfu.handle_datagram(Instant::now(), local, from, Transport::Udp, &buffer[..length]);
//!     }
//!     sfu.handle_timeout(Instant::now());
//! }
//! # }
//! ```
//!
//! The caller chooses ids. A [`PeerId`] names one participant's link and is unique in the whole
//! server. The peers of a [`RoomId`] receive each other's tracks. A track is named by its publisher
//! and its [`Source`].
//!
//! # Signaling
//!
//! * [`Sfu::add_peer`] comes first. A peer costs nothing until its first offer.
//! * [`Sfu::handle_publish`] names the sources of the sending sections in the next offer.
//! * [`Sfu::handle_offer`] is answered by [`Event::Answer`]. The server is the impolite side of
//!   perfect negotiation: an offer that collides with one of ours is rejected with
//!   [`Rejection::OfferCollision`]. No reply is needed, since the browser rolls its offer back; ours
//!   is sent again if it waits for long. An offer with a different DTLS fingerprint replaces the link.
//! * [`Event::Offer`] is an offer of ours. [`Event::Subscriptions`] precedes it and lists the track
//!   on each receiving section. The answer goes to [`Sfu::handle_answer`].
//! * Receiving sections are pooled: a free section is reused for another track without an offer.
//!   Microphone and camera of one publisher share a stream id, so that the browser keeps them in
//!   sync. So do a screen share and its audio.
//! * Clients need not signal candidates. The client connects to us, and its address is learned from
//!   an authenticated STUN check, never from RTP.
//! * [`Sfu::handle_permit`] takes what a peer may send and receive; a new peer may everything.
//! * [`Sfu::handle_subscribe`] takes the viewports of a page. A track without a viewport is sent as
//!   audio, or as the lowest layer of its video. Video in a viewport of zero size is paused.
//! * [`Event::SubscribedEncodings`] lists the encodings that have a subscriber, so that the
//!   publisher's browser can stop the others (dynacast).
//! * [`Event::JoinStep`] and [`Event::Quality`] are for the operator: they need no reply.
//! * [`Sfu::repeat_events`] says again what a peer was told, where that may be lost.
//! * [`Event::Interrupted`] reports that a peer went silent or came back.
//! * [`Event::Disconnected`] reports that a link has ended: closed by the client, failed, or timed
//!   out. The peer is removed and may be added again.
//!
//! # Rooms across shards
//!
//! Give each shard of a room the list of its shards ([`Sfu::handle_room_shards`]). Deliver every
//! [`Output::ShardMessage`] to [`Sfu::handle_shard_message`] of the shard in its `to` field, in
//! order, over a bounded queue. Peers then receive the tracks of all shards. [`Event::Speakers`] is
//! emitted by the first shard of a room on a server only. Send it to the peers of all.
//!
//! # Rooms across servers
//!
//! Shards of other servers are remote shards ([`Sfu::handle_remote_shards`]). On each server, a room
//! has one ingress shard, which receives the tracks of other servers and passes them on to its
//! siblings. Shards send their own tracks to the ingress shards of the other servers. So an encoding
//! that is needed crosses once to each server, and never on to another. Messages to remote shards
//! have a wire form ([`ShardMessage::encode`]); media may be lost, other messages may not. The
//! driver reports the links: [`Sfu::handle_shard_connected`], [`Sfu::handle_shard_disconnected`],
//! [`Sfu::handle_shard_congestion`]. [`Event::Speakers`] is emitted on each server.
//!
//! # Demultiplexing
//!
//! [`Sfu::handle_datagram`] returns whether a datagram belongs to one of the shard's peers. A STUN
//! check is matched by the ICE username fragment that we issued, anything else by a five-tuple that
//! such a check has validated. [`ufrag_of`] reads the fragment from a datagram and [`shard_of`] the
//! shard from the fragment, so that another shard can forward the datagram. From then on the
//! five-tuple suffices.

mod bwe;
mod config;
mod extensions;
mod ids;
mod link_event;
mod outbox;
mod output;
mod peer;
mod permissions;
mod quality;
mod rejection;
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
    DisconnectReason, Dropped, Event, Output, Speaker, Subscription, Transmit, Unavailable,
    Viewport,
};
pub use permissions::Permissions;
pub use quality::{JoinStep, LinkQuality, MediaCounts, PacketCounts, PauseReason};
pub use rejection::Rejection;
pub use sdp::SdpError;
pub use send::rtcp;
pub use sfu::{RemoteShard, Sfu};
pub use shard_message::{DecodeError, ShardMessage};
pub use track::codec;
pub use ufrag::{shard_of, ufrag_of};
