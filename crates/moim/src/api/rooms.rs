//! Rooms: list, create, show, change, end.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use room::{
    Hosting, Operation,
    name::RoomName,
    password::Password,
    protocol::{DataEvent, ParticipantId, Policy, PolicyChange, SettingsRequest, TopologyChoice},
};
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::{Body, Path, Query, malformed, room_name},
    caller::Caller,
    page::{Page, PageQuery, cut},
    parts::Parts,
    problem::Problem,
    shown::{Room, Settings},
};
use crate::signaling::{NewRoom, OperateError, Operating, RoomDetails};

/// Longest time for which an empty room may stay open.
pub(super) const MAX_STAYS_EMPTY: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(show, end))
        .routes(routes!(settings, change))
        .routes(routes!(send))
}

/// A room to create.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateRoom {
    /// Name and address: 1 to 64 characters, of which one is visible.
    #[schema(value_type = String, min_length = 1, max_length = 64)]
    name: RoomName,
    /// Maximum number of participants; the server's default if absent.
    #[schema(minimum = 1)]
    capacity: Option<u32>,
    /// Password required to join.
    #[schema(value_type = Option<String>, max_length = 200)]
    password: Option<Password>,
    /// Topology; the server's default if absent.
    topology: Option<TopologyChoice>,
    /// Rules; everything allowed if absent.
    policy: Option<Policy>,
    /// Name of a template of the server's configuration, for what is absent.
    #[schema(max_length = 64)]
    template: Option<String>,
    /// Text of your application.
    #[schema(max_length = 8192)]
    metadata: Option<String>,
    /// Seconds for which it stays open while nobody is there; the server's default if absent.
    #[schema(minimum = 0, maximum = 604_800)]
    stays_empty_seconds: Option<u32>,
}

/// Settings to change. Absent ones stay.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeSettings {
    /// Maximum number of participants. Nobody is removed by a lower one.
    #[schema(minimum = 1)]
    capacity: Option<u32>,
    /// Password required to join; an empty one removes it.
    #[schema(value_type = Option<String>, max_length = 200)]
    password: Option<Password>,
    /// Rules to change.
    policy: Option<PolicyChange>,
    /// Text of your application.
    #[schema(max_length = 8192)]
    metadata: Option<String>,
}

/// Data for participants.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SendData {
    /// The data, in base64: at most 36 KiB.
    data: String,
    /// Its kind, by which your application tells data apart.
    #[serde(default)]
    #[schema(max_length = 128)]
    topic: String,
    /// Ids of the participants; absent: all.
    #[schema(value_type = Option<Vec<String>>)]
    participants: Option<Vec<ParticipantId>>,
}

/// Lists the rooms, by their names: the open ones, and those kept from before a restart.
#[utoipa::path(get, path = "/rooms", tag = "rooms", params(PageQuery),
    responses((status = 200, body = Page<Room>)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Query(query): Query<PageQuery>,
) -> Result<Json<Page<Room>>, Problem> {
    caller.may_list()?;
    let mut names = parts.signaling.room_names();
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    let (names, last) = cut(names, &query, |name| name.as_str().to_owned())?;
    let mut rooms = Vec::with_capacity(names.len());
    for name in names {
        // A room that has closed meanwhile is left out.
        if let Ok(room) = parts.signaling.describe_room(&name).await {
            rooms.push(Room::from(&room));
        }
    }
    Ok(Json(Page::new(rooms, last.as_deref())))
}

/// Creates a room. Where everybody may create rooms, whoever joins first is its host, unless a
/// token says who is; elsewhere tokens alone say it.
#[utoipa::path(post, path = "/rooms", tag = "rooms", request_body = CreateRoom,
    responses(
        (status = 201, body = Room, headers(("Location" = String), ("ETag" = String))),
        (status = 409, body = Problem, content_type = "application/problem+json",
            description = "A room has this name"),
    ))]
async fn create(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Body(create): Body<CreateRoom>,
) -> Result<Response, Problem> {
    caller.may_create()?;
    let CreateRoom { name, capacity, password, topology, policy, .. } = create;
    let CreateRoom { template, metadata, stays_empty_seconds, .. } = create;
    let stays_empty =
        stays_empty_seconds.map(|seconds| Duration::from_secs(seconds.into()).min(MAX_STAYS_EMPTY));
    let metadata = metadata.unwrap_or_default();
    let room = NewRoom {
        name: name.clone(),
        capacity,
        password,
        topology,
        policy,
        template,
        metadata,
        stays_empty,
    };
    let room = parts.open(&caller, room).await?;
    let location = format!(
        "/api/v1/rooms/{}",
        percent_encoding::utf8_percent_encode(name.as_str(), percent_encoding::NON_ALPHANUMERIC,)
    );
    let headers = [(header::LOCATION, location), (header::ETAG, etag(&room.revision))];
    Ok((StatusCode::CREATED, headers, Json(Room::from(&room))).into_response())
}

/// Shows a room.
#[utoipa::path(get, path = "/rooms/{name}", tag = "rooms",
    params(("name" = String, Path, description = "The room's name")),
    responses((status = 200, body = Room)))]
async fn show(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Json<Room>, Problem> {
    let room = parts.see(&caller, &name).await?;
    Ok(Json(Room::from(&room)))
}

/// Ends a room for all.
#[utoipa::path(delete, path = "/rooms/{name}", tag = "rooms",
    params(("name" = String, Path, description = "The room's name")),
    responses((status = 204, description = "It has ended")))]
