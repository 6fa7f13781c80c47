//! Echo of data channel messages, for probes.

use str0m::channel::ChannelData;

use super::Link;

/// Bytes of a message that is echoed; more would not fit a datagram.
const MAX_MESSAGE_BYTES: usize = 1200;
/// Messages that are echoed on one link: 150 a second for the life of a probe.
const MAX_MESSAGES: u32 = 2_250;

/// Messages that have arrived on an echoing link.
#[derive(Debug, Default)]
pub(super) struct Echo {
    received: u32,
}

impl Link {
    /// Echoes messages from now on.
    pub(crate) fn start_echo(&mut self) {
        self.echo = Some(Echo::default());
    }

    /// Sends a message back, followed by the number of messages so far.
    pub(super) fn echo(&mut self, message: &ChannelData) {
        let Some(echo) = &mut self.echo else { return };
        if echo.received >= MAX_MESSAGES || message.data.len() > MAX_MESSAGE_BYTES {
            return;
        }
        echo.received += 1;
        let echoed = [&message.data, &echo.received.to_be_bytes()[..]].concat();
        if let Some(mut channel) = self.rtc.channel(message.id) {
            // Fails if the send buffer is full, which is loss to the client.
            let _ = channel.write(true, &echoed);
        }
    }
}
