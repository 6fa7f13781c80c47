//! Chat messages.

use serde::{Deserialize, Serialize};

/// Maximum length of a message after trimming, in characters.
pub const MAX_CHAT_CHARS: usize = 2_000;

/// Reason for which a message is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// Nothing but white space.
    #[error("a message can't be empty")]
    Empty,
    /// More than [`MAX_CHAT_CHARS`] characters.
    #[error("a message can have at most {MAX_CHAT_CHARS} characters")]
    TooLong,
    /// A control character other than a line break or a tab.
    #[error("a message can't contain control characters")]
    Forbidden,
}

/// Text of a message: one or more lines of plain text, never markup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct ChatText(String);

impl ChatText {
    /// Trims and validates the input.
    pub fn new(typed: &str) -> Result<Self, ChatError> {
        let text = typed.trim();
        // Counts no further than the limit.
        match text.chars().take(MAX_CHAT_CHARS + 1).count() {
            0 => Err(ChatError::Empty),
            n if n > MAX_CHAT_CHARS => Err(ChatError::TooLong),
            _ if text.chars().any(is_forbidden) => Err(ChatError::Forbidden),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ChatText {
    type Error = ChatError;
    fn try_from(typed: String) -> Result<Self, ChatError> {
        Self::new(&typed)
    }
}

impl From<ChatText> for String {
    fn from(text: ChatText) -> Self {
        text.0
    }
}

fn is_forbidden(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_is_trimmed_and_keeps_lines_and_markup_as_text() {
        let text = ChatText::new("  <b>hi</b>\n모임 👩‍🏫\t… \n").unwrap();
        assert_eq!(text.as_str(), "<b>hi</b>\n모임 👩‍🏫\t…");
    }

    #[test]
    fn message_length_is_counted_in_characters() {
        assert!(ChatText::new(&"모".repeat(MAX_CHAT_CHARS)).is_ok());
        assert_eq!(ChatText::new(&"a".repeat(MAX_CHAT_CHARS + 1)), Err(ChatError::TooLong));
        assert_eq!(ChatText::new(&"a".repeat(1 << 20)), Err(ChatError::TooLong));
    }

    #[test]
    fn blank_and_control_characters_are_rejected() {
        for blank in ["", " ", "\n\t\u{a0}"] {
            assert_eq!(ChatText::new(blank), Err(ChatError::Empty));
        }
        for control in ["a\u{0}b", "\u{1b}[31mred", "a\u{7f}b"] {
            assert_eq!(ChatText::new(control), Err(ChatError::Forbidden));
        }
    }
}
