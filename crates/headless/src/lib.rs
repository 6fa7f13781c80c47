//! A headless WebRTC participant, sans-IO: publishes recorded VP8 and Opus, receives, and measures.
//!
//! A [`Participant`] is one peer connection. It takes the time, datagrams and SDP, and returns
//! datagrams; [`ReceivedTrack`] has the measurements of each track. The caller carries SDP and
//! datagrams, so the same participant calls moim or any other media server.
//!
//! The published media is decodable: a browser in the same room shows a video and plays a chord.
//! Each frame carries a [`Stamp`], from which receivers with the same epoch compute its delay.
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
