//! All rooms with their people at once, for whoever watches.

use std::sync::Arc;

use axum::{Extension, extract::State, http::HeaderMap, response::Response};
use room::protocol::Topology;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    caller::Caller,
    parts::Parts,
    problem::Problem,
    shown::{Participant, Room, Waiting},
    tagged::tagged,
};
use crate::signaling::RoomDetails;

/// Rooms shown, those with most people.
const MAX_ROOMS: usize = 200;

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(show))
}

/// The open rooms and their people.
#[derive(Debug, Serialize, ToSchema)]
struct Overview {
    /// Rooms, those with most people first.
    rooms: Vec<OpenRoom>,
    /// Number of rooms beyond the 200 with most people.
    more: usize,
}

/// A room with its people.
#[derive(Debug, Serialize, ToSchema)]
struct OpenRoom {
    /// The room.
    #[serde(flatten)]
    room: Room,
    /// The topology just now.
    topology: Topology,
    /// Participants, in the order they joined.
    people: Vec<Participant>,
    /// Whoever waits for admission.
    waiting_people: Vec<Waiting>,
}

impl From<&RoomDetails> for OpenRoom {
    fn from(room: &RoomDetails) -> Self {
        Self {
            room: room.into(),
            topology: room.current_topology,
            people: room.participants.iter().map(Participant::from).collect(),
            waiting_people: room.waiting.iter().map(Waiting::from).collect(),
        }
    }
}

/// Shows the open rooms and their people. With `If-None-Match`, only if anything has changed.
#[utoipa::path(get, path = "/overview", tag = "rooms",
    params(("If-None-Match" = Option<String>, Header, description = "`ETag` of the last answer")),
    responses(
        (status = 200, body = Overview, headers(("ETag" = String))),
        (status = 304, description = "Nothing has changed"),
    ))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.may_read()?;
    let mut open = parts.signaling.rooms();
    open.sort_by(|a, b| b.participants.cmp(&a.participants).then_with(|| a.name.cmp(&b.name)));
    let more = open.len().saturating_sub(MAX_ROOMS);
    open.truncate(MAX_ROOMS);
    let mut rooms = Vec::new();
    for summary in open {
        // A room that has closed meanwhile is left out.
        if let Ok(room) = parts.signaling.describe_room(&summary.name).await {
            rooms.push(OpenRoom::from(&room));
        }
    }
    tagged(&headers, &Overview { rooms, more })
}
