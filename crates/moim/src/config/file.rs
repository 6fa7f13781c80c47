//! A configuration file: its options, the line of each, and all its mistakes.

use std::{
    collections::BTreeMap,
    fs,
    ops::Range,
    path::{Path, PathBuf},
};

use anyhow::Context;
use serde::Deserialize;
use toml::{
    Spanned,
    de::{DeTable, DeValue, Deserializer},
};

use super::{
    AccessOptions, ClusterOptions, OidcOptions, Options, Problems, StoreOptions, WebhookOptions,
    keys::{self, Key},
};

/// The options of a file.
#[derive(Debug)]
pub(super) struct ConfigFile {
    /// The path.
    pub(super) path: PathBuf,
    /// The options.
    pub(super) options: Options,
    /// Entries by key.
    pub(super) entries: BTreeMap<String, Entry>,
}

/// A key's place in the file.
#[derive(Debug)]
pub(super) struct Entry {
    /// The line, counted from 1.
    pub(super) line: usize,
    /// The value as written.
    pub(super) text: String,
}

impl ConfigFile {
    /// Reads and parses a file.
    ///
    /// # Errors
    /// All mistakes, each with its line.
    pub(super) fn read(path: &Path) -> Result<Self, Problems> {
        let text = fs::read_to_string(path).with_context(|| {
            format!("Can't read the configuration file {}: check --config", path.display())
        })?;
        Self::parse(path, &text)
    }

    /// Parses each key by itself, so that one mistake doesn't hide the next.
    pub(super) fn parse(path: &Path, text: &str) -> Result<Self, Problems> {
        let (table, errors) = DeTable::parse_recoverable(text);
        let mut parser = Parser {
            text,
            keys: keys::all(),
            options: Options::default(),
            entries: BTreeMap::new(),
            mistakes: Vec::new(),
        };
        for error in &errors {
            parser.add(error.span(), error.message());
        }
        // After an error of syntax, the parser's others on that line are its consequences.
        parser.mistakes.sort_by_key(|(line, _)| *line);
        parser.mistakes.dedup_by_key(|(line, _)| *line);
        // The values of a file with errors of syntax are not to be trusted.
        if errors.is_empty() {
            parser.table(table.into_inner(), None);
        }
        let Parser { options, entries, mut mistakes, .. } = parser;
        mistakes.sort_by_key(|(line, _)| *line);
        let mut problems = Problems::default();
        for (line, message) in mistakes {
            problems.add(at_line(line, path, &message));
        }
        problems.into_result()?;
        Ok(Self { path: path.to_owned(), options, entries })
    }
}

struct Parser<'t> {
    text: &'t str,
    keys: Vec<Key>,
    options: Options,
    entries: BTreeMap<String, Entry>,
    /// Lines and messages.
    mistakes: Vec<(usize, String)>,
}

impl<'t> Parser<'t> {
    fn table(&mut self, entries: DeTable<'t>, table: Option<&'static str>) {
        for (key, value) in entries {
            let name = key.get_ref().clone().into_owned();
            if table.is_none() && name == keys::LIMITS {
                match value.into_inner() {
                    DeValue::Table(limits) => self.table(limits, Some(keys::LIMITS)),
                    _ => self.add(Some(key.span()), "write limits as a table: [limits]"),
                }
                continue;
            }
            if table.is_none() && name == keys::TEMPLATE {
                self.templates(key, value);
                continue;
            }
            match self.keys.iter().find(|known| known.name == name) {
                Some(known) if known.table == table => self.entry(key, value, table),
                Some(known) => {
                    let place = match known.table {
                        Some(table) => format!("below [{table}]"),
                        None => "above the first [table]".to_owned(),
                    };
                    self.add(Some(key.span()), &format!("{name} must stand {place}"));
                }
                None => self.unknown(&name, key.span()),
            }
        }
    }

    fn entry(
        &mut self,
        key: Spanned<std::borrow::Cow<'t, str>>,
        value: Spanned<DeValue<'t>>,
        table: Option<&'static str>,
    ) {
        let (name, spans) = (key.get_ref().clone().into_owned(), (key.span(), value.span()));
        let mut alone = DeTable::new();
        alone.insert(key, value);
        if let Some(table) = table {
            let limits = Spanned::new(spans.1.clone(), DeValue::Table(alone));
            alone = DeTable::new();
            alone.insert(Spanned::new(spans.0.clone(), table.into()), limits);
        }
        let alone = Deserializer::from(Spanned::new(spans.1.clone(), alone));
        let options = if keys::is_of::<AccessOptions>(&name) {
            AccessOptions::deserialize(alone).map(|access| Options { access, ..Options::default() })
        } else if keys::is_of::<WebhookOptions>(&name) {
            WebhookOptions::deserialize(alone)
                .map(|webhooks| Options { webhooks, ..Options::default() })
        } else if keys::is_of::<OidcOptions>(&name) {
            OidcOptions::deserialize(alone).map(|oidc| Options { oidc, ..Options::default() })
        } else if keys::is_of::<StoreOptions>(&name) {
            StoreOptions::deserialize(alone).map(|stored| Options { stored, ..Options::default() })
        } else if keys::is_of::<ClusterOptions>(&name) {
            ClusterOptions::deserialize(alone)
                .map(|clustered| Options { clustered, ..Options::default() })
        } else {
            Options::deserialize(alone)
        };
        match options {
            Ok(options) => {
                let text = self.text.get(spans.1).unwrap_or_default().to_owned();
                self.entries.insert(name, Entry { line: self.line(spans.0.start), text });
                self.options = std::mem::take(&mut self.options).or(options);
            }
            Err(error) => self.add(error.span().or(Some(spans.0)), error.message()),
        }
    }

