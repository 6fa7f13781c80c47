//! Messages between the shards of a room (cascade).
//!
//! A track is sent to another shard once, decrypted, each packet as a shared buffer. Requests to
//! its publisher travel in the opposite direction. Between servers, messages have a wire form.

mod message;
mod wire;

pub use message::ShardMessage;
pub(crate) use message::{EncodingInterest, MessageBody};
pub use wire::DecodeError;
