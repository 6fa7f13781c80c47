//! LiveKit's RoomService, the part that its server SDKs speak in JSON, over Twirp.
//!
//! Bodies are protobuf's JSON: unknown fields are ignored, 64-bit numbers are texts.

use std::{sync::Arc, time::Duration};

use axum::{
    Extension, Json, Router,
    extract::{Path, State},
    http::{StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::post,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use room::{
    Hosting, Operation,
    name::RoomName,
    protocol::{DataEvent, ParticipantId, SettingsRequest},
    rights::Role,
};
use serde_json::{Value, json};

use super::{
    auth,
    body::{Body, room_name},
    caller::Caller,
    parts::Parts,
    problem::Problem,
    rooms::MAX_STAYS_EMPTY,
    twirp_types::{self as types, participant, source_of, track},
};
use crate::signaling::{NewRoom, OperateError, Operating, ParticipantDetails, RoomDetails};

/// Path at which LiveKit's SDKs expect its services.
const SERVICES: &str = "/twirp/{service}/{method}";
/// The service that there is.
const SERVICE: &str = "livekit.RoomService";

/// The service's route, and the answer at those of other services.
pub(super) fn router(parts: &Arc<Parts>) -> Router {
    Router::new()
        .route(SERVICES, post(call).fallback(wrong_method))
        .with_state(Arc::clone(parts))
        .layer(middleware::from_fn_with_state(
            (Arc::clone(parts), refuse as auth::Reject),
            auth::authenticate,
        ))
}

async fn call(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((service, method)): Path<(String, String)>,
    body: Result<Body<Value>, Problem>,
) -> Response {
    let done = match body {
        _ if service != SERVICE => Err(bad_route(format!("this server has no {service:.50}"))),
        Ok(Body(body)) => parts.call(&caller, &method, &Message(body)).await,
        Err(problem) => Err(problem),
    };
    match done {
        Ok(value) => Json(value).into_response(),
        Err(problem) => refuse(problem),
    }
}

async fn wrong_method() -> Response {
    refuse(bad_route("methods of services are called by POST"))
}

fn bad_route(text: impl Into<String>) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, "bad_route", text)
}

