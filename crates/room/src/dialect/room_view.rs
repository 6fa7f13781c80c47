//! A room as seen by one of its clients.

use crate::{participant::Participant, room::Room};

/// The room of a request, its sender, and the other participants.
#[derive(Debug, Clone)]
pub struct RoomView<'a> {
    /// The room's name.
    pub room: &'a str,
    /// The id of the client that sent the request.
    pub me: &'a str,
    /// The other participants, in the order they joined.
    pub others: Vec<&'a Participant>,
}

impl<'a> RoomView<'a> {
    /// The room called `name` as seen by `me`; empty if `room` is `None`.
    pub fn new(name: &'a str, me: &'a str, room: Option<&'a Room>) -> Self {
        let present = room.into_iter().flat_map(Room::participants);
        let others = present.filter(|participant| participant.id.as_str() != me).collect();
        Self { room: name, me, others }
    }
}
