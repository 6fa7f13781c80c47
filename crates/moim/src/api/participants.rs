//! Participants of a room, and who waits for admission.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use room::{
    Hosting, Operation,
    name::RoomName,
    protocol::{ParticipantId, TrackSource},
    rights::{Role, Sources},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::{Body, Path, Query, room_name},
    caller::Caller,
    page::{Page, PageQuery},
    parts::Parts,
    problem::Problem,
    shown::{Participant, Waiting},
};
use crate::signaling::{Operating, ParticipantDetails, RoomDetails};

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(show, change, remove))
        .routes(routes!(mute))
        .routes(routes!(ask_to_unmute))
        .routes(routes!(mute_all))
        .routes(routes!(spotlight))
        .routes(routes!(waiting))
        .routes(routes!(admit))
        .routes(routes!(deny))
}

/// Sources of tracks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct MuteSources {
    /// The sources.
    #[schema(min_items = 1)]
    sources: Vec<TrackSource>,
}

/// A change of a participant.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeParticipant {
    /// The new role; absent: it stays.
    role: Option<Role>,
    /// Whether it receives media, whatever its token says; absent: as before.
    subscribe: Option<bool>,
}

/// Some participants, or all.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SomeOrAll {
    /// Ids; absent: all.
    #[schema(value_type = Option<Vec<String>>)]
    participants: Option<Vec<ParticipantId>>,
}

/// Participants to show large.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetSpotlight {
    /// Ids, at most 9; none ends the spotlight.
    #[schema(value_type = Vec<String>, max_items = 9)]
    participants: Vec<ParticipantId>,
}

/// Lists the participants of a room, in the order they joined.
#[utoipa::path(get, path = "/rooms/{name}/participants", tag = "participants",
    params(("name" = String, Path, description = "The room's name"), PageQuery),
    responses((status = 200, body = Page<Participant>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Participant>>, Problem> {
    let room = parts.see(&caller, &name).await?;
    let (limit, after) = query.read()?;
    // The order of joining; whoever was last on the page before may have left.
    let key = |details: &ParticipantDetails| {
        format!("{:015} {}", details.joined, details.participant.id.as_str())
    };
    let mut participants = room.participants;
    participants.sort_by_key(key);
    participants.retain(|details| after.as_ref().is_none_or(|after| key(details) > *after));
    let has_more = participants.len() > limit;
    participants.truncate(limit);
    let last = participants.last().map(key).filter(|_| has_more);
    let shown = participants.iter().map(Participant::from).collect();
    Ok(Json(Page::new(shown, last.as_deref())))
}

/// Shows a participant.
#[utoipa::path(get, path = "/rooms/{name}/participants/{id}", tag = "participants",
    params(("name" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id")),
    responses((status = 200, body = Participant)))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Json<Participant>, Problem> {
    let room = parts.see(&caller, &name).await?;
    Ok(Json(Participant::from(find(&room, &id)?)))
}

/// Gives a participant another role, or lets it receive media, or not.
#[utoipa::path(patch, path = "/rooms/{name}/participants/{id}", tag = "participants",
    params(("name" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id")),
    request_body = ChangeParticipant,
    responses((status = 200, body = Participant)))]
async fn change(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
    Body(ChangeParticipant { role, subscribe }): Body<ChangeParticipant>,
) -> Result<Json<Participant>, Problem> {
    let (name, target) = parts.target(&caller, &name, &id).await?;
    if let Some(role) = role {
        let hosting = Hosting::Role(target.clone(), role);
        parts.act(&caller, &name, "participant.role", hosting).await?;
    }
    if let Some(may) = subscribe {
        parts.let_subscribe(&caller, &name, target, may).await?;
    }
    let room = parts.signaling.describe_room(&name).await?;
    Ok(Json(Participant::from(find(&room, &id)?)))
}

/// Removes a participant, whose device can't join again while the room lives.
#[utoipa::path(delete, path = "/rooms/{name}/participants/{id}", tag = "participants",
    params(("name" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id")),
    responses((status = 204, description = "It is out")))]
async fn remove(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (name, target) = parts.target(&caller, &name, &id).await?;
    parts.act(&caller, &name, "participant.remove", Hosting::Remove(target)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mutes sources of a participant. They are not forwarded until it turns them on again.
#[utoipa::path(post, path = "/rooms/{name}/participants/{id}/mute", tag = "participants",
    params(("name" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id")),
    request_body = MuteSources,
    responses((status = 204, description = "They are muted")))]
async fn mute(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
    Body(MuteSources { sources }): Body<MuteSources>,
) -> Result<StatusCode, Problem> {
    let (name, target) = parts.target(&caller, &name, &id).await?;
    let hosting = Hosting::Mute { participants: Some(vec![target]), sources: some(sources)? };
    parts.act(&caller, &name, "participant.mute", hosting).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks a participant to turn sources on. It may decline.
#[utoipa::path(post, path = "/rooms/{name}/participants/{id}/ask-to-unmute", tag = "participants",
    params(("name" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The participant's id")),
    request_body = MuteSources,
    responses((status = 204, description = "It is asked")))]
async fn ask_to_unmute(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
    Body(MuteSources { sources }): Body<MuteSources>,
) -> Result<StatusCode, Problem> {
    let (name, participant) = parts.target(&caller, &name, &id).await?;
    let hosting = Hosting::Unmute { participant, sources: some(sources)? };
    parts.act(&caller, &name, "participant.ask_to_unmute", hosting).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Mutes sources of all participants.
#[utoipa::path(post, path = "/rooms/{name}/mute", tag = "participants",
    params(("name" = String, Path, description = "The room's name")),
    request_body = MuteSources,
    responses((status = 204, description = "They are muted")))]
async fn mute_all(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Body(MuteSources { sources }): Body<MuteSources>,
) -> Result<StatusCode, Problem> {
    let hosting = Hosting::Mute { participants: None, sources: some(sources)? };
    parts.act_in(&caller, &name, "room.mute", hosting).await
}

/// Shows participants large to everybody.
#[utoipa::path(put, path = "/rooms/{name}/spotlight", tag = "participants",
    params(("name" = String, Path, description = "The room's name")),
    request_body = SetSpotlight,
    responses((status = 204, description = "They are shown")))]
async fn spotlight(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Body(SetSpotlight { participants }): Body<SetSpotlight>,
) -> Result<StatusCode, Problem> {
    parts.act_in(&caller, &name, "room.spotlight", Hosting::Spotlight(participants)).await
}

/// Lists who waits for admission, in the order of arrival.
#[utoipa::path(get, path = "/rooms/{name}/waiting", tag = "participants",
    params(("name" = String, Path, description = "The room's name")),
    responses((status = 200, body = Page<Waiting>)))]
async fn waiting(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Json<Page<Waiting>>, Problem> {
    let room = parts.see(&caller, &name).await?;
    Ok(Json(Page::new(room.waiting.iter().map(Waiting::from).collect(), None)))
}

/// Admits from the waiting room.
#[utoipa::path(post, path = "/rooms/{name}/waiting/admit", tag = "participants",
    params(("name" = String, Path, description = "The room's name")),
    request_body = SomeOrAll,
    responses((status = 204, description = "They are in"),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "The room is full")))]
