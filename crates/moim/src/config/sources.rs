//! The source of each option.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use clap::{ArgMatches, parser::ValueSource};

use super::{Problems, file, file::ConfigFile, keys};

/// The place that an option's value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Flag,
    /// A variable of moim's.
    Environment(String),
    Line {
        path: PathBuf,
        line: usize,
    },
    /// The content of a file that an option names.
    File(PathBuf),
    /// A systemd credential.
    Credential(PathBuf),
    /// A choice among the system's folders.
    Detected(&'static str),
}

/// The value of an option as written, and its source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Setting {
    pub(super) source: Source,
    /// Not to be shown for a secret.
    pub(super) text: String,
}

/// The source of each option that has one, by key.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sources(BTreeMap<String, Setting>);

impl Sources {
    /// Sources on the command line and in the environment.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        let mut sources = BTreeMap::new();
        for key in keys::all() {
            let known = matches.try_contains_id(&key.id);
            let source = match known.map(|_| matches.value_source(&key.id)) {
                Ok(Some(ValueSource::CommandLine)) => Source::Flag,
                Ok(Some(ValueSource::EnvVariable)) => {
                    Source::Environment(key.variable.unwrap_or_default())
                }
                _ => continue,
            };
            let values = matches.get_raw(&key.id).into_iter().flatten();
            let values: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            sources.insert(key.name, Setting { source, text: values.join(", ") });
        }
        Self(sources)
    }

    /// Adds the keys of a file that have no source yet.
    pub(super) fn add_file(&mut self, file: &ConfigFile) {
        for (key, entry) in &file.entries {
            let source = Source::Line { path: file.path.clone(), line: entry.line };
            let setting = Setting { source, text: entry.text.clone() };
            self.0.entry(key.clone()).or_insert(setting);
        }
    }

    /// Sets the source of a key.
    pub(super) fn set(&mut self, key: &str, source: Source, text: String) {
        self.0.insert(key.to_owned(), Setting { source, text });
    }

    /// The source of a key; `None` is the default.
    pub(super) fn get(&self, key: &str) -> Option<&Setting> {
        self.0.get(key)
    }

    /// Keys whose values differ in `new`.
    pub(crate) fn changed(&self, new: &Self) -> Vec<String> {
        let text = |sources: &Self, key: &str| sources.get(key).map(|found| found.text.clone());
        let names = keys::all().into_iter().map(|key| key.name);
        names.filter(|key| text(self, key) != text(new, key)).collect()
    }

    /// Takes the value of a key from `new`.
    pub(crate) fn copy(&mut self, key: &str, new: &Self) {
        match new.0.get(key) {
            Some(setting) => self.0.insert(key.to_owned(), setting.clone()),
            None => self.0.remove(key),
        };
    }

    /// Adds the line to each problem that names a flag whose value came from a file.
    pub(crate) fn locate(&self, problems: Problems) -> Problems {
        problems.map(|sentence| match named_flag(&sentence).and_then(|key| self.line(key)) {
            Some((path, line)) if !sentence.starts_with("Correct line ") => {
                file::at_line(line, path, &sentence)
            }
            _ => sentence,
        })
    }

    fn line(&self, key: &str) -> Option<(&Path, usize)> {
        match &self.get(key)?.source {
            Source::Line { path, line } => Some((path, *line)),
            _ => None,
        }
    }
}

/// The first flag that a sentence names.
fn named_flag(sentence: &str) -> Option<&str> {
    let (_, rest) = sentence.split_once("--")?;
    let end = rest.find(|c: char| !c.is_ascii_lowercase() && c != '-').unwrap_or(rest.len());
    rest.get(..end)
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::Line { path, line } => write!(f, "line {line} of {}", path.display()),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Credential(path) => write!(f, "credential {}", path.display()),
            Self::Detected(reason) => f.write_str(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_about_a_key_of_the_file_gets_its_line() {
        let text = "\n[limits]\nmax-rooms = 0\n";
        let file = ConfigFile::parse(Path::new("f"), text).unwrap();
        let mut sources = Sources::default();
        sources.add_file(&file);
        let mut problems = Problems::default();
        problems.add("--max-rooms 0 allows no call");
        problems.add("--shards must be less");
        let told: Vec<_> = sources.locate(problems).iter().map(str::to_owned).collect();
        let line = "Correct line 3 of f: --max-rooms 0 allows no call";
        assert_eq!(told, [line, "--shards must be less"]);
    }
}
