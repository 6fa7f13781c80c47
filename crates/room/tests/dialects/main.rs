//! The dialects, compared with the observed behavior of the original servers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that is wrong may fail")]

mod codelab;
mod conference;
mod model;
mod one_to_one;
mod perfect_negotiation;
mod strangers;
mod video_chat;
mod world;