async fn end(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    caller.may_create()?;
    parts.end(&caller, &room_name(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Shows a room's settings.
#[utoipa::path(get, path = "/rooms/{name}/settings", tag = "rooms",
    params(("name" = String, Path, description = "The room's name")),
    responses((status = 200, body = Settings, headers(("ETag" = String)))))]
async fn settings(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let room = parts.see(&caller, &name).await?;
    Ok(([(header::ETAG, etag(&room.revision))], Json(Settings::from(&room))).into_response())
}

/// Changes settings of a room. With `If-Match`, only if nobody has changed them meanwhile.
#[utoipa::path(patch, path = "/rooms/{name}/settings", tag = "rooms",
    params(
        ("name" = String, Path, description = "The room's name"),
        ("If-Match" = Option<String>, Header, description = "`ETag` of the settings as you know them"),
    ),
    request_body = ChangeSettings,
    responses(
        (status = 200, body = Settings, headers(("ETag" = String))),
        (status = 412, body = Problem, content_type = "application/problem+json",
            description = "The settings have changed meanwhile"),
    ))]
async fn change(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Body(change): Body<ChangeSettings>,
) -> Result<Response, Problem> {
    let name = room_name(&name)?;
    caller.may_change(&name)?;
    let ChangeSettings { capacity, password, policy, metadata } = change;
    let revision = revision(&headers)?;
    let mut changed = Vec::new();
    changed.extend(capacity.map(|_| "capacity"));
    changed.extend(password.as_ref().map(|_| "password"));
    changed.extend(policy.map(|_| "policy"));
    changed.extend(metadata.as_ref().map(|_| "metadata"));
    let settings = SettingsRequest { policy, password, capacity, listed: None };
    let operation = Operation::Settings { settings, metadata };
    let done = parts.signaling.operate(&name, Operating { operation, revision }).await;
    if has_effect(&done) {
        parts.audit.note(&caller, "room.settings", name.as_str(), Some(&changed.join(", ")));
    }
    done?;
    let room = parts.signaling.describe_room(&name).await?;
    Ok(([(header::ETAG, etag(&room.revision))], Json(Settings::from(&room))).into_response())
}

/// Sends data to participants, who receive the event `data`. Whoever is reconnecting misses it.
#[utoipa::path(post, path = "/rooms/{name}/data", tag = "rooms",
    params(("name" = String, Path, description = "The room's name")),
    request_body = SendData,
    responses((status = 204, description = "It is on its way")))]
async fn send(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Body(send): Body<SendData>,
) -> Result<StatusCode, Problem> {
    let name = room_name(&name)?;
    caller.may_change(&name)?;
    let SendData { data, topic, participants: to } = send;
    if STANDARD.decode(&data).is_err() {
        return Err(Problem::invalid("data: is no base64"));
    }
    let operation = Operation::Send { to, data: DataEvent { data, topic } };
    parts.signaling.operate(&name, Operating { operation, revision: None }).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Parts {
    /// Opens a room for a caller.
    pub(super) async fn open(
        &self,
        caller: &Caller,
        room: NewRoom,
    ) -> Result<RoomDetails, Problem> {
        let name = room.name.clone();
        self.signaling.create_room(room).await?;
        self.audit.note(caller, "room.create", name.as_str(), None);
        Ok(self.signaling.describe_room(&name).await?)
    }

    /// Ends a room, or forgets one that is kept. The caller's rights are checked before.
    pub(super) async fn end(&self, caller: &Caller, name: &RoomName) -> Result<(), Problem> {
        let forgotten = self.signaling.forget_kept(name).await;
        if !matches!(forgotten, Ok(false)) {
            self.audit.note(caller, "room.end", name.as_str(), Some("kept"));
            forgotten?;
            return Ok(());
        }
        self.act(caller, name, "room.end", Hosting::End).await
    }

    /// A room that a caller may see.
    pub(super) async fn see(&self, caller: &Caller, name: &str) -> Result<RoomDetails, Problem> {
        let name = room_name(name)?;
        caller.may_see(&name)?;
        Ok(self.signaling.describe_room(&name).await?)
    }

    /// Acts in a room that a caller may change.
    pub(super) async fn act_in(
        &self,
        caller: &Caller,
        name: &str,
        action: &str,
        hosting: Hosting,
    ) -> Result<StatusCode, Problem> {
        let name = room_name(name)?;
        caller.may_change(&name)?;
        self.act(caller, &name, action, hosting).await?;
        Ok(StatusCode::NO_CONTENT)
    }

    /// Acts in a room as a host would, and notes it. The caller's rights are checked before.
    pub(super) async fn act(
        &self,
        caller: &Caller,
        name: &RoomName,
        action: &str,
        hosting: Hosting,
    ) -> Result<(), Problem> {
        let operating = Operating { operation: Operation::Host(hosting), revision: None };
        let done = self.signaling.operate(name, operating).await;
        if has_effect(&done) {
            self.audit.note(caller, action, name.as_str(), None);
        }
        done?;
        Ok(())
    }
}

/// Returns whether a request has changed something, also where a crash may undo it.
pub(super) fn has_effect<T>(done: &Result<T, OperateError>) -> bool {
    matches!(done, Ok(_) | Err(OperateError::NotSaved))
}

fn etag(revision: &str) -> String {
    format!("\"{revision}\"")
}

/// The revision that `If-Match` requires; `*` and its absence require none.
fn revision(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().map(str::trim).unwrap_or_default();
    if text == "*" {
        return Ok(None);
    }
    let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    // Several tags, or a weak one, match none of ours.
    let tag = tag.filter(|tag| !tag.contains('"') && !tag.is_empty());
    let tag = tag.ok_or_else(|| malformed("If-Match: send one ETag as it was received"))?;
    Ok(Some(tag.to_owned()))
}
