//! The magic cookie and the transaction id of a STUN message (RFC 8489 §5).

/// The value at offset 4 of every STUN message.
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// The 96 bits that match a response to its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);
