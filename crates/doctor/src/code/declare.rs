//! The declaration of codes with their texts.

use serde::{Deserialize, Serialize};

/// Weight of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Somebody can't take part in a call.
    Broken,
    /// Calls work, but worse than they could, or will soon break.
    Degraded,
    /// Works as it is; the remedy makes it better.
    Advice,
}

/// Declares an enum of codes, ordered by importance among equals, each with its string, severity
/// and texts in all languages.
macro_rules! codes {
    ($(#[$about:meta])* $name:ident {
        $($(#[$doc:meta])* $code:ident = $string:literal, $severity:ident,
            en: $en:literal, $en_remedy:literal, ko: $ko:literal, $ko_remedy:literal;)*
    }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$doc])* $code,)* }

        impl $name {
            /// All codes.
            pub const ALL: &[Self] = &[$(Self::$code),*];

            /// The stable string.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$code => $string,)* }
            }

            /// Weight of the finding.
            #[must_use]
            pub fn severity(self) -> crate::code::Severity {
                match self { $(Self::$code => crate::code::Severity::$severity,)* }
            }

            /// Templates of the texts.
            #[must_use]
            pub fn words(self, language: crate::words::Language) -> crate::words::Words {
                use crate::words::{Language, Words};
                match (self, language) {
                    $((Self::$code, Language::En) => Words { sentence: $en, remedy: $en_remedy },
                      (Self::$code, Language::Ko) => Words { sentence: $ko, remedy: $ko_remedy },)*
                }
            }
        }
    };
}

pub(crate) use codes;
