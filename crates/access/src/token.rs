//! Verified tokens.

use std::collections::BTreeMap;

use crate::{
    claims::{Claims, MoimGrant, Role, Source, VideoGrant},
    error::TokenError,
    time::UnixTime,
};

/// A token whose signature and times are right. What it permits, its methods say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Name of the API key or issuer.
    pub issuer: String,
    /// Identity of the participant; empty for tokens of servers.
    pub identity: String,
    /// Display name.
    pub name: Option<String>,
    /// Its own id (`jti`).
    pub id: Option<String>,
    /// End of its validity.
    pub expiry: UnixTime,
    /// Data for the application.
    pub metadata: Option<String>,
    /// Attributes for the application.
    pub attributes: BTreeMap<String, String>,
    /// Signed with a secret of this server's, not by a published key.
    pub is_of_api_key: bool,
    pub(crate) video: VideoGrant,
    pub(crate) moim: MoimGrant,
}

impl Token {
    pub(crate) fn new(claims: Claims, expiry: UnixTime, is_of_api_key: bool) -> Self {
        let non_empty = |text: Option<String>| text.filter(|text| !text.is_empty());
        Self {
            issuer: claims.iss.unwrap_or_default(),
            identity: claims.sub.unwrap_or_default(),
            name: non_empty(claims.name),
            id: non_empty(claims.jti),
            expiry,
            metadata: non_empty(claims.metadata),
            attributes: claims.attributes.unwrap_or_default(),
            is_of_api_key,
            video: claims.video.unwrap_or_default(),
            moim: claims.moim.unwrap_or_default(),
        }
    }

    /// The room that `roomJoin` and `roomAdmin` are about.
    #[must_use]
    pub fn room(&self) -> Option<&str> {
        self.video.room.as_deref().filter(|room| !room.is_empty())
    }

    /// Checks that it permits to join the room for which `is_room` holds.
    ///
    /// # Errors
    /// It does not.
    pub fn check_join(&self, is_room: impl FnOnce(&str) -> bool) -> Result<(), TokenError> {
        if self.video.room_join != Some(true) {
            return Err(TokenError::NotGranted("roomJoin"));
        }
        if self.video.hidden == Some(true) {
            return Err(TokenError::Unsupported("hidden participants"));
        }
        self.check_room(is_room)
    }

    /// Checks that it permits to moderate the room for which `is_room` holds.
    ///
    /// # Errors
    /// It does not.
    pub fn check_admin(&self, is_room: impl FnOnce(&str) -> bool) -> Result<(), TokenError> {
        if self.video.room_admin != Some(true) {
            return Err(TokenError::NotGranted("roomAdmin"));
        }
        self.check_room(is_room)
    }

    /// Checks that it permits to create and delete rooms.
    ///
    /// # Errors
    /// It does not.
    pub fn check_create(&self) -> Result<(), TokenError> {
        if self.video.room_create == Some(true) {
            return Ok(());
        }
        Err(TokenError::NotGranted("roomCreate"))
    }

    /// Checks that it permits to list rooms.
    ///
    /// # Errors
    /// It does not.
    pub fn check_list(&self) -> Result<(), TokenError> {
        if self.video.room_list == Some(true) {
            return Ok(());
        }
        Err(TokenError::NotGranted("roomList"))
    }

    /// True if joining opens the room where only applications may. A token to join does, as with
    /// LiveKit, unless it says otherwise.
    #[must_use]
    pub fn opens_room(&self) -> bool {
        self.video.room_create != Some(false)
    }

    /// Role in the room; `None` is the room's for newcomers.
    #[must_use]
    pub fn role(&self) -> Option<Role> {
        let admin = (self.video.room_admin == Some(true)).then_some(Role::Host);
        let silent = (!self.may_publish_any()).then_some(Role::Viewer);
        self.moim.role.or(admin).or(silent)
    }

    /// Template of the room, if the token opens it.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        self.moim.template.as_deref()
    }

    /// The token's own choice of the waiting room; `None` if the room's policy decides.
    #[must_use]
    pub fn waits(&self) -> Option<bool> {
        self.moim.lobby
    }

    /// May receive audio and video.
    #[must_use]
    pub fn may_subscribe(&self) -> bool {
        self.video.can_subscribe != Some(false)
    }

    /// May send messages.
    #[must_use]
    pub fn may_send_data(&self) -> bool {
        self.video.can_publish_data != Some(false)
    }

    /// May send this source.
    #[must_use]
    pub fn may_publish(&self, source: Source) -> bool {
        let named = self.video.can_publish_sources.as_deref().filter(|named| !named.is_empty());
        self.video.can_publish != Some(false)
            && named.is_none_or(|named| named.iter().any(|n| Source::by_name(n) == Some(source)))
    }

    /// Identity by which a removed participant is kept out: `sub`, which an application keeps for
    /// somebody from token to token; without it `jti`.
    #[must_use]
    pub fn ban_id(&self) -> Option<String> {
        let id = if self.identity.is_empty() { self.id.as_deref()? } else { &self.identity };
        Some(format!("{}\n{id}", self.issuer))
    }

    fn may_publish_any(&self) -> bool {
        [Source::Camera, Source::Microphone, Source::Screen, Source::ScreenAudio]
            .into_iter()
            .any(|source| self.may_publish(source))
    }

    fn check_room(&self, is_room: impl FnOnce(&str) -> bool) -> Result<(), TokenError> {
        let room = self.room().ok_or(TokenError::NotGranted("a room (video.room)"))?;
        if is_room(room) { Ok(()) } else { Err(TokenError::WrongRoom) }
    }
}