    /// Templates, which are no flags and have no entry.
    fn templates(&mut self, key: Spanned<std::borrow::Cow<'t, str>>, value: Spanned<DeValue<'t>>) {
        let span = value.span();
        let mut alone = DeTable::new();
        alone.insert(key, value);
        let alone = Deserializer::from(Spanned::new(span.clone(), alone));
        match AccessOptions::deserialize(alone) {
            Ok(access) => {
                let options = Options { access, ..Options::default() };
                self.options = std::mem::take(&mut self.options).or(options);
            }
            Err(error) => self.add(error.span().or(Some(span)), error.message()),
        }
    }

    fn unknown(&mut self, name: &str, span: Range<usize>) {
        let names = self.keys.iter().map(|key| key.name.as_str());
        let hint = match keys::nearest(name, names) {
            Some(near) => format!(": did you mean {near}?"),
            None => ": `moim config example` lists all keys".to_owned(),
        };
        self.add(Some(span), &format!("there is no key {name}{hint}"));
    }

    fn add(&mut self, span: Option<Range<usize>>, message: &str) {
        let line = self.line(span.map_or(0, |span| span.start));
        self.mistakes.push((line, message.to_owned()));
    }

    fn line(&self, offset: usize) -> usize {
        self.text.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
    }
}

/// A mistake with its place.
pub(super) fn at_line(line: usize, path: &Path, message: &str) -> String {
    format!("Correct line {line} of {}: {message}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        let problems = ConfigFile::parse(Path::new("f"), text).unwrap_err();
        problems
            .iter()
            .map(|line| line.replace("Correct line ", "").replace(" of f:", ""))
            .collect()
    }

    #[test]
    fn all_mistakes_are_found_with_their_lines() {
        let found = mistakes(
            "lisen = '0.0.0.0:1'\nlog = 5\nmax-rooms = 3\n\nturn-allow = ['10.0.0.0/40']\n\
             [limits]\nmax-rooms = 'many'\nmax-room = 4\n",
        );
        assert_eq!(found.len(), 6, "{found:#?}");
        for (line, about) in [
            (1, "did you mean listen?"),
            (2, "expected a string"),
            (3, "below [limits]"),
            (5, "address range"),
            (7, "expected usize"),
            (8, "did you mean max-rooms?"),
        ] {
            let told = found.iter().find(|text| text.starts_with(&format!("{line} ")));
            let told = told.unwrap_or_else(|| panic!("line {line}: {found:#?}"));
            assert!(told.contains(about), "{told}");
        }
    }

    #[test]
    fn templates_are_read_and_their_mistakes_have_lines() {
        let text = "log = 'info'\n[template.class]\nentry = 'waiting'\n[template.open]\n";
        let file = ConfigFile::parse(Path::new("f"), text).unwrap();
        assert_eq!(file.options.access.template.unwrap().len(), 2);
        let found = mistakes("[template.class]\nentry = 'waiting'\nlobby = true\n");
        assert!(found[0].starts_with("3 ") && found[0].contains("lobby"), "{found:?}");
    }

    #[test]
    fn errors_of_syntax_are_found_with_their_lines() {
        let found = mistakes("log = \nturn-tcp = true\nhost == 'a'\nlog = 'a'\nturn-tcp = false\n");
        let lines: Vec<_> = found.iter().filter_map(|text| text.split(' ').next()).collect();
        assert_eq!(lines, ["1", "3", "4", "5"], "{found:#?}");
    }

    #[test]
    fn entries_have_line_and_text() {
        let text = "log = 'info'\n[limits]\n# rooms\nmax-rooms = 5 # five\n";
        let file = ConfigFile::parse(Path::new("f"), text).unwrap();
        assert_eq!((file.entries["log"].line, file.entries["log"].text.as_str()), (1, "'info'"));
        let rooms = &file.entries["max-rooms"];
        assert_eq!((rooms.line, rooms.text.as_str()), (4, "5"));
        assert_eq!(file.options.limits.max_rooms, Some(5));
    }
}
