//! What the main runtime tells a shard's relay.

use bytes::Bytes;
use turn::FiveTuple;

use super::client::Client;

/// News of a client over TCP or TLS.
pub(crate) enum Command {
    /// A client has come; what is for it goes there.
    Opened(FiveTuple, Client),
    /// It sent a message.
    Message(FiveTuple, Bytes),
    /// It has sent none for a while.
    Silent(FiveTuple),
    /// It has left.
    Gone(FiveTuple),
}
