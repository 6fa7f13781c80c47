//! Merging of options from several sources.

use serde::{Deserialize, Deserializer};

/// Builds a value whose fields are those of the first operand, or of the second where missing.
macro_rules! first_of {
    ($typed:ident, $other:ident; $($field:ident),+ $(; $($nested:ident),+)?) => {
        Self {
            $($field: $typed.$field.or($other.$field),)+
            $($($nested: $typed.$nested.or($other.$nested),)+)?
        }
    };
}
pub(super) use first_of;

/// One text, or a list of them.
pub(super) fn one_or_many<'de, D: Deserializer<'de>>(
    file: D,
) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a text or a list of texts")]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Ok(Some(match Texts::deserialize(file)? {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    }))
}
