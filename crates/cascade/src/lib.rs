//! Links between shards of different servers: QUIC with mutual TLS, media as datagrams whose loss is
//! repaired, and requests on one ordered stream.
//!
//! Sans-IO: an [`Endpoint`] is given the time and datagrams, and returns datagrams to send and
//! events. It owns no socket, no clock and no thread, and doesn't know what it carries.
//!
//! # Contract
//!
//! 1. Call [`Endpoint::handle_datagram`], [`Endpoint::want`], [`Endpoint::send_message`],
//!    [`Endpoint::send_media`].
//! 2. Drain [`Endpoint::poll_event`], then [`Endpoint::poll_transmit`], each until it returns `None`.
//! 3. Call [`Endpoint::handle_timeout`] at [`Endpoint::poll_timeout`], then drain again.
//!
//! # Links
//!
//! There is one link for each pair of shards. The shard with the lower number connects, when
//! [`Endpoint::want`] asks for it, and again after a failure. A link that nobody has asked for, and
//! that has carried nothing for [`IDLE_TIMEOUT`], is closed.
//!
//! What is sent while there is no link is lost. [`Event::Connected`] tells both sides to send all
//! state; [`Event::Disconnected`] tells them to forget the other's. Between the two, messages arrive
//! whole and in order, and media at most once, in any order. What has arrived of a link that ends
//! and was not polled yet is dropped.
//!
//! A link ends at whatever no shard sends on its stream: its end, a message longer than
//! [`MAX_MESSAGE`], another first message than a greeting, or none for ten seconds. So does one whose
//! other side does not read, or acknowledges nothing of the media that it is sent. Datagrams that
//! can't be parsed are counted. A panic of a link's code ends that link, and no others.
//!
//! # Loss
//!
//! Each datagram of media has a number. The receiver asks for missing numbers; the sender keeps
//! what it sent for a while. Audio is sent twice while the link loses packets. What is lost after
//! that, and queues on the path, are reported by [`Event::Congested`], so that the receiver asks for
//! less. QUIC's congestion control is off: it would delay bursts of keyframes.

pub mod datagram;
mod endpoint;
mod failure;
mod frames;
mod health;
mod link;
mod numbers;
mod repair;
mod unlimited;

pub use endpoint::{Config, ConfigError, Endpoint, IDLE_TIMEOUT, Transmit};
pub use failure::{CloseReason, Failure};
pub use frames::MAX_MESSAGE;
pub use link::{Event, Media, Stats};
