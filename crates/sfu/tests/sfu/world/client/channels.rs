//! Data channels of a client.

use std::time::Instant;

use str0m::channel::{ChannelConfig, Reliability};

use super::Client;

impl Client {
    /// Offers an unordered data channel that never retransmits.
    pub(crate) fn offer_unreliable(&mut self, now: Instant) -> String {
        let mut changes = self.rtc.sdp_api();
        changes.add_channel_with_config(ChannelConfig {
            label: "line".to_owned(),
            ordered: false,
            reliability: Reliability::MaxRetransmits { retransmits: 0 },
            ..ChannelConfig::default()
        });
        let (offer, pending) = changes.apply().unwrap();
        self.pending = Some(pending);
        self.drain(now);
        offer.to_sdp_string()
    }

    /// Opens more data channels.
    pub(crate) fn add_channels(&mut self, now: Instant, count: usize) {
        for _ in 0..count {
            self.rtc.direct_api().create_data_channel(ChannelConfig::default());
        }
        self.drain(now);
    }

    /// Sends a message on its data channel. Returns whether there was space for it.
    pub(crate) fn write_channel(&mut self, now: Instant, message: &[u8]) -> bool {
        let id = self.channel.expect("a channel has opened");
        // The server may have ended the association.
        let channel = self.rtc.channel(id);
        let written = channel.is_some_and(|mut it| it.write(true, message).unwrap_or(false));
        self.drain(now);
        written
    }
}
