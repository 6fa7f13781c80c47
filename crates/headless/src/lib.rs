//! A participant without a browser, sans-IO: publishes recorded VP8 and Opus, subscribes, measures.
//!
//! A [`Participant`] is one WebRTC connection. It is told the time and handed datagrams and SDP; it
//! gives out datagrams, and [`Reception`] tells what came of each track. How SDP and datagrams
//! travel is the caller's affair, so the same participant calls moim and any other media server.
//!
//! What it publishes is decodable: a browser in the same room sees a picture and hears a chord. Each
//! frame carries a [`Stamp`], so whoever receives it and shares the epoch knows how long it took.
//!
//! After each `handle_*` and `offer` drain [`Participant::poll_transmit`]; call
//! [`Participant::handle_timeout`] at [`Participant::poll_timeout`].

mod camera;
mod clip;
mod decoder;
mod descriptor;
mod microphone;
mod packet;
mod participant;
mod received_track;
mod stamp;

pub use camera::Layer;
pub use participant::{
    Config, NegotiateError, Offer, Participant, Publish, Section, Transmit, Transport,
};
pub use received_track::ReceivedTrack;
pub use stamp::Stamp;
