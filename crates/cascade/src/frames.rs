//! Messages on a stream: a length of two bytes and the message.

use bytes::{Buf as _, Bytes, BytesMut};

/// Longest message.
pub const MAX_MESSAGE: usize = 4096;
/// Bytes that wait for the other side to read. More means that it doesn't.
const MAX_QUEUED: usize = 1 << 20;
const LENGTH: usize = 2;

/// Messages to be written.
#[derive(Debug, Default)]
pub(crate) struct Outgoing(BytesMut);

/// Bytes read that are no whole message yet.
#[derive(Debug, Default)]
pub(crate) struct Incoming(BytesMut);

/// A message that is too long, or a full queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

impl Outgoing {
    pub(crate) fn push(&mut self, message: &[u8]) -> Result<(), TooLong> {
        let len = u16::try_from(message.len()).map_err(|_| TooLong)?;
        if message.len() > MAX_MESSAGE || self.0.len() + LENGTH + message.len() > MAX_QUEUED {
            return Err(TooLong);
        }
        self.0.extend_from_slice(&len.to_be_bytes());
        self.0.extend_from_slice(message);
        Ok(())
    }

    /// The bytes to write next.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn on_written(&mut self, count: usize) {
        self.0.advance(count.min(self.0.len()));
    }
}

impl Incoming {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// The next whole message. To be called until there is none, so that at most one waits.
    pub(crate) fn next(&mut self) -> Result<Option<Bytes>, TooLong> {
        let Some(length) = self.0.first_chunk::<LENGTH>() else { return Ok(None) };
        let length = usize::from(u16::from_be_bytes(*length));
        if length > MAX_MESSAGE {
            return Err(TooLong);
        }
        if self.0.len() < LENGTH + length {
            return Ok(None);
        }
        self.0.advance(LENGTH);
        Ok(Some(self.0.split_to(length).freeze()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn long_messages_and_full_queues_are_refused() {
        let mut out = Outgoing::default();
        assert_eq!(out.push(&[0; MAX_MESSAGE + 1]), Err(TooLong));
        let pushed = (0..1000).take_while(|_| out.push(&[0; MAX_MESSAGE]).is_ok()).count();
        assert_eq!(pushed, MAX_QUEUED / (MAX_MESSAGE + LENGTH));
        let mut incoming = Incoming::default();
        incoming.push(&[0xff, 0xff]);
        assert_eq!(incoming.next(), Err(TooLong));
    }

    proptest! {
        #[test]
        fn messages_arrive_whole_however_they_are_cut(
            messages in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
            cut in 1..200_usize,
        ) {
            let mut out = Outgoing::default();
            messages.iter().for_each(|message| out.push(message).unwrap());
            let mut incoming = Incoming::default();
            let mut arrived = Vec::new();
            while !out.bytes().is_empty() {
                let piece = out.bytes()[..cut.min(out.bytes().len())].to_vec();
                out.on_written(piece.len());
                incoming.push(&piece);
                while let Some(message) = incoming.next().unwrap() {
                    arrived.push(message.to_vec());
                }
            }
            prop_assert_eq!(arrived, messages);
        }
    }
}
