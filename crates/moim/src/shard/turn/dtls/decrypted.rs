//! The result of a DTLS datagram.

/// The messages of a DTLS datagram, and its effect on the session.
#[derive(Debug, Default)]
pub(crate) struct Decrypted {
    /// Messages, one after the other.
    plaintext: Vec<u8>,
    /// The end of each message.
    ends: Vec<usize>,
    /// A session of the client has ended, and with it the client's allocation. It may be an earlier
    /// session than that of the messages.
    pub(crate) session_ended: bool,
}

impl Decrypted {
    pub(super) fn clear(&mut self) {
        self.plaintext.clear();
        self.ends.clear();
        self.session_ended = false;
    }

    pub(super) fn push(&mut self, message: &[u8]) {
        self.plaintext.extend_from_slice(message);
        self.ends.push(self.plaintext.len());
    }

    /// Iterates over the messages in order.
    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.plaintext.get(start..*end))
    }
}
