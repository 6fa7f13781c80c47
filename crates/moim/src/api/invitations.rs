//! Invitations of a room: list, make, revoke.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, http::StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use room::{
    Inviting, Reply,
    name::RoomName,
    protocol::{self, InviteRequest},
    rights::Role,
};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    body::{Body, Path, room_name},
    caller::Caller,
    parts::Parts,
    problem::Problem,
    rooms::has_effect,
    shown::date,
};
use crate::signaling::OperateError;

pub(super) fn router() -> OpenApiRouter<Arc<Parts>> {
    OpenApiRouter::new().routes(routes!(list, invite)).routes(routes!(revoke))
}

/// An invitation to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Invite {
    /// Role of those who enter with it: `viewer`, `speaker` or `co_host`.
    role: Role,
    /// Number of people who may enter with it; absent: any number.
    #[schema(minimum = 1, maximum = 1_000)]
    uses: Option<u32>,
    /// Seconds until it expires; absent: it ends with the room.
    #[schema(minimum = 1, maximum = 2_592_000)]
    expires_in_seconds: Option<u32>,
}

/// An invitation, without its key.
#[derive(Debug, Serialize, ToSchema)]
struct Invitation {
    /// Identifies it in its room.
    id: String,
    /// Role of those who enter with it.
    role: Role,
    /// Number of people who may enter with it; absent: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    uses: Option<u32>,
    /// Number of people who have entered with it.
    used: u32,
    /// When it was made.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it expires; absent: with the room.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    expires_at: Option<String>,
    /// Name of the host who made it; absent: an application.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
}

/// A new invitation.
#[derive(Debug, Serialize, ToSchema)]
struct Invited {
    #[serde(flatten)]
    invitation: Invitation,
    /// Its key, told only here.
    key: String,
    /// Path of its link on this server, with the key in the fragment.
    path: String,
}

/// The invitations of a room.
#[derive(Debug, Serialize, ToSchema)]
struct Invitations {
    /// Those that are neither revoked nor expired, the oldest first.
    items: Vec<Invitation>,
}

impl From<&protocol::Invitation> for Invitation {
    fn from(invitation: &protocol::Invitation) -> Self {
        let date = |at| date(i64::try_from(at).unwrap_or(i64::MAX));
        Self {
            id: invitation.id.as_str().to_owned(),
            role: invitation.role,
            uses: invitation.uses,
            used: invitation.used,
            created_at: date(invitation.created),
            expires_at: invitation.expires.map(date),
            by: invitation.by.as_ref().map(|by| by.as_str().to_owned()),
        }
    }
}

/// Lists the invitations of a room.
#[utoipa::path(get, path = "/rooms/{name}/invitations", tag = "invitations",
    params(("name" = String, Path, description = "The room's name")),
    responses((status = 200, body = Invitations)))]
async fn list(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
) -> Result<Json<Invitations>, Problem> {
    let name = room_name(&name)?;
    caller.may_see(&name)?;
    let items = all(&parts, &name).await?.iter().map(Invitation::from).collect();
    Ok(Json(Invitations { items }))
}

/// Makes an invitation: a link that lets people in without the password and past the waiting room.
/// One for co-hosts also opens a locked room.
#[utoipa::path(post, path = "/rooms/{name}/invitations", tag = "invitations",
    params(("name" = String, Path, description = "The room's name")),
    request_body = Invite,
    responses((status = 201, body = Invited)))]
async fn invite(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    Body(Invite { role, uses, expires_in_seconds }): Body<Invite>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    let name = room_name(&name)?;
    caller.may_change(&name)?;
    let asked = InviteRequest { role, uses, seconds: expires_in_seconds };
    let Reply::Invited(made) = parts.signaling.invite(&name, Inviting::Invite(asked)).await? else {
        return Err(unexpected());
    };
    parts.audit.note(
        &caller,
        "invitation.create",
        name.as_str(),
        Some(made.invitation.id.as_str()),
    );
    let key = made.key.as_str().to_owned();
    let path = format!("{}#k={key}", room_path(&name));
    let invitation = Invitation::from(&made.invitation);
    Ok((StatusCode::CREATED, Json(Invited { invitation, key, path })))
}

/// Revokes an invitation. Those who have entered with it stay.
#[utoipa::path(delete, path = "/rooms/{name}/invitations/{id}", tag = "invitations",
    params(("name" = String, Path, description = "The room's name"),
        ("id" = String, Path, description = "The invitation's id")),
    responses((status = 204, description = "Nobody enters with it any more")))]
async fn revoke(
    State(parts): State<Arc<Parts>>,
    Extension(caller): Extension<Caller>,
    Path((name, id)): Path<(String, String)>,
) -> Result<StatusCode, Problem> {
    let name = room_name(&name)?;
    caller.may_change(&name)?;
    let nothing = || Problem::not_found("the room has no such invitation");
    let found =
        all(&parts, &name).await?.into_iter().find(|invitation| invitation.id.as_str() == id);
    let asked = Inviting::Revoke(found.ok_or_else(nothing)?.id);
    let revoked = parts.signaling.invite(&name, asked).await;
    if has_effect(&revoked) {
        parts.audit.note(&caller, "invitation.revoke", name.as_str(), Some(&id));
    }
    match revoked {
        Err(OperateError::Rejected(room::Rejection::NoSuchInvitation)) => Err(nothing()),
        result => Ok(result.map(|_| StatusCode::NO_CONTENT)?),
    }
}

async fn all(parts: &Parts, name: &RoomName) -> Result<Vec<protocol::Invitation>, Problem> {
    match parts.signaling.invite(name, Inviting::List).await? {
        Reply::Invitations(list) => Ok(list.invitations),
        _ => Err(unexpected()),
    }
}

/// Path of a room's page.
fn room_path(name: &RoomName) -> String {
    let name = name.as_str();
    format!("/r/{}", utf8_percent_encode(name, NON_ALPHANUMERIC))
}

fn unexpected() -> Problem {
    Problem::invalid("the room gave another answer")
}

#[cfg(test)]
mod tests {
    use room::{MAX_INVITATION_SECONDS, MAX_INVITATION_USES};
    use utoipa::PartialSchema;

    use super::Invite;

    #[test]
    fn described_limits_are_those_of_rooms() {
        let schema = serde_json::to_value(Invite::schema()).unwrap();
        let most = |field: &str| schema["properties"][field]["maximum"].as_f64();
        assert_eq!(most("uses"), Some(f64::from(MAX_INVITATION_USES)));
        assert_eq!(most("expires_in_seconds"), Some(f64::from(MAX_INVITATION_SECONDS)));
    }
}
