//! Policy: who may create rooms, and who sees their list.

use access::{Token, TokenError};
use room::{
    HostRule,
    protocol::{ErrorBody, ErrorCode},
};

use super::Access;
use crate::config::{Creators, Listers, RoomTemplate};

/// Reason for which the server's policy refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PolicyError {
    /// Only people who have signed in may create rooms.
    CreateSignedIn,
    /// Only applications may create rooms.
    CreateApi,
    /// Only people who have signed in see the rooms.
    ListSignedIn,
    /// Nobody but applications sees the rooms.
    ListNobody,
}

impl Access {
    /// Checks that somebody may create rooms: `is_signed_in` at the provider, or with a `token`.
    ///
    /// # Errors
    /// The policy does not permit it.
    pub(crate) fn may_create(
        &self,
        is_signed_in: bool,
        token: Option<&Token>,
    ) -> Result<(), PolicyError> {
        let by_token = token.is_some_and(|token| token.check_create().is_ok());
        match self.config.load().config.creators {
            Creators::Everybody => Ok(()),
            _ if by_token => Ok(()),
            Creators::SignedIn if is_signed_in => Ok(()),
            Creators::SignedIn => Err(PolicyError::CreateSignedIn),
            Creators::Api => Err(PolicyError::CreateApi),
        }
    }

    /// Checks that joining may open a room that is not open. A token to join does, as with LiveKit.
    ///
    /// # Errors
    /// The policy does not permit it.
    pub(crate) fn may_open(
        &self,
        is_signed_in: bool,
        token: Option<&Token>,
    ) -> Result<(), PolicyError> {
        match token {
            Some(token) if token.opens_room() => Ok(()),
            _ => self.may_create(is_signed_in, token),
        }
    }

    /// A template by name.
    pub(crate) fn template(&self, name: &str) -> Option<RoomTemplate> {
        self.config.load().config.templates.get(name).cloned()
    }

    /// The names of all templates, in alphabetical order.
    pub(crate) fn template_names(&self) -> Vec<String> {
        self.config.load().config.templates.keys().cloned().collect()
    }

    /// Consequence of the last host leaving a room; `None`: the default.
    pub(crate) fn when_hosts_leave(&self) -> Option<HostRule> {
        self.config.load().config.when_hosts_leave
    }

    /// Returns whether whoever joins a room first is its host, if nobody else is named: where
    /// everybody may create rooms.
    pub(crate) fn is_first_host(&self) -> bool {
        self.config.load().config.creators == Creators::Everybody
    }

    /// Checks that somebody may see the list of rooms.
    ///
    /// # Errors
    /// The policy does not permit it.
    pub(crate) fn may_list(
        &self,
        is_signed_in: bool,
        token: Option<&Token>,
    ) -> Result<(), PolicyError> {
        let by_token = token.is_some_and(|token| token.check_list().is_ok());
        match self.config.load().config.listers {
            Listers::Everybody => Ok(()),
            _ if by_token => Ok(()),
            Listers::SignedIn if is_signed_in => Ok(()),
            Listers::SignedIn => Err(PolicyError::ListSignedIn),
            Listers::Nobody => Err(PolicyError::ListNobody),
        }
    }
}

impl From<PolicyError> for ErrorBody {
    fn from(refused: PolicyError) -> Self {
        let (code, message) = match refused {
            PolicyError::CreateSignedIn => {
                (ErrorCode::SignInRequired, "sign in to create a room on this server")
            }
            PolicyError::CreateApi => {
                (ErrorCode::ApiOnly, "rooms of this server are created by its applications alone")
            }
            PolicyError::ListSignedIn => {
                (ErrorCode::SignInRequired, "sign in to see the rooms of this server")
            }
            PolicyError::ListNobody => (ErrorCode::ApiOnly, "this server does not list its rooms"),
        };
        Self::new(code, message)
    }
}

/// What a client is told about a refused token.
pub(crate) fn token_error(error: &TokenError) -> ErrorBody {
    let code = match error {
        _ if error.is_about_time() => ErrorCode::TokenExpired,
        TokenError::WrongRoom => ErrorCode::WrongRoom,
        TokenError::NotGranted(_) => ErrorCode::Forbidden,
        _ => ErrorCode::InvalidToken,
    };
    ErrorBody::new(code, error.to_string())
}
