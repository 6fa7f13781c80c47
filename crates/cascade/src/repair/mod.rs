//! Repair of lost media: the sender keeps what it sent, the receiver asks for what is missing.

mod receiver;
mod sender;
#[cfg(test)]
mod tests;

pub(crate) use receiver::Receiver;
pub(crate) use sender::Sender;
