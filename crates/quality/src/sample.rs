//! The quality of one participant's links over ten seconds or a minute.

/// The transport of a participant's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP to the media server or to the other participant.
    Udp,
    /// ICE-TCP.
    Tcp,
    /// A relay that the participant reaches over UDP or DTLS.
    RelayUdp,
    /// A relay that the participant reaches over TCP or TLS.
    RelayTcp,
    /// A relay that the participant reaches over an unknown transport.
    Relay,
}

impl Transport {
    const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::RelayUdp, Self::RelayTcp, Self::Relay];

    /// The number that stands for it in the store.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The transport of a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// A short name, for tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::RelayUdp => "relay_udp",
            Self::RelayTcp => "relay_tcp",
            Self::Relay => "relay",
        }
    }

    /// True if lost packets delay all that follow them.
    #[must_use]
    pub fn is_stream(self) -> bool {
        matches!(self, Self::Tcp | Self::RelayTcp)
    }
}

/// The reason for which a browser encodes less than it could (webrtc-stats
/// `qualityLimitationReason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EncoderLimit {
    /// None.
    None,
    /// The processor.
    Cpu,
    /// The bandwidth that the browser estimates.
    Bandwidth,
    /// Another one.
    Other,
    /// The whole computer: the page's own timers are late.
    Overload,
}

/// Lateness (thousandths of the time) of a page's timers from which on its computer is too slow.
/// Measured: up to 120 on an overloaded machine whose calls still worked, from 320 on in a browser
/// that was held to a fifth of a core.
const LATE_OVERLOADS: u16 = 200;
/// Loss (thousandths) to a viewer that may be why pictures stand still at its page.
const LOSS_OF_VIEWER: u16 = 30;

/// True if a page's timers are so late that what it sends, receives and measures is, too.
#[must_use]
pub fn is_overloaded(late: Option<u16>) -> bool {
    late >= Some(LATE_OVERLOADS)
}

/// True if pictures that stand still at a viewer's page tell something about who sends them: its own
/// computer or downlink may be the reason otherwise.
#[must_use]
pub fn is_witness(late: Option<u16>, loss_down: Option<u16>) -> bool {
    !is_overloaded(late) && loss_down < Some(LOSS_OF_VIEWER)
}

impl EncoderLimit {
    const ALL: [Self; 5] = [Self::None, Self::Cpu, Self::Bandwidth, Self::Other, Self::Overload];

    /// The number that stands for it in the store.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The limit of a number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// A short name, for tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Cpu => "cpu",
            Self::Bandwidth => "bandwidth",
            Self::Other => "other",
            Self::Overload => "overload",
        }
    }
}

/// A sample. `None`: unknown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample {
    /// Start, seconds since 1970.
    pub at: i64,
    /// Length.
    pub seconds: u16,
    /// The worst transport of the links.
    pub transport: Option<Transport>,
    /// Round-trip time.
    pub round_trip_ms: Option<u32>,
    /// Jitter.
    pub jitter_ms: Option<u32>,
    /// Lost packets from the participant, thousandths.
    pub loss_up: Option<u16>,
    /// Lost packets to the participant, thousandths.
    pub loss_down: Option<u16>,
    /// Kilobits per second from the participant.
    pub kbps_up: Option<u32>,
    /// Kilobits per second to the participant.
    pub kbps_down: Option<u32>,
    /// Estimated bandwidth to the participant, kilobits per second.
    pub estimate_kbps: Option<u32>,
    /// Frames per second that the page encodes.
    pub frames_up: Option<u16>,
    /// Frames per second that the page decodes, of all pictures.
    pub frames_down: Option<u16>,
    /// The page's limit in encoding.
    pub encoder_limit: Option<EncoderLimit>,
    /// Pictures that the participant is sent.
    pub pictures: Option<u16>,
    /// Lowest of their heights, pixels.
    pub height: Option<u16>,
    /// Pictures that stood still at the page.
    pub stalled: Option<u16>,
    /// Pictures not sent for lack of bandwidth.
    pub paused_bandwidth: Option<u16>,
    /// Pictures not sent because the page hides them.
    pub paused_hidden: Option<u16>,
    /// Pictures not sent because of a limit of the room or the page.
    pub paused_limit: Option<u16>,
    /// Sound that was concealed, thousandths.
    pub concealed: Option<u16>,
    /// Others whose pages have reported on the participant's picture.
    pub viewers: Option<u16>,
    /// Those at whose page it stood still.
    pub stalled_viewers: Option<u16>,
    /// True if the link was silent.
    pub interrupted: bool,
    /// Busy share of the server's busiest shard, thousandths.
    pub server_busy: Option<u16>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_the_store_stay_what_they_are() {
        let transports = Transport::ALL.map(|it| (it.number(), it.name()));
        let expected = [(0, "udp"), (1, "tcp"), (2, "relay_udp"), (3, "relay_tcp"), (4, "relay")];
        assert_eq!(transports, expected);
        assert!(Transport::ALL.iter().all(|it| Transport::from_number(it.number()) == Some(*it)));
        let limits = EncoderLimit::ALL.map(|it| (it.number(), it.name()));
        let expected = [(0, "none"), (1, "cpu"), (2, "bandwidth"), (3, "other"), (4, "overload")];
        assert_eq!(limits, expected);
        assert_eq!((Transport::from_number(5), EncoderLimit::from_number(5)), (None, None));
    }

    #[test]
    fn page_that_tells_nothing_is_not_overloaded_and_is_a_witness() {
        assert!(!is_overloaded(None) && is_witness(None, None));
        assert!(!is_overloaded(Some(120)) && is_overloaded(Some(320)));
        assert!(!is_witness(Some(320), Some(0)) && !is_witness(Some(0), Some(100)));
        assert!(is_witness(Some(120), Some(10)));
    }
}
