//! Texts of polls.

use serde::{Deserialize, Serialize};

/// Maximum length of a question or an option after trimming, in characters.
pub const MAX_POLL_CHARS: usize = 200;

/// Reason for which a text is no question or option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PollTextError {
    /// Nothing but white space.
    #[error("a question or an option can't be empty")]
    Empty,
    /// More than [`MAX_POLL_CHARS`] characters.
    #[error("a question or an option can have at most {MAX_POLL_CHARS} characters")]
    TooLong,
    /// A control character.
    #[error("a question or an option is one line without control characters")]
    Forbidden,
}

/// A question or an option: one line of plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct PollText(String);

impl PollText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Trims and validates the input.
impl TryFrom<String> for PollText {
    type Error = PollTextError;
    fn try_from(typed: String) -> Result<Self, PollTextError> {
        let text = typed.trim();
        // Counts no further than the limit.
        match text.chars().take(MAX_POLL_CHARS + 1).count() {
            0 => Err(PollTextError::Empty),
            n if n > MAX_POLL_CHARS => Err(PollTextError::TooLong),
            _ if text.chars().any(char::is_control) => Err(PollTextError::Forbidden),
            _ => Ok(Self(text.to_owned())),
        }
    }
}

impl From<PollText> for String {
    fn from(text: PollText) -> Self {
        text.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<PollText, PollTextError> {
        PollText::try_from(text.to_owned())
    }

    #[test]
    fn a_text_is_one_trimmed_line_of_limited_length() {
        assert_eq!(parse(" 점심 <b>? ").unwrap().as_str(), "점심 <b>?");
        assert!(parse(&"모".repeat(MAX_POLL_CHARS)).is_ok());
        assert_eq!(parse(&"a".repeat(MAX_POLL_CHARS + 1)), Err(PollTextError::TooLong));
        for blank in ["", " ", "\n\t"] {
            assert_eq!(parse(blank), Err(PollTextError::Empty));
        }
        for control in ["a\nb", "a\u{0}b", "a\tb"] {
            assert_eq!(parse(control), Err(PollTextError::Forbidden));
        }
    }
}
