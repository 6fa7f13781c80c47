//! Credentials of a socket and its requests.

use std::sync::Arc;

use access::{Role as TokenRole, Source, Token};
use room::{
    Credential, Pass,
    name::{DisplayName, RoomName},
    protocol::{ErrorBody, TrackSource},
    rights::{Right, Rights, Role},
};
use serde::Deserialize;

use crate::{
    access::{Access, token_error},
    oidc::{People, Person},
    socketio::Handshake,
};

/// Credentials of a socket's handshake, for requests that have none of their own.
#[derive(Default)]
pub(super) struct Credentials {
    token: Option<Credential>,
    /// Secret of a person's session. Looked up at each request, since the person may sign out.
    session: Option<Arc<str>>,
}

/// The object that a Socket.IO client is given as `auth`.
#[derive(Default, Deserialize)]
struct Auth {
    #[serde(default)]
    token: Option<Credential>,
}

impl Credentials {
    /// Those of a handshake: its `auth`, or `Authorization: Bearer`.
    pub(super) fn of(handshake: &Handshake) -> Self {
        let auth = handshake.auth.as_ref();
        let auth = auth.and_then(|auth| serde_json::from_str::<Auth>(auth.get()).ok());
        let bearer = || Credential::try_from(handshake.bearer.as_deref()?.to_owned()).ok();
        let token = auth.and_then(|auth| auth.token).or_else(bearer);
        Self { token, session: handshake.session.clone() }
    }

    /// The person who has signed in.
    pub(super) fn person(&self, people: &People) -> Option<Person> {
        people.find(self.session.as_deref()?)
    }

    /// Verifies the token of a request, or of the handshake.
    ///
    /// # Errors
    /// The token is refused.
    pub(super) async fn verify(
        &self,
        access: &Access,
        given: Option<&Credential>,
    ) -> Result<Option<Token>, ErrorBody> {
        match given.or(self.token.as_ref()) {
            None => Ok(None),
            Some(token) => {
                let verified = access.verify(token.as_str()).await;
                verified.map(Some).map_err(|error| token_error(&error))
            }
        }
    }
}

/// What a token permits in a room.
///
/// # Errors
/// It does not permit to join this room.
pub(super) fn pass(token: &Token, room: &RoomName) -> Result<Pass, ErrorBody> {
    let is_room = |name: &str| RoomName::new(name).is_ok_and(|name| name == *room);
    token.check_join(is_room).map_err(|error| token_error(&error))?;
    Ok(Pass {
        identity: token.ban_id(),
        role: token.role().map(role),
        rights: rights(token),
        waits: token.waits(),
    })
}

/// The name of a participant: that of its token comes first.
pub(super) fn display_name(token: Option<&Token>, given: DisplayName) -> DisplayName {
    let named = token.and_then(|token| DisplayName::new(token.name.as_deref()?).ok());
    named.unwrap_or(given)
}

fn role(role: TokenRole) -> Role {
    match role {
        TokenRole::Viewer => Role::Viewer,
        TokenRole::Speaker => Role::Speaker,
        TokenRole::CoHost => Role::CoHost,
        TokenRole::Host => Role::Host,
    }
}

fn rights(token: &Token) -> Rights {
    let mut rights = Rights::ALL;
    // The audio of a screen needs the right of the screen.
    for source in [TrackSource::Microphone, TrackSource::Camera, TrackSource::Screen] {
        if !token.may_publish(source_of(source)) {
            rights = rights.without(Right::to_publish(source));
        }
    }
    if !token.may_subscribe() {
        rights = rights.without(Right::Subscribe);
    }
    if !token.may_send_data() {
        let of_data =
            [Right::Chat, Right::PrivateChat, Right::React, Right::Poll, Right::SendFiles];
        for right in of_data {
            rights = rights.without(right);
        }
    }
    rights
}

fn source_of(source: TrackSource) -> Source {
    match source {
        TrackSource::Microphone => Source::Microphone,
        TrackSource::Camera => Source::Camera,
        TrackSource::Screen => Source::Screen,
        TrackSource::ScreenAudio => Source::ScreenAudio,
    }
}
