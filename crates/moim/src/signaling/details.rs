//! A room's state, as its operator sees it.

use quality::Sample;
use room::{
    Participant, Room,
    protocol::{Policy, RoomSummary, Topology, TopologyChoice, Waiting},
    rights::Rights,
};

use super::{history::History, visits::Visits};

/// A room's state.
#[derive(Debug, Clone)]
pub(crate) struct RoomDetails {
    /// Identifies the room among all that ever had its name.
    pub(crate) id: String,
    /// False for a room from before a restart that opens when somebody enters.
    pub(crate) is_open: bool,
    /// Time at which it opened, in milliseconds since 1970.
    pub(crate) opened: i64,
    pub(crate) summary: RoomSummary,
    pub(crate) topology: TopologyChoice,
    pub(crate) current_topology: Topology,
    /// `None` in a room without hosts.
    pub(crate) policy: Option<Policy>,
    /// Text of the application that embeds the room.
    pub(crate) metadata: String,
    /// Changes with the settings.
    pub(crate) revision: String,
    /// In the order they joined.
    pub(crate) participants: Vec<ParticipantDetails>,
    pub(crate) waiting: Vec<Waiting>,
}

/// A participant's state.
#[derive(Debug, Clone)]
pub(crate) struct ParticipantDetails {
    pub(crate) participant: Participant,
    /// Its rights.
    pub(crate) rights: Rights,
    /// Identity of its token, if it joined with one.
    pub(crate) identity: Option<String>,
    /// Time of joining, in milliseconds since 1970.
    pub(crate) joined: i64,
    /// False while it is expected back.
    pub(crate) is_connected: bool,
    /// The last ten seconds of its links.
    pub(crate) quality: Option<Sample>,
}

impl RoomDetails {
    pub(super) fn of(room: &Room, visits: &Visits, history: &History, revision: String) -> Self {
        let details = |participant: &Participant| ParticipantDetails {
            participant: participant.clone(),
            rights: room.rights_of(&participant.id),
            identity: room.identity(&participant.id).map(str::to_owned),
            joined: visits.joined(&participant.id).unwrap_or(visits.opened()),
            is_connected: room.is_connected(&participant.id),
            quality: history.latest(&participant.id),
        };
        Self {
            id: visits.id().to_owned(),
            is_open: true,
            opened: visits.opened(),
            summary: room.summary(),
            topology: room.topology_choice(),
            current_topology: room.topology(),
            policy: room.rules(),
            metadata: room.metadata().to_owned(),
            revision,
            participants: room.participants().map(details).collect(),
            waiting: room.waiting(),
        }
    }
}
