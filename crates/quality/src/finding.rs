//! A trouble of one participant: when, what others or it noticed, and why.

use crate::Transport;

/// The direction of the media in trouble, from the participant's view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What it sends.
    Up,
    /// What it receives.
    Down,
}

/// What people noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Symptom {
    /// The participant's picture stood still.
    PictureStill {
        /// For that many others,
        viewers: u16,
        /// of that many.
        of: u16,
    },
    /// Pictures stood still at the participant's page.
    SawStill {
        /// That many.
        pictures: u16,
    },
    /// Pictures were not sent to the participant.
    NotSent {
        /// That many.
        pictures: u16,
    },
    /// The participant heard gaps.
    SoundGaps,
    /// Perhaps nothing: the trouble was repaired.
    Unnoticed,
}

/// The cause, in the order in which the rules look for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The server was too busy.
    Server,
    /// Nothing came from the participant.
    Silence,
    /// Packets from the participant were lost.
    UplinkLoss,
    /// The participant's whole computer was too slow.
    Overload,
    /// The participant's bandwidth was too low to send its picture.
    UplinkBandwidth,
    /// The participant's computer was too slow to encode.
    Cpu,
    /// Packets to the participant were lost.
    DownlinkLoss,
    /// The bandwidth to the participant was too low.
    DownlinkBandwidth,
    /// Packets to the participant came unevenly.
    DownlinkJitter,
    /// A lost packet delayed all that followed, or a relay was in between.
    Transport,
    /// A limit of the room or of the page.
    RoomRule,
    /// The samples show none.
    Unknown,
}

/// Numbers for the sentence: the worst of the time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Loss in the direction of the trouble, thousandths.
    pub loss: Option<u16>,
    /// Estimated bandwidth to the participant, kilobits per second.
    pub estimate_kbps: Option<u32>,
    /// Jitter.
    pub jitter_ms: Option<u32>,
    /// Busy share of the server, thousandths.
    pub server_busy: Option<u16>,
    /// The transport at the end of the time.
    pub transport: Option<Transport>,
    /// Pictures left out by a limit.
    pub paused_limit: Option<u16>,
}

impl Facts {
    /// The worst of both.
    pub(crate) fn worst(self, other: Self) -> Self {
        Self {
            loss: self.loss.max(other.loss),
            estimate_kbps: match (self.estimate_kbps, other.estimate_kbps) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
            jitter_ms: self.jitter_ms.max(other.jitter_ms),
            server_busy: self.server_busy.max(other.server_busy),
            transport: other.transport.or(self.transport),
            paused_limit: self.paused_limit.max(other.paused_limit),
        }
    }
}

/// A trouble and its cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Index of the participant.
    pub participant: usize,
    /// Seconds since 1970.
    pub from: i64,
    /// Seconds since 1970.
    pub to: i64,
    /// Direction in trouble.
    pub direction: Direction,
    /// What people noticed, at its worst.
    pub symptom: Symptom,
    /// Why.
    pub cause: Cause,
    /// Numbers.
    pub facts: Facts,
}

impl Symptom {
    /// The worse of two.
    pub(crate) fn worst(self, other: Self) -> Self {
        if other.severity() > self.severity() { other } else { self }
    }

    /// Greater is worse.
    pub(crate) fn severity(self) -> u32 {
        match self {
            Self::PictureStill { viewers, .. } => 4000 + u32::from(viewers),
            Self::SawStill { pictures } => 3000 + u32::from(pictures),
            Self::NotSent { pictures } => 2000 + u32::from(pictures).min(900),
            Self::SoundGaps => 1000,
            Self::Unnoticed => 0,
        }
    }
}