/// A problem in Twirp's form: its own codes, each with its status.
fn refuse(problem: Problem) -> Response {
    let (status, code) = match (problem.status, problem.code) {
        (404, "bad_route") | (415, _) => (StatusCode::NOT_FOUND, "bad_route"),
        (400, _) => (StatusCode::BAD_REQUEST, "malformed"),
        (413 | 422, _) => (StatusCode::BAD_REQUEST, "invalid_argument"),
        (401, _) => (StatusCode::UNAUTHORIZED, "unauthenticated"),
        (403, _) => (StatusCode::FORBIDDEN, "permission_denied"),
        (404, _) => (StatusCode::NOT_FOUND, "not_found"),
        (409, "not_open" | "room_full") => (StatusCode::PRECONDITION_FAILED, "failed_precondition"),
        (409, _) => (StatusCode::CONFLICT, "already_exists"),
        (429, _) => (StatusCode::TOO_MANY_REQUESTS, "resource_exhausted"),
        (501, _) => (StatusCode::NOT_IMPLEMENTED, "unimplemented"),
        (503, _) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        _ => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    };
    let body = Json(json!({ "code": code, "msg": problem.detail }));
    let mut response = (status, body).into_response();
    // `Retry-After` and the like stay.
    let headers = problem.into_response().headers().clone();
    for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
        if let Some(value) = headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

/// A request in protobuf's JSON.
struct Message(Value);

impl Message {
    /// A field by its name in JSON or in the definition.
    fn field(&self, camel: &str, snake: &str) -> &Value {
        let field = self.0.get(camel).or_else(|| self.0.get(snake));
        field.unwrap_or(&Value::Null)
    }

    fn text(&self, camel: &str, snake: &str) -> &str {
        self.field(camel, snake).as_str().unwrap_or_default()
    }

    fn number(&self, camel: &str, snake: &str) -> Option<u32> {
        let field = self.field(camel, snake);
        let number = field.as_u64().or_else(|| field.as_str()?.parse().ok())?;
        u32::try_from(number).ok().filter(|number| *number > 0)
    }

    fn texts(&self, camel: &str, snake: &str) -> Vec<&str> {
        let list = self.field(camel, snake).as_array();
        list.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn room(&self) -> Result<RoomName, Problem> {
        room_name(self.text("room", "room"))
    }
}

impl Parts {
    async fn call(
        &self,
        caller: &Caller,
        method: &str,
        message: &Message,
    ) -> Result<Value, Problem> {
        match method {
            "CreateRoom" => self.twirp_create(caller, message).await,
            "ListRooms" => self.twirp_list(caller, message).await,
            "DeleteRoom" => {
                caller.may_create()?;
                self.end(caller, &message.room()?).await?;
                Ok(json!({}))
            }
            "ListParticipants" => {
                let room = self.see(caller, message.text("room", "room")).await?;
                let people: Vec<_> = room.participants.iter().map(participant).collect();
                Ok(json!({ "participants": people }))
            }
            "GetParticipant" => {
                let room = self.see(caller, message.text("room", "room")).await?;
                Ok(participant(find(&room, message)?))
            }
            "RemoveParticipant" => {
                let (name, target) = self.twirp_target(caller, message).await?;
                let hosting = Hosting::Remove(target.participant.id);
                self.act(caller, &name, "participant.remove", hosting).await?;
                Ok(json!({}))
            }
            "MutePublishedTrack" => self.twirp_mute(caller, message).await,
            "UpdateParticipant" => self.twirp_update(caller, message).await,
            "SendData" => self.twirp_send(caller, message).await,
            "UpdateRoomMetadata" => {
                let name = message.room()?;
                caller.may_change(&name)?;
                let metadata = Some(message.text("metadata", "metadata").to_owned());
                let settings = SettingsRequest::default();
                let operation = Operation::Settings { settings, metadata };
                self.signaling.operate(&name, Operating { operation, revision: None }).await?;
                self.audit.note(caller, "room.settings", name.as_str(), Some("metadata"));
                Ok(types::room(&self.signaling.describe_room(&name).await?))
            }
            _ => Err(bad_route(format!("this server's RoomService has no method {method:.50}"))),
        }
    }

    /// Creates a room, or returns the one that there is, as LiveKit does.
    async fn twirp_create(&self, caller: &Caller, message: &Message) -> Result<Value, Problem> {
        caller.may_create()?;
        let name = RoomName::new(message.text("name", "name"));
        let name = name.map_err(|error| Problem::invalid(format!("name: {error}")))?;
        let seconds = message.number("emptyTimeout", "empty_timeout");
        let room = NewRoom {
            name: name.clone(),
            capacity: message.number("maxParticipants", "max_participants"),
            password: None,
            topology: None,
            policy: None,
            template: Some(message.text("roomPreset", "room_preset"))
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            metadata: message.text("metadata", "metadata").to_owned(),
            stays_empty: seconds
                .map(|seconds| Duration::from_secs(seconds.into()).min(MAX_STAYS_EMPTY)),
        };
        match self.signaling.describe_room(&name).await {
            Ok(room) => return Ok(types::room(&room)),
            Err(OperateError::NoRoom) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(types::room(&self.open(caller, room).await?))
    }

    async fn twirp_list(&self, caller: &Caller, message: &Message) -> Result<Value, Problem> {
        caller.may_list()?;
        let wanted = message.texts("names", "names");
        let wanted: Vec<_> =
            wanted.into_iter().filter_map(|name| RoomName::new(name).ok()).collect();
        let is_for_all = message.field("names", "names").as_array().is_none_or(Vec::is_empty);
        let mut rooms = Vec::new();
        for name in self.signaling.room_names() {
            if !is_for_all && !wanted.contains(&name) {
                continue;
            }
            // A room that has closed meanwhile is left out.
            if let Ok(room) = self.signaling.describe_room(&name).await {
                rooms.push(types::room(&room));
            }
        }
        Ok(json!({ "rooms": rooms }))
    }

    /// Mutes a track. To turn it on again is asked of the participant, never forced.
    async fn twirp_mute(&self, caller: &Caller, message: &Message) -> Result<Value, Problem> {
        let (name, target) = self.twirp_target(caller, message).await?;
        let id = target.participant.id.clone();
        let source = source_of(&target, message.text("trackSid", "track_sid"));
        let source = source.ok_or_else(|| Problem::not_found("no track has this trackSid"))?;
        let sources = std::iter::once(source).collect();
        if message.field("muted", "muted") == &Value::Bool(true) {
            let hosting = Hosting::Mute { participants: Some(vec![id.clone()]), sources };
            self.act(caller, &name, "participant.mute", hosting).await?;
        } else {
            let hosting = Hosting::Unmute { participant: id.clone(), sources };
            self.act(caller, &name, "participant.ask_to_unmute", hosting).await?;
        }
        let room = self.signaling.describe_room(&name).await?;
        let details = super::participants::find(&room, id.as_str())?;
        Ok(json!({ "track": track(details, source) }))
    }

    async fn twirp_update(&self, caller: &Caller, message: &Message) -> Result<Value, Problem> {
        let (name, target) = self.twirp_target(caller, message).await?;
        let attributes = message.field("attributes", "attributes").as_object();
        if !message.text("metadata", "metadata").is_empty()
            || !message.text("name", "name").is_empty()
            || attributes.is_some_and(|attributes| !attributes.is_empty())
        {
            let text = "this server changes the permission of a participant alone: names, metadata \
                        and attributes are those of its token";
            return Err(Problem::new(StatusCode::NOT_IMPLEMENTED, "unimplemented", text));
        }
        let permission = message.field("permission", "permission");
        // What is absent is false, as in protobuf's JSON.
        let may = |camel: &str, snake: &str| {
            permission.get(camel).or_else(|| permission.get(snake)) == Some(&Value::Bool(true))
        };
        let role = match (permission.is_object(), may("canPublish", "can_publish")) {
            (false, _) => None,
            (true, true) => Some(Role::Speaker),
            (true, false) => Some(Role::Viewer),
        };
        let before = target.participant.role;
        let id = &target.participant.id;
        // Who may publish already keeps a higher role, or none in a room without hosts.
        let is_higher = role == Some(Role::Speaker) && (before > role || before.is_none());
        if let Some(role) = role.filter(|role| before != Some(*role) && !is_higher) {
            self.act(caller, &name, "participant.role", Hosting::Role(id.clone(), role)).await?;
        }
        let may_subscribe = may("canSubscribe", "can_subscribe");
        let subscribes = !target.participant.unsubscribed;
        if permission.is_object() && may_subscribe != subscribes {
            self.let_subscribe(caller, &name, id.clone(), may_subscribe).await?;
        }
        let room = self.signaling.describe_room(&name).await?;
        Ok(participant(super::participants::find(&room, id.as_str())?))
    }

    async fn twirp_send(&self, caller: &Caller, message: &Message) -> Result<Value, Problem> {
        let name = message.room()?;
        caller.may_change(&name)?;
        let data = message.text("data", "data").to_owned();
        if STANDARD.decode(&data).is_err() {
            return Err(Problem::invalid("data: is no base64"));
        }
        let identities = message.texts("destinationIdentities", "destination_identities");
        let sids = message.texts("destinationSids", "destination_sids");
        let to = if identities.is_empty() && sids.is_empty() {
            None
        } else {
            let room = self.signaling.describe_room(&name).await?;
            let named = identities.into_iter().chain(sids);
            // Whoever has left receives nothing, as with LiveKit.
            let found = named.filter_map(|name| by_name(&room, name));
            Some(found.map(|one| one.participant.id.clone()).collect::<Vec<ParticipantId>>())
        };
        let topic = message.text("topic", "topic").to_owned();
        let operation = Operation::Send { to, data: DataEvent { data, topic } };
        self.signaling.operate(&name, Operating { operation, revision: None }).await?;
        Ok(json!({}))
    }

    async fn twirp_target(
        &self,
        caller: &Caller,
        message: &Message,
    ) -> Result<(RoomName, ParticipantDetails), Problem> {
        let name = message.room()?;
        caller.may_change(&name)?;
        let room = self.signaling.describe_room(&name).await?;
        let target = find(&room, message)?.clone();
        Ok((name, target))
    }
}

/// The participant of a request, by the identity of its token or by its id.
fn find<'a>(room: &'a RoomDetails, message: &Message) -> Result<&'a ParticipantDetails, Problem> {
    let found = by_name(room, message.text("identity", "identity"));
    found.ok_or_else(|| Problem::not_found("no participant of the room has this identity"))
}

fn by_name<'a>(room: &'a RoomDetails, name: &str) -> Option<&'a ParticipantDetails> {
    let is_named = |one: &&ParticipantDetails| {
        let id = one.participant.id.as_str();
        types::identity(one) == name || id == name || name.strip_prefix(types::SID) == Some(id)
    };
    room.participants.iter().find(is_named)
}
