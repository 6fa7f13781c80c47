//! Reactions: an emoji shown to all for a moment.

use serde::{Deserialize, Serialize};

/// Maximum number of characters; joined emoji, such as families, have up to ten.
const MAX_CHARS: usize = 16;

/// The text is no reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a reaction is one emoji")]
pub struct ReactionError;

/// One emoji. The room checks its shape only: short, visible and not plain text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "string"))]
#[serde(try_from = "String", into = "String")]
pub struct Reaction(String);

impl Reaction {
    /// The emoji.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Reaction {
    type Error = ReactionError;
    fn try_from(text: String) -> Result<Self, ReactionError> {
        let is_short = (1..=MAX_CHARS).contains(&text.chars().take(MAX_CHARS + 1).count());
        let is_text = |c: char| c.is_control() || c.is_whitespace() || c.is_alphabetic();
        if is_short && !text.is_ascii() && !text.chars().any(is_text) {
            Ok(Self(text))
        } else {
            Err(ReactionError)
        }
    }
}

impl From<Reaction> for String {
    fn from(reaction: Reaction) -> Self {
        reaction.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn emoji_are_reactions_and_text_is_not() {
        for emoji in ["👍", "👩‍🏫", "👨‍👩‍👧‍👦", "1️⃣", "❤️"] {
            assert_eq!(Reaction::try_from(emoji.to_owned()).unwrap().as_str(), emoji);
        }
        for text in ["", "a", "1", "👍 👍", "모임", "👍\u{0}", &"👍".repeat(17)] {
            assert_eq!(Reaction::try_from(text.to_owned()), Err(ReactionError), "{text:?}");
        }
    }
}