async fn admit(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Body(SomeOrAll { participants }): Body<SomeOrAll>,
) -> Result<StatusCode, Problem> {
    parts.act_in(&caller, &name, "room.admit", Hosting::Admit(participants)).await
}

/// Turns away from the waiting room.
#[utoipa::path(post, path = "/rooms/{name}/waiting/deny", tag = "participants",
    params(("name" = String, Path, description = "The room's name")),
    request_body = SomeOrAll,
    responses((status = 204, description = "They are turned away")))]
async fn deny(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Body(SomeOrAll { participants }): Body<SomeOrAll>,
) -> Result<StatusCode, Problem> {
    parts.act_in(&caller, &name, "room.deny", Hosting::Deny(participants)).await
}

impl Parts {
    /// Lets a participant receive media, or not. The caller's rights are checked before.
    pub(super) async fn let_subscribe(
        &self,
        caller: &Caller,
        name: &RoomName,
        participant: ParticipantId,
        may: bool,
    ) -> Result<(), Problem> {
        let operation = Operation::Subscribe { participant, may };
        self.signaling.operate(name, Operating { operation, revision: None }).await?;
        let detail = if may { "receives media" } else { "receives no media" };
        self.audit.note(caller, "participant.subscribe", name.as_str(), Some(detail));
        Ok(())
    }

    /// A participant on whom a caller may act.
    pub(super) async fn target(
        &self,
        caller: &Caller,
        name: &str,
        id: &str,
    ) -> Result<(RoomName, ParticipantId), Problem> {
        let name = room_name(name)?;
        caller.may_change(&name)?;
        let room = self.signaling.describe_room(&name).await?;
        let target = find(&room, id)?.participant.id.clone();
        Ok((name, target))
    }
}

/// A participant by its id.
pub(super) fn find<'a>(room: &'a RoomDetails, id: &str) -> Result<&'a ParticipantDetails, Problem> {
    let mut all = room.participants.iter();
    let found = all.find(|details| details.participant.id.as_str() == id);
    found.ok_or_else(|| Problem::not_found("no participant of the room has this id"))
}

fn some(sources: Vec<TrackSource>) -> Result<Sources, Problem> {
    if sources.is_empty() {
        return Err(Problem::invalid("sources: name at least one"));
    }
    Ok(sources.into_iter().collect())
}
