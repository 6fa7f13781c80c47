//! STUN messages: parsed in place, written into a reused buffer (RFC 8489).

pub mod attribute;
mod integrity;
mod message;
mod transaction_id;
mod writer;

pub use integrity::{Integrity, Key, PasswordAlgorithm, userhash};
pub(crate) use message::message_type;
pub use message::{Class, Message, Method, ParseMessageError};
pub use transaction_id::{MAGIC_COOKIE, TransactionId};
pub use writer::Writer;
