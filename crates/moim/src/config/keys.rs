//! The keys of a configuration file, derived from the definitions of the flags.

use clap::{Arg, ArgAction, Args, Command};

use super::Options;

/// The table of the file that holds the limits.
pub(super) const LIMITS: &str = "limits";

/// The table of the file that holds templates.
pub(super) const TEMPLATE: &str = "template";

/// A key of the file, which is the flag's name.
#[derive(Debug, Clone)]
pub(super) struct Key {
    /// The name, without dashes in front.
    pub(super) name: String,
    /// The table, if it is not at the top.
    pub(super) table: Option<&'static str>,
    /// The identifier among clap's matches.
    pub(super) id: String,
    /// The environment variable.
    pub(super) variable: Option<String>,
    /// The help text without the default.
    pub(super) help: String,
    /// The default as the help text has it.
    pub(super) default: Option<String>,
    /// True if no output may show the value.
    pub(super) is_secret: bool,
    /// The shape of the value in the file.
    pub(super) shape: Shape,
    /// The placeholder of the value in the help text.
    pub(super) placeholder: String,
}

/// The shape of a value in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Bool,
    Number,
    Text,
    Texts,
}

/// All keys in the order of the help text, those of tables last.
pub(super) fn all() -> Vec<Key> {
    let command = Options::augment_args(Command::new("moim"));
    let mut keys: Vec<Key> = command
        .get_arguments()
        .filter(|arg| arg.get_id() != "config")
        .filter_map(Key::of)
        .collect();
    keys.sort_by_key(|key| key.table.is_some());
    keys
}

/// True for the key of a limit.
pub(crate) fn is_limit(name: &str) -> bool {
    all().iter().any(|key| key.name == name && key.table == Some(LIMITS))
}

/// True for a key of these options.
pub(super) fn is_of<O: Args>(name: &str) -> bool {
    let command = O::augment_args(Command::new("moim"));
    command.get_arguments().any(|arg| arg.get_long() == Some(name))
}

/// The name in `names` that a reader most likely meant.
pub(super) fn nearest<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    /// Below it, names have little in common. The same as clap's for flags.
    const MIN_SIMILARITY: f64 = 0.7;
    let typed = typed.replace('_', "-");
    let similar = names.map(|name| (strsim::jaro(&typed, name), name));
    let best = similar.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(similarity, _)| *similarity > MIN_SIMILARITY).map(|(_, name)| name)
}

impl Key {
    fn of(arg: &Arg) -> Option<Self> {
        let name = arg.get_long()?.to_owned();
        let help = arg.get_help()?.to_string();
        let (help, default) = match help.split_once(" [default: ") {
            Some((help, default)) => (help.to_owned(), Some(default.trim_end_matches(']').into())),
            None => (help, None),
        };
        let placeholder = arg.get_value_names()?.first()?.to_string();
        let is_limit = arg.get_help_heading() == Some("Limits");
        Some(Self {
            table: is_limit.then_some(LIMITS),
            id: arg.get_id().to_string(),
            variable: arg.get_env().map(|name| name.to_string_lossy().into_owned()),
            is_secret: arg.is_hide_env_values_set(),
            shape: match (arg.get_action(), placeholder.as_str()) {
                (ArgAction::Append, _) => Shape::Texts,
                (_, "BOOL") => Shape::Bool,
                (_, "N" | "SECONDS" | "BYTES" | "KBPS" | "DAYS" | "MB" | "MIB") => Shape::Number,
                _ => Shape::Text,
            },
            name,
            help,
            default,
            placeholder,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nearest_ignores_typing_errors_and_rejects_strangers() {
        let names = || ["listen", "trusted-proxy", "turn-user"].into_iter();
        assert_eq!(nearest("lisen", names()), Some("listen"));
        assert_eq!(nearest("trusted_proxies", names()), Some("trusted-proxy"));
        assert_eq!(nearest("webhook", names()), None);
    }

    #[test]
    fn secrets_are_marked() {
        let secrets: Vec<_> =
            all().into_iter().filter(|key| key.is_secret).map(|key| key.name).collect();
        assert_eq!(
            secrets,
            [
                "turn-secret",
                "turn-user",
                "metrics-token",
                "store-password",
                "cluster-password",
                "api-key",
                "oidc-client-secret",
                "webhook-secret"
            ]
        );
    }
}
