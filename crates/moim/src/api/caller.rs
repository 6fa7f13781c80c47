//! Who sends a request, and what it may do.

use std::net::IpAddr;

use room::name::RoomName;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::problem::Problem;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    /// See rooms, participants and calls.
    Read,
    /// Also create, change and end rooms, and act on participants.
    Rooms,
    /// Also manage keys and webhooks, and read the audit log.
    Admin,
}

/// What a token grants, by LiveKit's names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TokenGrants {
    /// `roomList`.
    pub(crate) list: bool,
    /// `roomCreate`.
    pub(crate) create: bool,
    /// The room of `roomAdmin`.
    pub(crate) admin_of: Option<String>,
}

/// Rights of a caller.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Rights {
    Key(Access),
    Token(TokenGrants),
}

/// The sender of a request.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    /// As the audit log names it.
    pub(super) name: String,
    rights: Rights,
    /// `None` on this machine's own socket.
    pub(super) address: Option<IpAddr>,
}

impl Caller {
    /// A caller with a key, a session or the admin socket.
    pub(super) fn with_access(name: String, access: Access, address: Option<IpAddr>) -> Self {
        Self { name, rights: Rights::Key(access), address }
    }

    /// An administrator with a session.
    pub(super) fn administrator(name: &str, address: Option<IpAddr>) -> Self {
        Self::with_access(format!("admin {name}"), Access::Admin, address)
    }

    /// A caller with a token.
    pub(super) fn with_token(name: String, grants: TokenGrants, address: Option<IpAddr>) -> Self {
        Self { name, rights: Rights::Token(grants), address }
    }

    /// Rejects a caller that may not list rooms.
    pub(super) fn may_list(&self) -> Result<(), Problem> {
        self.check(|access| access >= Access::Read, |grants| grants.list)
    }

    /// Rejects a caller that may not create and end rooms.
    pub(super) fn may_create(&self) -> Result<(), Problem> {
        self.check(|access| access >= Access::Rooms, |grants| grants.create)
    }

    /// Rejects a caller that may not see into this room.
    pub(super) fn may_see(&self, room: &RoomName) -> Result<(), Problem> {
        self.check(|access| access >= Access::Read, |grants| grants.is_admin_of(room))
    }

    /// Rejects a caller that may not act in this room.
    pub(super) fn may_change(&self, room: &RoomName) -> Result<(), Problem> {
        self.check(|access| access >= Access::Rooms, |grants| grants.is_admin_of(room))
    }

    /// Rejects a caller that may not see the server and its calls.
    pub(super) fn may_read(&self) -> Result<(), Problem> {
        self.check(|access| access >= Access::Read, |_| false)
    }

    /// Rejects a caller that may not manage the server.
    pub(super) fn may_administer(&self) -> Result<(), Problem> {
        self.check(|access| access >= Access::Admin, |_| false)
    }

    fn check(
        &self,
        key: impl FnOnce(Access) -> bool,
        token: impl FnOnce(&TokenGrants) -> bool,
    ) -> Result<(), Problem> {
        let may = match &self.rights {
            Rights::Key(access) => key(*access),
            Rights::Token(grants) => token(grants),
        };
        if may { Ok(()) } else { Err(Problem::forbidden("this key or token does not permit it")) }
    }
}

impl TokenGrants {
    fn is_admin_of(&self, room: &RoomName) -> bool {
        // The same room may be written in several ways.
        let named = self.admin_of.as_deref().and_then(|name| RoomName::new(name).ok());
        named.as_ref() == Some(room)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> RoomName {
        RoomName::new(text).unwrap()
    }

    #[test]
    fn access_of_keys_rises() {
        let of = |access| Caller::with_access("key".to_owned(), access, None);
        let tea = name("tea");
        for (access, expected) in [
            (Access::Read, [true, true, false, false, false]),
            (Access::Rooms, [true, true, true, true, false]),
            (Access::Admin, [true, true, true, true, true]),
        ] {
            let caller = of(access);
            let may = [
                caller.may_list(),
                caller.may_see(&tea),
                caller.may_create(),
                caller.may_change(&tea),
                caller.may_administer(),
            ];
            assert_eq!(may.map(|may| may.is_ok()), expected, "{access:?}");
        }
    }

    #[test]
    fn token_grants_its_own_room_only() {
        let grants = TokenGrants { admin_of: Some("tea".to_owned()), ..TokenGrants::default() };
        let caller = Caller::with_token("token".to_owned(), grants, None);
        assert!(caller.may_change(&name("tea")).is_ok() && caller.may_see(&name("tea")).is_ok());
        assert!(caller.may_change(&name("milk")).is_err() && caller.may_list().is_err());
        assert!(caller.may_create().is_err() && caller.may_read().is_err());
        let lists = TokenGrants { list: true, ..TokenGrants::default() };
        let lists = Caller::with_token("token".to_owned(), lists, None);
        assert!(lists.may_list().is_ok() && lists.may_see(&name("tea")).is_err());
    }
}
