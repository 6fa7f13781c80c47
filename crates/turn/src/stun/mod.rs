//! STUN messages: parsed in place, written into a reused buffer (RFC 8489).

pub mod attribute;
mod integrity;
mod message;
mod writer;

pub use integrity::{Integrity, Key, PasswordAlgorithm, userhash};
pub(crate) use message::message_type;
pub use message::{Class, MAGIC_COOKIE, Message, Method, ParseMessageError, TransactionId};
pub use writer::Writer;
