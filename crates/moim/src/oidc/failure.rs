//! Why a sign-in failed.

use access::TokenError;

/// Longest text of a provider that is logged, in characters.
const MAX_TOLD: usize = 200;

/// Reason for which nobody was signed in. The text is for the operator's log; the page has words of
/// its own for the code.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInFailure {
    /// The provider can't be reached, or answers nonsense.
    #[error("the OpenID provider is away: {0:#}")]
    Away(anyhow::Error),
    /// The answer belongs to no sign-in of this browser: forged, replayed, or too late.
    #[error("the answer belongs to no sign-in of this browser, or came too late")]
    Expired,
    /// The provider says that it did not sign anybody in.
    #[error("the OpenID provider refused: {0}")]
    Refused(String),
    /// The answer or the ID token is not what the provider must send.
    #[error("the OpenID provider's answer is wrong: {0}")]
    Wrong(String),
    /// The person is none of the hosts.
    #[error("{0} has none of the claims that make a host")]
    NotHost(String),
    /// Others could read the session.
    #[error("the browser did not come over HTTPS; behind a proxy, is it a --trusted-proxy?")]
    Insecure,
    /// Too many at once.
    #[error("too many people sign in at once")]
    Busy,
    /// The system or the data folder.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

impl SignInFailure {
    /// The reason, for the page.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Away(_) => "away",
            Self::Expired => "expired",
            Self::Refused(_) => "refused",
            Self::NotHost(_) => "not_host",
            Self::Insecure => "insecure",
            Self::Busy => "busy",
            Self::Wrong(_) | Self::Failed(_) => "failed",
        }
    }

    /// The provider's own reason, such as `access_denied`.
    pub(super) fn refused(reason: &str) -> Self {
        Self::Refused(told(reason))
    }
}

impl From<TokenError> for SignInFailure {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::UnknownKey => {
                Self::Wrong("it publishes no key that fits its ID token".to_owned())
            }
            error => Self::Wrong(error.to_string()),
        }
    }
}

/// Text of a provider or a browser as it may be logged.
pub(super) fn told(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_TOLD).collect()
}
