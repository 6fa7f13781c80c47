//! Words of a code: templates whose `{placeholders}` are filled from a finding's facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Language of a report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Korean.
    Ko,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 2] = [Self::En, Self::Ko];

    /// The language of a locale or language tag, such as `ko_KR.UTF-8` or `ko-KR`.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['_', '-', '.']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("ko") { Self::Ko } else { Self::En }
    }
}

/// Text about one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// One sentence: what is wrong.
    pub sentence: &'static str,
    /// One thing to do, with the port, address or command.
    pub remedy: &'static str,
}

impl Words {
    /// Names of the placeholders in both texts.
    pub fn placeholders(&self) -> impl Iterator<Item = &'static str> {
        placeholders(self.sentence).chain(placeholders(self.remedy))
    }
}

/// Replaces each `{name}` that has a fact.
pub(crate) fn fill(template: &str, facts: &BTreeMap<String, String>) -> String {
    let mut text = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        let Some((name, behind)) = after.split_once('}') else {
            text.push('{');
            rest = after;
            continue;
        };
        match facts.get(name) {
            Some(value) => text.push_str(value),
            None => {
                text.push('{');
                text.push_str(name);
                text.push('}');
            }
        }
        rest = behind;
    }
    text.push_str(rest);
    text
}

fn placeholders(template: &'static str) -> impl Iterator<Item = &'static str> {
    template.split('{').skip(1).filter_map(|part| part.split_once('}')).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_filled_once_and_values_are_not_templates() {
        let facts = [("a", "{b}"), ("b", "2")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let facts = BTreeMap::from(facts);
        assert_eq!(fill("{a} and {b}, {c}", &facts), "{b} and 2, {c}");
        assert_eq!(fill("open { brace", &facts), "open { brace");
    }

    #[test]
    fn language_of_a_locale() {
        assert_eq!(Language::of_locale("ko_KR.UTF-8"), Language::Ko);
        assert_eq!(Language::of_locale("ko-KR"), Language::Ko);
        assert_eq!(Language::of_locale("kok_IN"), Language::En);
        assert_eq!(Language::of_locale("C"), Language::En);
    }
}
